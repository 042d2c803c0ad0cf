"""An administrator brings people in, looks at them and lets them go, all from the command line."""

import io
import json
import os
import subprocess
import sys
from typing import NamedTuple

import pytest
from databases import url_of

from newsletter.cli import application

PEOPLE = (
    "E-mail;Prénom;Langue;Ville;Population;Tags\n"
    "ada@town.example;Ada;fr-be;Lyon;12000;mayor\n"
    "bob@town.example;Bob;de;Köln;5;press\n"
    "nobody;X;fr;Lyon;1;\n"
    "ada@town.example;Ada;fr;Lyon;12000;mayor\n"
    "eve@town.example;Eve;zz;Lyon;1;\n"
)


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        """The rows of a table."""
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def problem(self):
        """What went wrong, without the lines of the log."""
        return "\n".join(line for line in self.err.splitlines() if not line.startswith("{"))


@pytest.fixture
def newsletter(tmp_path, monkeypatch, capsys):
    """The command line of an installation of its own, with the lists members and press."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", url_of(tmp_path / "newsletter.sqlite"))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["newsletter", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            application.run()
        printed = capsys.readouterr()
        return Result(int(ended.value.code or 0), printed.out, printed.err)

    for command in (["init"], ["lists", "create", "members"], ["lists", "create", "press", "--single-opt-in"]):
        assert call(*command).code == 0
    return call


@pytest.fixture
def people_file(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    return str(path)


@pytest.fixture
def ada(newsletter):
    assert newsletter("subscribers", "add", "ada@town.example", "--list", "members", "--language", "fr").code == 0
    return "ada@town.example"


@pytest.fixture
def terminal(monkeypatch):
    """Somebody at a terminal who gives this answer."""

    class Keyboard(io.StringIO):
        def isatty(self):
            return True

    return lambda answer: monkeypatch.setattr(sys, "stdin", Keyboard(f"{answer}\n"))


def test_an_import_prints_its_counts_and_where_the_problems_are(newsletter, people_file):
    done = newsletter("subscribers", "import", people_file, "--list", "members")
    assert done.code == 0
    assert done.out == "5 rows: 2 new, 0 changed, 1 unchanged, 2 invalid, 0 suppressed, 0 refused\n"
    assert done.problem.splitlines() == [
        f"{people_file}:2: the same address stands on line 5, which counts",
        f"{people_file}:4: E-mail: An email address must have an @-sign.",
        f"{people_file}:6: Langue: “zz” is not a language tag: “zz” is no language code.",
    ]


def test_an_import_gives_its_counts_as_json_alone_on_standard_output(newsletter, people_file):
    done = newsletter("subscribers", "import", people_file, "--list", "members", "--json")
    assert done.json == {
        "rows": 5,
        "new": 2,
        "changed": 0,
        "unchanged": 1,
        "invalid": 2,
        "suppressed": 0,
        "refused": 0,
        "returned": 0,
        "reasons": {"address": 1, "language": 1, "repeated": 1},
        "file": {
            "format": "csv",
            "encoding": "utf-8",
            "assumed": False,
            "delimiter": ";",
            "sheet": None,
            "origin": None,
        },
        "doubts": [],
        "stopped": False,
    }


def test_a_dry_run_stores_nothing_and_says_so(newsletter, people_file):
    done = newsletter("subscribers", "import", people_file, "--list", "members", "--dry-run")
    assert done.out.endswith("nothing was stored\n")
    assert newsletter("subscribers", "list").rows == []


def test_importing_twice_changes_nothing(newsletter, people_file):
    newsletter("subscribers", "import", people_file, "--list", "members")
    again = newsletter("subscribers", "import", people_file, "--list", "members", "--json").json
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 3)


def test_columns_are_what_the_operator_says(newsletter, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("post,a=b,junk\nada@town.example,Ghent,x\n", encoding="utf-8")
    maps = ["--map", "post=email", "--map", "a=b=city", "--map", "junk=-"]
    assert newsletter("subscribers", "import", str(path), "--list", "members", *maps).code == 0
    shown = newsletter("subscribers", "show", "ada@town.example", "--json").json
    assert (shown["city"], shown["attributes"]) == ("Ghent", {})


def test_only_a_screenful_of_problems_is_printed(newsletter, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("email\n" + "nobody\n" * 25, encoding="utf-8")
    done = newsletter("subscribers", "import", str(path), "--list", "members")
    assert done.code == 0
    assert len(done.problem.splitlines()) == 21
    assert done.problem.endswith("and 5 more")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["people.csv", "--list", "membres"], "newsletter lists create membres"),
        (["nothing.csv", "--list", "members"], "nothing.csv: the file cannot be read"),
        (["people.csv", "--list", "members", "--map", "Prénom"], "write COLUMN=FIELD"),
        (["people.csv", "--list", "members", "--map", "Prenom=city"], "did you mean “Prénom”?"),
        (["people.csv"], "Missing option '--list'"),
    ],
)
def test_what_cannot_be_imported_at_all_is_an_error_that_says_what_to_do(newsletter, people_file, arguments, words):
    done = newsletter("subscribers", "import", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.problem


def test_somebody_added_is_shown_with_everything_that_is_stored(newsletter):
    arguments = ["--list", "press", "--language", "nl", "first_name=Ada", "tags=mayor;press", "population=12000"]
    added = newsletter("--as", "grace", "subscribers", "add", "ada@town.example", *arguments)
    assert added.out == "ada@town.example added to press\n"
    shown = newsletter("subscribers", "show", "ada@town.example")
    for words in (
        "first_name = Ada",
        "language = nl",
        "population = 12000",
        "tags: mayor, press",
        "list press: confirmed since ",
        "added by an administrator to press (grace)",
    ):
        assert words in shown.out


def test_the_json_of_a_person_has_lists_departures_suppression_and_consent(newsletter, ada):
    newsletter("subscribers", "unsubscribe", ada)
    shown = newsletter("subscribers", "show", ada, "--json").json
    assert (shown["address"], shown["language"], shown["departures"]) == (ada, "fr", [])
    assert [(each["list"], each["state"]) for each in shown["lists"]] == [("members", "left")]
    assert shown["suppression"]["reason"] == "unsubscribed"
    assert [(line["action"], line["list"], line["operator"]) for line in shown["consent"]] == [
        ("imported", "members", "system"),
        ("left", "members", "system"),
    ]


def test_the_consent_log_says_who_was_imported_by_an_administrator(newsletter, people_file):
    newsletter("subscribers", "import", people_file, "--list", "members")
    newsletter("subscribers", "suppress", "bob@town.example", "--note", "by telephone")
    shown = newsletter("subscribers", "show", "bob@town.example").out
    assert "imported by an administrator into members (system)" in shown
    assert "must not be written to: manual since " in shown
    assert ": by telephone" in shown


def test_facts_are_changed_and_cleared(newsletter, ada):
    done = newsletter("subscribers", "set", ada, "city=Ghent", "tags=press", "language=")
    assert done.out == f"{ada}: city, language, tags changed\n"
    assert newsletter("subscribers", "set", ada, "city=Ghent").out == f"{ada}: nothing changed\n"
    assert "no KEY=VALUE" in newsletter("subscribers", "set", ada, "city").problem


def test_subscribers_are_listed_page_by_page(newsletter, people_file):
    newsletter("subscribers", "import", people_file, "--list", "members")
    first = newsletter("subscribers", "list", "--limit", "1")
    [[key, *facts]] = first.rows
    assert facts == ["bob@town.example", "Bob", "de", "members", "press"]
    assert first.problem == f"there may be more: --after {key}"
    rest = newsletter("subscribers", "list", "--after", key, "--json").json
    assert [(row["address"], row["lists"]) for row in rest] == [("ada@town.example", ["members"])]


def test_an_export_goes_to_standard_output_or_into_a_private_file(newsletter, ada, tmp_path):
    newsletter("subscribers", "set", ada, "organisation==1+1")
    printed = newsletter("subscribers", "export")
    assert printed.out.splitlines()[1].startswith("ada@town.example,,,'=1+1,")
    target = tmp_path / "people.jsonl"
    done = newsletter("subscribers", "export", "--list", "members", "--format", "jsonl", "--output", str(target))
    assert (done.out, done.problem) == ("", f"1 person written to {target}")
    assert target.stat().st_mode & 0o777 == 0o600
    assert json.loads(target.read_text(encoding="utf-8"))["organisation"] == "=1+1"
    assert newsletter("subscribers", "export", "--output", str(tmp_path / "no" / "x")).code == 2
    assert newsletter("subscribers", "export", "--list", "nothing").code == 2


def test_leaving_is_told_in_words_and_may_be_repeated(newsletter, ada):
    assert (
        newsletter("subscribers", "unsubscribe", ada, "--list", "members").out == f"{ada} has left the list members\n"
    )
    assert (
        newsletter("subscribers", "unsubscribe", ada, "--list", "members").out == f"{ada} had left the list members\n"
    )
    assert newsletter("subscribers", "unsubscribe", ada).out == f"{ada} has left every list and newsletter\n"
    refused = newsletter("subscribers", "add", ada, "--list", "press")
    assert (refused.code, refused.problem) == (
        1,
        "newsletter: this person has left: only their own new consent brings them back",
    )
    assert newsletter("subscribers", "unsubscribe", ada, "--newsletter", "nothing").code == 1


def test_a_suppression_is_laid_on_and_lifted(newsletter):
    call = ("subscribers", "suppress", "eve@town.example")
    assert newsletter(*call).out == "eve@town.example is suppressed\n"
    assert newsletter(*call).out == "eve@town.example was suppressed already\n"
    lift = ("subscribers", "unsuppress", "eve@town.example", "--reason", "she wrote herself")
    assert newsletter(*lift).out == "eve@town.example may be written to again\n"
    assert newsletter(*lift).out == "eve@town.example was not suppressed\n"


def test_an_erased_person_is_gone_and_does_not_come_back(newsletter, ada):
    assert newsletter("subscribers", "erase", ada).out == f"{ada} erased\n"
    gone = newsletter("subscribers", "show", ada)
    assert (gone.code, gone.out) == (2, "")
    assert "it must not be written to (erased since " in gone.problem
    assert newsletter("subscribers", "add", ada, "--list", "press").code == 1
    assert newsletter("subscribers", "erase", ada).out == f"{ada} was not known; no import brings it now\n"


def test_at_a_terminal_erasing_asks_first(newsletter, ada, terminal):
    terminal("n")
    assert newsletter("subscribers", "erase", ada).code != 0
    assert newsletter("subscribers", "show", ada).code == 0
    terminal("y")
    assert newsletter("subscribers", "erase", ada).code == 0
    assert newsletter("subscribers", "erase", ada, "--yes").code == 0


def test_lists_are_created_listed_changed_and_deleted(newsletter, ada):
    assert newsletter("lists", "create", "mayors", "--public", "--description", "Who governs").code == 0
    assert newsletter("lists", "create", "mayors").code == 2
    assert newsletter("lists", "list").rows == [
        ["mayors", "public", "double", "0", "0", "0", "0"],
        ["members", "private", "double", "0", "1", "0", "0"],
        ["press", "private", "single", "0", "0", "0", "0"],
    ]
    assert newsletter("lists", "set", "mayors", "name=mayors and aldermen", "public=false").code == 0
    by_name = {each["name"]: each for each in newsletter("lists", "list", "--json").json}
    assert by_name["mayors and aldermen"]["public"] is False
    assert by_name["members"]["confirmed"] == 1
    assert newsletter("lists", "delete", "members").out == "list members deleted; it had 1 member\n"


def test_renaming_a_list_says_which_segments_still_use_the_old_name(newsletter):
    newsletter("segments", "create", "insiders", 'list = "members"')
    done = newsletter("lists", "set", "members", "name=people")
    assert done.problem == (
        "still by the old name in the segment “insiders”: nobody is meant there until you change it"
    )


def test_members_are_listed_by_how_they_stand_to_the_list(newsletter, ada):
    assert newsletter("lists", "members", "members").rows[0][1] == ada
    newsletter("subscribers", "unsubscribe", ada, "--list", "members")
    assert newsletter("lists", "members", "members").rows == []
    assert [row["address"] for row in newsletter("lists", "members", "members", "--state", "left", "--json").json] == [
        ada
    ]


def test_a_segment_is_created_shown_counted_changed_and_deleted(newsletter, ada):
    made = newsletter("segments", "create", "french", 'list = "members" and language = "fr"')
    words = "Subscribers who are members of “members” and whose language is “fr”."
    assert made.out == f"segment french created: {words}\n"
    assert newsletter("segments", "show", "french").out.splitlines() == [
        "french",
        'list = "members" and language = "fr"',
        words,
    ]
    assert newsletter("segments", "show", "french", "--json").json["words"] == words
    assert newsletter("segments", "count", "french").out == "1 person\n"
    assert newsletter("segments", "count", "french", "--json").json == {
        "segment": "french",
        "count": 1,
        "newsletter": None,
        "audience": None,
    }
    assert newsletter("segments", "set", "french", 'language = "de"').code == 0
    assert newsletter("segments", "list").rows == [["french", 'language = "de"']]
    assert [each["name"] for each in newsletter("segments", "list", "--json").json] == ["french"]
    assert newsletter("subscribers", "list", "--segment", "french").rows == []
    assert newsletter("segments", "delete", "french").out == "segment french deleted\n"


def test_an_expression_is_counted_without_a_segment(newsletter, ada):
    assert newsletter("segments", "count", "--expression", 'language = "fr"').out == "1 person\n"
    told = newsletter("segments", "count", "--expression", "all", "--json").json
    assert told == {"expression": "all", "count": 1, "newsletter": None, "audience": None}
    wrong = newsletter("segments", "count", "--expression", "language =")
    assert (wrong.code, wrong.problem.splitlines()[1:]) == (2, ["language =", "          ^"])
    for arguments in ((), ("french", "--expression", "all")):
        both = newsletter("segments", "count", *arguments)
        assert (both.code, "or give an expression with --expression" in both.problem) == (2, True)


def test_a_segment_is_tried_on_a_person(newsletter, ada):
    newsletter("segments", "create", "german", 'list = "members" and not language = "fr"')
    tried = newsletter("segments", "test", "german", ada)
    assert tried.out.splitlines() == [
        f"{ada} is not meant by german",
        "  no   all of these:",
        "    yes  who are members of “members”",
        "    no   who are not among those whose language is “fr”",
    ]
    assert newsletter("segments", "test", "german", ada, "--json").json["holds"] is False
    assert newsletter("segments", "test", "german", "nobody@town.example").code == 2
    newsletter("segments", "create", "nested", 'segment = "german"')
    assert newsletter("segments", "show", "nested").out.splitlines()[3].startswith("  segment german: Subscribers who")


def test_a_segment_with_a_newsletter_counts_who_would_receive_it(newsletter, ada, tmp_path):
    pack = tmp_path / "pack.yaml"
    pack.write_text(
        "newsletter:\n  slug: rivers\n  name: River News\n  languages: [en]\n  timezone: Europe/Brussels\n"
        "  sender: {name: River network, address: news@rivers.example}\n  list_id: rivers.rivers.example\n"
        "  sections: [{key: news}]\n",
        encoding="utf-8",
    )
    assert newsletter("content", "import", str(pack)).code == 0
    newsletter("segments", "create", "everybody", "all")
    newsletter("subscribers", "add", "bob@town.example", "--list", "press")
    left = newsletter("subscribers", "unsubscribe", ada, "--newsletter", "rivers", "--list", "members")
    assert left.out == f"{ada} has left the newsletter rivers and the list members\n"
    count = newsletter("segments", "count", "everybody", "--newsletter", "rivers")
    assert count.out == "2 people\n1 would receive rivers\n"
    assert "left the newsletter rivers " in newsletter("subscribers", "show", ada).out


def test_an_expression_that_cannot_be_read_is_printed_with_a_caret_under_the_place(newsletter):
    wrong = newsletter("segments", "create", "x", 'list = "members" an tag = "press"')
    assert wrong.code == 2
    assert wrong.problem.splitlines() == [
        "newsletter: line 1, column 18: “an” is not expected here; expected “and”, “or” or the end",
        'list = "members" an tag = "press"',
        "                 ^",
    ]
    assert newsletter("segments", "create", "x", " ").problem.splitlines() == [
        'newsletter: line 1, column 1: the expression is empty; write all, or a condition such as list = "members"'
    ]


def test_a_segment_that_names_nothing_real_is_refused_or_doubted(newsletter, ada):
    unknown = newsletter("segments", "create", "x", 'list = "member"')
    assert (unknown.code, unknown.problem) == (2, "newsletter: There is no list “member”; did you mean “members”?")
    newsletter("subscribers", "set", ada, "population=12000")
    doubted = newsletter("segments", "create", "x", "populaton > 5")
    assert (doubted.code, doubted.problem) == (
        0,
        "note: nobody has an attribute “populaton” yet; did you mean “population”?",
    )


def test_the_installed_program_does_the_same_in_a_process_of_its_own(newsletter, people_file):
    command = [sys.executable, "-m", "newsletter", "subscribers", "import", people_file, "--list", "press", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, json.loads(done.stdout)["new"]) == (0, 2)


@pytest.mark.parametrize("group", ["subscribers", "lists", "segments"])
def test_every_command_explains_itself(newsletter, group):
    import typer

    names = typer.main.get_command(application.app).commands[group].commands
    for name in names:
        shown = newsletter(group, name, "--help")
        assert (shown.code, "Usage:" in shown.out) == (0, True)
