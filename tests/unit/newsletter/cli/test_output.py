"""What is printed for people, for programs and for terminals."""

import datetime as dt
import io
import json
import re
import sys

import pytest

from newsletter.cli import output


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Puts a terminal in the place of both streams; to be called in the test, for pytest has its own streams before."""

    def place():
        shown = Terminal()
        monkeypatch.setattr(sys, "stdout", shown)
        monkeypatch.setattr(sys, "stderr", shown)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setenv("NO_COLOR", "1")
        return shown

    return place


def test_json_has_instants_in_utc_days_as_written_and_sets_in_order(capsys):
    instant = dt.datetime(2026, 12, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    output.print_json({"at": instant, "on": instant.date(), "tags": {"b", "a"}, "two": (2, 1), "other": 1j, "é": "é"})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {
        "at": "2026-12-01T08:00:00Z",
        "on": "2026-12-01",
        "tags": ["a", "b"],
        "two": [2, 1],
        "other": "1j",
        "é": "é",
    }
    assert "é" in printed


def test_a_table_for_programs_is_lines_with_tabs(capsys):
    rows = [("one", None), ("two", "[bold] words")]
    output.print_table(("entry", "title"), rows)
    assert capsys.readouterr().out == "one\t\ntwo\t[bold] words\n"
    output.print_table(("entry", "title"), rows, headed=True)
    assert capsys.readouterr().out == "entry\ttitle\none\t\ntwo\t[bold] words\n"


def test_a_table_for_people_is_aligned_and_takes_no_markup_from_the_cells(terminal):
    shown = terminal()
    output.print_table(("entry", "title"), [("one", "[bold]words[/bold]"), ("twenty", None)])
    heading, first, second = (re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.getvalue().splitlines())
    assert heading.split() == ["entry", "title"]
    assert first.index("[bold]words[/bold]") == heading.index("title")
    assert second.strip() == "twenty"


def test_progress_is_shown_on_a_terminal(terminal):
    shown = terminal()
    with output.progress("importing") as bar:
        bar(1, 2)
        bar(2, 0)
    assert "importing" in shown.getvalue()


def test_progress_tells_the_speed_and_the_time_left(terminal):
    shown = terminal()
    with output.progress("importing", "rows") as bar:
        for done in range(1, 5):
            bar(done * 1000, 10_000)
    assert "rows/s" in shown.getvalue()


def test_progress_is_silent_elsewhere(capsys):
    with output.progress("importing") as bar:
        bar(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_note_is_for_the_eye_only(capsys):
    output.note("look")
    output.say("data")
    assert capsys.readouterr() == ("data\n", "look\n")
