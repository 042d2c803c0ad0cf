"""An administrator brings people in from any file, keeps a list as a membership system has it, and takes them out again."""

import csv
import io
import json
import signal
import sys
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from databases import url_of
from openpyxl import Workbook

from newsletter.cli import application, imports
from subscribers.importing import loading

PEOPLE = "email,city\nada@town.example,Lyon\nbob@town.example,Köln\ncem@town.example,Ghent\n"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def problem(self):
        """What went wrong, without the lines of the log."""
        return "\n".join(line for line in self.err.splitlines() if not line.startswith("{"))


@pytest.fixture
def newsletter(tmp_path, monkeypatch, capsys):
    """The command line of an installation of its own, with the list members and a file of three people."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", url_of(tmp_path / "newsletter.sqlite"))
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["newsletter", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            application.run()
        printed = capsys.readouterr()
        return Result(int(ended.value.code or 0), printed.out, printed.err)

    assert call("init").code == 0
    assert call("lists", "create", "members").code == 0
    return call


@pytest.fixture
def members(newsletter):
    """The same, when the file has been imported."""
    assert newsletter("subscribers", "import", "people.csv", "--list", "members").code == 0
    return newsletter


def test_a_dry_run_says_why_rows_would_not_be_taken(members, tmp_path):
    members("subscribers", "unsubscribe", "ada@town.example", "--list", "members")
    (tmp_path / "people.csv").write_text(PEOPLE + "nobody,\nbob@town.example,Bonn\n", encoding="utf-8")
    done = members("subscribers", "import", "people.csv", "--list", "members", "--dry-run")
    assert done.out.splitlines() == [
        "5 rows: 0 new, 1 changed, 2 unchanged, 1 invalid, 0 suppressed, 1 refused",
        "  address: 1",
        "  left: 1",
        "  repeated: 1",
        "nothing was stored",
    ]


def test_who_left_comes_back_only_with_a_proof_and_the_log_has_it(members):
    members("subscribers", "unsubscribe", "ada@town.example", "--list", "members")
    assert members("subscribers", "import", "people.csv", "--list", "members", "--json").json["refused"] == 1
    done = members("subscribers", "import", "people.csv", "--list", "members", "--with-consent-proof", "her letter")
    assert "1 person who had left came back on the strength of the proof" in done.out
    assert "asked again for members" in members("subscribers", "show", "ada@town.example").out
    assert members("subscribers", "show", "ada@town.example", "--json").json["consent"][-1]["proof"] == "her letter"


def test_a_report_by_line_is_private_and_has_every_row(newsletter, tmp_path):
    report = tmp_path / "report.csv"
    newsletter("subscribers", "import", "people.csv", "--list", "members", "--report", str(report))
    assert report.stat().st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(report.read_text(encoding="utf-8").splitlines()))
    assert [(row["line"], row["email"], row["verdict"]) for row in rows] == [
        ("2", "ada@town.example", "new"),
        ("3", "bob@town.example", "new"),
        ("4", "cem@town.example", "new"),
    ]


def test_a_file_may_come_from_standard_input_and_go_to_standard_output(newsletter):
    done = newsletter("subscribers", "import", "-", "--list", "members", "--json", stdin=PEOPLE.encode())
    assert (done.code, done.json["new"]) == (0, 3)
    exported = newsletter("subscribers", "export", "--output", "-").out
    assert (
        newsletter("subscribers", "import", "-", "--list", "members", "--json", stdin=exported.encode()).json[
            "unchanged"
        ]
        == 3
    )
    refused = newsletter("subscribers", "import", "-", "--list", "members")
    assert (refused.code, refused.problem) == (2, "newsletter: standard input: the file is empty")


def test_a_spreadsheet_is_imported_from_the_sheet_that_is_named(newsletter, tmp_path):
    workbook = Workbook()
    workbook.active.title = "Notes"
    workbook.active.append(["nothing"])
    sheet = workbook.create_sheet("People")
    sheet.append(["E-mail", "Population"])
    sheet.append(["ada@town.example", 12000])
    workbook.save(tmp_path / "people.xlsx")
    arguments = ["subscribers", "import", "people.xlsx", "--list", "members"]
    assert "no column holds the address" in newsletter(*arguments).problem
    done = newsletter(*arguments, "--sheet", "People", "--json")
    assert done.json["file"] == {
        "format": "xlsx",
        "encoding": None,
        "assumed": False,
        "delimiter": None,
        "sheet": "People",
        "origin": None,
    }
    assert newsletter("subscribers", "show", "ada@town.example", "--json").json["attributes"] == {"population": 12000}


def test_an_export_of_another_program_is_named_and_its_leavers_stay_away(newsletter, tmp_path):
    (tmp_path / "unsubscribed_members_export_1.csv").write_text(
        "Email Address,First Name,MEMBER_RATING,LEID,UNSUB_TIME\nada@town.example,Ada,2,1,2020-01-01 10:00:00\n",
        encoding="utf-8",
    )
    done = newsletter("subscribers", "import", "unsubscribed_members_export_1.csv", "--list", "members")
    assert done.out == "1 row: 0 new, 0 changed, 0 unchanged, 0 invalid, 0 suppressed, 1 refused\n"
    assert "unsubscribed_members_export_1.csv: an export of Mailchimp" in done.problem
    later = newsletter("subscribers", "import", "people.csv", "--list", "members", "--json").json
    assert (later["new"], later["refused"], later["reasons"]) == (2, 1, {"left": 1})


def test_the_operator_may_say_how_everybody_in_a_file_stands(newsletter):
    done = newsletter("subscribers", "import", "people.csv", "--list", "members", "--people", "bounced", "--json")
    assert (done.json["suppressed"], done.json["reasons"]) == (3, {"hard_bounce": 3})
    assert newsletter("subscribers", "import", "people.csv", "--list", "members", "--json").json["suppressed"] == 3


def test_a_sync_takes_off_who_is_not_in_the_file(members, tmp_path):
    (tmp_path / "now.csv").write_text("email\nbob@town.example\ndora@town.example\n", encoding="utf-8")
    arguments = ["subscribers", "sync", "now.csv", "--list", "members"]
    refused = members(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "2 of 3 members are not in the file, more than 5%; nothing was changed" in refused.problem
    dry = members(*arguments, "--max-removals", "2", "--dry-run")
    assert dry.out.splitlines()[-2:] == ["2 of 3 members not in the file, taken off", "nothing was stored"]
    done = members(*arguments, "--max-removals", "70%", "--json").json
    assert (done["new"], done["unchanged"], done["members"], done["removed"]) == (1, 1, 3, 2)
    again = members(*arguments, "--json").json
    assert (again["new"], again["changed"], again["unchanged"], again["removed"]) == (0, 0, 2, 0)
    assert "taken off by an administrator from members" in members("subscribers", "show", "ada@town.example").out


@pytest.mark.parametrize("bound", ["", "x", "5%%", "101%", "-1", "-1%", "1/0%", "five"])
def test_a_bound_that_cannot_be_read_is_an_error_that_says_how_to_write_it(members, bound):
    done = members("subscribers", "sync", "people.csv", "--list", "members", f"--max-removals={bound}")
    assert (done.code, done.out) == (2, "")
    assert "write a number of members like 20, or a share like 5%" in done.problem


def interrupting(times):
    """A bar in whose place somebody presses ^C at each step, so many times."""

    @contextmanager
    def bar(_words, _unit):
        def step(_done, _total):
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

        yield step

    return bar


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_import_keeps_what_it_has_and_says_how_to_go_on(newsletter, monkeypatch, times):
    with monkeypatch.context() as patched:
        patched.setattr(imports, "progress", interrupting(times))
        patched.setattr(loading, "WIDE", 2)
        done = newsletter("subscribers", "import", "people.csv", "--list", "members")
    assert done.code == 130
    assert "give the same command again to go on" in done.problem
    again = newsletter("subscribers", "import", "people.csv", "--list", "members", "--json").json
    assert (again["new"], again["unchanged"]) == (1, 2)


def test_after_an_import_the_keys_of_the_terminal_are_as_before(members):
    before = signal.getsignal(signal.SIGINT)
    members("subscribers", "import", "people.csv", "--list", "members")
    assert signal.getsignal(signal.SIGINT) is before
