"""Whatever goes wrong is said in one line on standard error, with what to do, and with a code that is not zero."""

import socket

import pytest

MISTAKES = (
    (("issue", "show", "2026-21"), 1, "there is no issue '2026-21'; did you mean '2026-12'?"),
    (("newsletters", "show", "beacon-town"), 1, "there is no newsletter 'beacon-town'; did you mean 'beacon-towns'?"),
    (("content", "show", "congres-2027"), 1, "there is no entry 'congres-2027'; did you mean 'congress-2027'?"),
    (("issue", "assemble", "2026-12", "--newsletter", "other"), 1, "there is no newsletter 'other'"),
    (("issue", "assemble", "No Slug", "--newsletter", "beacon-towns"), 2, "the slug: a key is 1 to 80 small letters"),
    (("issue", "copy", "2026-12", "No Slug"), 2, "the slug: a key is 1 to 80 small letters"),
    (("issue", "copy", "2026-12", "2026-12"), 1, "there is an issue '2026-12' already"),
    (("issue", "assemble", "2026-12", "--from", "1 November"), 2, "--from '1 November' is no date"),
    (("issue", "waive", "2026-12", "nonsense", "--reason", "why not"), 1, "there is no finding 'nonsense'"),
    (("issue", "compile", "2026-12", "--output", "readers.csv"), 1, "readers.csv: File exists"),
    (("issue", "audit", "2026-12"), 1, "issue 2026-12 was never queued: there is nothing to audit"),
    (("issue", "queue", "2026-12", "--segment", "nobody", "--now"), 2, "There is no segment “nobody”."),
    (("newsletters", "set", "beacon-towns", "colour=red"), 2, "there is no setting colour"),
    (("newsletters", "set", "beacon-towns", "timezone=Europe/Brusels"), 2, "'Europe/Brusels' is no IANA time zone"),
    (("newsletters", "set", "beacon-towns", "slug=other"), 2, "the slug names a newsletter for ever"),
    (("newsletters", "set", "beacon-towns", "timezone"), 2, "'timezone' is no KEY=VALUE"),
)

DATABASES = (
    ("sqlite:///readers.csv", 1, "cannot be opened: file is not a database"),
    ("sqlite:///readers.csv/newsletter.sqlite", 2, "readers.csv cannot be made"),
    ("postgresql://127.0.0.1:1/newsletter", 75, "cannot be opened: connection"),
    ("mysql://localhost/newsletter", 2, "the database is mysql; it must be sqlite or postgresql"),
    ("nonsense", 2, "NEWSLETTER_DATABASE__URL cannot be read"),
)


def lines(result):
    assert result.out == ""
    return result.problem.splitlines()


@pytest.mark.parametrize(("arguments", "code", "words"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_said_in_one_line(approved, arguments, code, words):
    [line] = lines(approved.quickly(*arguments, code=code))
    assert line.startswith("newsletter: ")
    assert words in line


def test_a_database_that_is_not_there_is_said_in_one_line(approved, monkeypatch):
    [line] = lines(approved.run("issue", "list", code=1, NEWSLETTER_DATABASE__URL="sqlite:///new/newsletter.sqlite"))
    assert line == "newsletter: the database is empty: run `newsletter init` on a database of its own"
    for url, code, words in DATABASES:
        monkeypatch.setattr(type(approved), "settings", {"NEWSLETTER_DATABASE__URL": url})
        [line] = lines(approved.quickly("issue", "list", code=code))
        assert words in line, url


def test_a_setting_that_is_wrong_is_named(approved):
    [line] = lines(approved.run("issue", "list", code=2, NEWSLETTER_SMTP__PORT="99999"))
    assert line.startswith("newsletter: NEWSLETTER_SMTP__PORT: ")
    (approved.folder / "newsletter.toml").write_text("smtp = [", encoding="utf-8")
    [line] = lines(approved.quickly("issue", "list", code=2))
    assert line.startswith("newsletter: newsletter.toml: ")


def test_an_issue_that_nobody_has_assembled_is_a_draft_and_says_what_comes_next(installation, small):
    installation.quickly("content", "import", installation.write("pack.yaml", small))
    assert installation.status("one")["state"] == "draft"
    assert "is not in the audience" in installation.quickly("explain", "ada@readers.example", "one").out
    for command in ("show", "compile", "preflight", "approve"):
        [line] = lines(installation.quickly("issue", command, "one", code=1))
        assert line == "newsletter: issue 'one' has no items yet: assemble it with `newsletter issue assemble one`"


def test_a_relay_that_is_away_ends_the_patience(approved):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken and not listening: nobody answers there
        approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
        port = str(taken.getsockname()[1])
        away = approved.run("dispatch", "--until-done", "--patience", "1", code=4, NEWSLETTER_SMTP__PORT=port)
    assert "0 accepted" in away.problem
    assert away.problem.splitlines()[-1] == (
        "something is due later, or the relay is away: run it again, or use `newsletter run`"
    )
    standing = approved.status()
    assert (standing["state"], standing["planned"]) == ("sending", 60)
    approved.run("dispatch", "--until-done")
    assert approved.status()["accepted"] == 60
