"""Errors from below the program become one line too, unless somebody wants to see where they come from."""

import sqlite3
import sys

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.cli import application
from newsletter.cli.state import STATE

FULL = OSError(28, "No space left on device", "out/en.html")
LOCKED = OperationalError("UPDATE run", {}, sqlite3.OperationalError("database is locked"))


@pytest.fixture
def failing(monkeypatch):
    """A command line whose command ends with this error."""

    def prepare(error):
        def fail():
            raise error

        monkeypatch.setattr(application, "app", fail)
        monkeypatch.setattr(STATE, "verbose", False)

    return prepare


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FULL, "newsletter: out/en.html: No space left on device\n"),
        (OSError("the cable is out"), "newsletter: the cable is out\n"),
        (LOCKED, "newsletter: the database says: database is locked\n"),
    ],
)
def test_what_the_machine_refuses_is_said_in_one_line(failing, capsys, error, line):
    failing(error)
    with pytest.raises(SystemExit) as ended:
        application.run()
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("error", [FULL, LOCKED])
def test_verbose_shows_where_it_comes_from(failing, monkeypatch, error):
    failing(error)
    monkeypatch.setattr(STATE, "verbose", True)
    with pytest.raises(type(error)):
        application.run()


def test_a_pipe_that_nobody_reads_any_more_is_no_error(failing, monkeypatch):
    failing(BrokenPipeError())
    closed = []
    monkeypatch.setattr(sys.stderr, "close", lambda: closed.append(True), raising=False)
    with pytest.raises(SystemExit) as ended:
        application.run()
    assert ended.value.code == 0
    assert closed == [True]
