"""Canaries: addresses, tokens and secrets that go the whole way, and are found in no byte that was logged."""

import re

import pytest

CANARY = "canary.7f3a"
REFUSED, PUT_OFF, ACCEPTED = (f"{CANARY}.{name}@nest{name}.example" for name in ("refused", "put-off", "accepted"))
SECRET, PASSWORD = "canary-secret-91c2", "canary-password-55d0"


NO_ROOM = {
    "sqlite": (
        f"CREATE TRIGGER no_room BEFORE UPDATE ON subscriber BEGIN SELECT RAISE(ABORT, 'no room for {ACCEPTED}'); END",
        "DROP TRIGGER no_room",
    ),
    "postgresql": (
        (
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql"
            f" AS $$ BEGIN RAISE 'no room for {ACCEPTED}'; END $$;"
            " CREATE TRIGGER no_room BEFORE UPDATE ON subscriber FOR EACH ROW EXECUTE FUNCTION no_room()"
        ),
        "DROP TRIGGER no_room ON subscriber",
    ),
}
"""What has a database refuse every change of a person, in words that name one; and what ends it."""


def everywhere(folder):
    """All that lies in a folder, whatever its form, but for what commands printed because they were asked to."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".out")


@pytest.fixture
def relay(mail):
    """A relay that quotes whom it refuses, in and out of angle brackets."""

    async def quoting(_server, _session, envelope, address, _options):
        if address == REFUSED:
            return f"550 5.1.1 <{address}>: {address} is unknown here, so is {address.upper()}"
        if address == PUT_OFF:
            return f"451 4.2.2 mailbox of {address} is full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    mail.handle_RCPT = quoting
    return mail


@pytest.fixture
def logged(approved):
    """Runs commands that log all they can, and keeps what they logged."""

    class Logged:
        def __init__(self):
            self.bytes = ""

        def run(self, *arguments, **settings):
            process = approved.start("--verbose", *arguments, NEWSLETTER_SECRET_KEY=SECRET, **settings)
            code = process.wait(90)
            self.bytes += process.error
            return code

    return Logged()


def test_no_log_ever_holds_an_address_a_token_or_a_secret(approved, relay, logged):
    people = approved.folder / "canaries.csv"
    people.write_text("email,first_name\n" + "\n".join(f"{each},Tweety" for each in (REFUSED, PUT_OFF, ACCEPTED)))
    assert logged.run("subscribers", "import", people, "--list", "readers") == 0
    assert logged.run("issue", "queue", "2026-12", "--segment", "everybody", "--now") == 0
    assert logged.run("dispatch", "--until-done", "--patience", "0") == 4
    named = {"NEWSLETTER_SMTP__USERNAME": "us", "NEWSLETTER_SMTP__PASSWORD": PASSWORD, "NEWSLETTER_SMTP__TLS": "none"}
    approved.rows("UPDATE delivery SET next_at = '2026-01-01 00:00:00.000000' WHERE state = 'deferred'")
    assert logged.run("dispatch", "--until-done", "--patience", "0", **named) == 4
    [received] = relay.to(ACCEPTED)
    tokens = re.findall(r"/[up]/([\w.-]{30,})", f"{received.message['List-Unsubscribe']} {received.text}")

    for arguments in (
        ("explain", REFUSED, "2026-12"),
        ("subscribers", "set", ACCEPTED, "city=Ghent"),
        ("subscribers", "rename", PUT_OFF, f"other.{PUT_OFF}"),
        ("subscribers", "suppress", REFUSED, "--reason", f"{REFUSED} wrote"),
        ("subscribers", "data", ACCEPTED),
        ("retention", "run"),
    ):
        assert logged.run(*arguments) == 0, arguments
    fill, empty = NO_ROOM[approved.kind]
    approved.rows(fill)
    assert logged.run("subscribers", "set", ACCEPTED, "city=Bruges") == 1
    approved.rows(empty)

    assert "Traceback" in logged.bytes
    assert "no room for c…@n….example" in logged.bytes
    assert '"event": "people imported"' in logged.bytes
    assert len(tokens) >= 2
    for canary in (CANARY, CANARY.upper(), "Tweety", SECRET, PASSWORD, *tokens):
        assert canary not in logged.bytes, canary

    assert logged.run("subscribers", "erase", REFUSED, f"other.{PUT_OFF}", ACCEPTED, "--yes") == 0
    people.unlink()
    left = everywhere(approved.folder)
    for canary in (CANARY, CANARY.upper(), "Tweety"):
        assert canary not in logged.bytes
        assert canary.encode() not in left
    approved.quickly("issue", "audit", "2026-12")


def test_an_accident_that_nobody_foresaw_is_told_without_addresses(approved):
    approved.rows("ALTER TABLE subscriber RENAME COLUMN city TO town")
    process = approved.start("--verbose", "subscribers", "add", ACCEPTED, "city=Ghent", "--list", "readers")
    assert process.wait(90) == 1
    assert "Traceback" in process.error
    assert CANARY not in process.error
