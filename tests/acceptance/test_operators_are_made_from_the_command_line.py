"""An administrator makes, changes and disables operators without the desk, and scripts it."""

import io
import re
import sys

import pytest

from newsletter.accounts.passwords import matches

PASSWORD = "seven herons on the weir"
LINK = re.compile(r"https?://[^/]+/desk/setup/[\w-]{43}")


class Keyboard(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def typed(monkeypatch):
    """What stands on standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def named(installation):
    return {each["name"]: each for each in installation.quickly("operators", "list", "--json").json}


def test_a_password_comes_from_a_pipe_and_is_kept_as_a_hash(installation, typed):
    typed(f"{PASSWORD}\n")
    installation.quickly("operators", "add", "Anna", "--role", "admin", "--password-stdin")
    anna = named(installation)["anna"]
    assert anna.pop("created").endswith("Z")
    assert anna == {
        "name": "anna",
        "full_name": "",
        "email": "",
        "role": "admin",
        "language": "en",
        "timezone": "UTC",
        "disabled": None,
        "has_password": True,
        "has_second_factor": False,
    }
    [(known,)] = installation.rows("SELECT password FROM operator")
    assert matches(known, PASSWORD)
    typed("\n")
    refused = installation.quickly("operators", "set", "anna", "--password-stdin", code=2)
    assert refused.problem == "newsletter: there is no password on standard input"


def test_somebody_at_a_terminal_is_asked_for_the_password_and_others_get_a_link(installation, typed, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setattr("typer.prompt", lambda *_words, **_options: PASSWORD)
    installation.quickly("operators", "add", "anna")
    assert named(installation)["anna"]["has_password"]
    assert LINK.fullmatch(installation.quickly("operators", "add", "bela", "--link").out.strip())
    typed("")
    assert LINK.fullmatch(installation.quickly("operators", "add", "cleo", "--json").json["link"])
    assert LINK.fullmatch(installation.quickly("operators", "set", "anna", "--link").out.strip())
    assert (
        "anna\tofficer\tanna\t\t\nbela\tofficer\tbela\t\tno password yet"
        in installation.quickly("operators", "list").out
    )


def test_operators_are_changed_disabled_and_enabled_and_the_log_says_by_whom(installation, typed):
    typed("")
    installation.quickly("operators", "add", "anna", "--role", "admin")
    installation.quickly("operators", "add", "bela", "--email", "Bela@rivers.example", "--full-name", "Béla Nagy")
    installation.quickly(
        *("--as", "root", "operators", "set", "bela", "--role", "viewer", "--language", "fr-be"),
        *("--timezone", "Europe/Brussels", "--no-second-factor"),
    )
    bela = named(installation)["bela"]
    assert (bela["role"], bela["language"], bela["timezone"]) == ("viewer", "fr-BE", "Europe/Brussels")
    installation.quickly("operators", "disable", "bela")
    assert named(installation)["bela"]["disabled"] is not None
    installation.quickly("operators", "set", "bela", "--enable")
    assert named(installation)["bela"]["disabled"] is None
    assert "last administrator" in installation.quickly("operators", "disable", "anna", code=2).problem
    assert "no operator 'dora'" in installation.quickly("operators", "set", "dora", code=1).problem
    assert "at least 12" in _refused(installation, typed)
    told = installation.rows("SELECT operator, about FROM audit_entry WHERE action = 'role changed'")
    assert told == [("root", "bela: officer → viewer")]


def _refused(installation, typed):
    typed("short\n")
    return installation.quickly("operators", "set", "bela", "--password-stdin", code=2).problem


def test_a_token_is_printed_once_alone_and_revoked_by_its_label(installation, typed):
    typed("")
    installation.quickly("operators", "add", "anna", "--role", "admin")
    made = installation.quickly("operators", "token", "anna", "nightly", "--scope", "read", "--scope", "people")
    assert re.fullmatch(r"nl_[\w-]{43}\n", made.out)
    assert "read, people" in made.err
    endless = installation.quickly("operators", "token", "anna", "other", "--days", "0", "--json").json
    assert (endless["scopes"], endless["expires"]) == (["read"], None)
    installation.quickly("operators", "token", "anna", "nightly", "--revoke")
    assert installation.rows("SELECT name FROM api_token") == [("other",)]
    assert (
        "no token 'nightly'"
        in installation.quickly("operators", "token", "anna", "nightly", "--revoke", code=1).problem
    )


def test_who_starts_the_pages_first_gets_the_link_to_the_first_account(installation, typed):
    process = installation.start("web", "--port", "0")
    installation.wait(lambda: "prints a new one" in process.error or process.poll() is not None)
    assert LINK.search(process.error)
    process.terminate()
    assert process.wait() == 0
    typed("")
    installation.quickly("operators", "add", "anna", "--role", "admin")
    process = installation.start("web", "--port", "0")
    installation.wait(lambda: "served at" in process.error or process.poll() is not None)
    process.terminate()
    assert process.wait() == 0
    assert not LINK.search(process.error)
