"""An administrator changes people one by one or in numbers, sees beforehand what would happen, and can script it all."""

import io
import json
import sys

import pytest

ADA, BOB, EVE = "ada@town.example", "bob@harbour.example", "eve@meadow.example"


class Keyboard(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def town(installation):
    """Two members of a list."""
    for name in ("members", "press"):
        installation.quickly("lists", "create", name)
    for address in (ADA, BOB):
        installation.quickly("subscribers", "add", address, "tags=mayor", "--list", "members")
    return installation


@pytest.fixture
def typed(monkeypatch):
    """What stands on standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def shown(town, address):
    return town.quickly("subscribers", "show", address, "--json").json


def test_people_are_read_from_standard_input_and_from_a_file(town, typed):
    typed(f"# from the club\n{ADA}\n\n  {BOB}\n{ADA}\n")
    done = town.quickly("subscribers", "set", "-", "city=Ghent", "language=nl")
    assert done.out == f"{ADA}: city, language changed\n{BOB}: city, language changed\n"
    assert done.problem == "2 changed, 0 unchanged, 0 failed"
    (town.folder / "people.txt").write_text(f"\ufeff{ADA}\n{EVE}\n", encoding="utf-8")
    done = town.quickly(
        "subscribers", "tag", "@people.txt", BOB, "--add", "press", "--remove", "mayor", "--json", code=1
    )
    assert done.json == {
        "changed": 2,
        "unchanged": 0,
        "failed": 1,
        "people": [
            {"address": ADA, "changed": ["-mayor", "+press"], "stopped": 0, "problem": None},
            {"address": EVE, "changed": [], "stopped": 0, "problem": "No subscriber has this address."},
            {"address": BOB, "changed": ["-mayor", "+press"], "stopped": 0, "problem": None},
        ],
    }
    assert shown(town, BOB)["tags"] == ["press"]


def test_nobody_named_is_a_mistake(town, typed):
    typed("\n# nobody\n")
    assert town.quickly("subscribers", "unsubscribe", "-", code=2).problem == "newsletter: no address is named"
    missing = town.quickly("subscribers", "erase", "@nobody.txt", code=2).problem
    assert missing.startswith("newsletter: nobody.txt cannot be read: ")
    assert "--add or --remove" in town.quickly("subscribers", "tag", ADA, code=2).problem


def test_one_who_is_not_known_is_an_error_in_one_line(town):
    assert town.quickly("subscribers", "set", EVE, "city=Ghent", code=2).problem == (
        "newsletter: No subscriber has this address."
    )
    assert town.quickly("subscribers", "move", ADA, "--from", "press", "--to", "members", code=1).problem == (
        "newsletter: is no confirmed member of press"
    )


def test_a_dry_run_says_what_would_happen(town):
    done = town.quickly("subscribers", "set", ADA, "city=Ghent", "--dry-run")
    assert (done.out, done.problem) == (f"{ADA}: city changed\n", "nothing was stored")
    for arguments, words in (
        (("unsubscribe", ADA), f"{ADA} would leave every list and newsletter"),
        (("suppress", ADA), f"{ADA} would be suppressed"),
        (("erase", ADA, EVE), f"{ADA} would be erased\n{EVE} is not known"),
        (("rename", ADA, EVE), f"{ADA} would have the address {EVE} now"),
    ):
        assert town.quickly("subscribers", *arguments, "--dry-run").out == f"{words}\n"
    assert shown(town, ADA)["lists"][0]["state"] == "confirmed"
    town.quickly("subscribers", "suppress", ADA)
    lifted = town.quickly("subscribers", "unsuppress", ADA, "--reason", "by letter", "--dry-run")
    assert lifted.out == f"{ADA} might be written to again\n"


def test_members_are_moved_and_leave_in_numbers(town):
    moved = town.quickly("--as", "grace", "subscribers", "move", ADA, BOB, "--from", "members", "--to", "press")
    assert moved.out == f"{ADA}: -members, +press changed\n{BOB}: -members, +press changed\n"
    assert [line["operator"] for line in shown(town, ADA)["consent"]] == ["system", "grace", "grace"]
    left = town.quickly("subscribers", "unsubscribe", ADA, BOB, "--list", "press")
    assert left.out == f"{ADA} has left the list press\n{BOB} has left the list press\n"
    again = town.quickly("subscribers", "unsubscribe", ADA, BOB, "--list", "press", "--json").json
    assert (again["changed"], again["unchanged"]) == (0, 2)


def test_another_address_is_told(town):
    assert town.quickly("subscribers", "rename", ADA, EVE).out == f"{ADA} has the address {EVE} now\n"
    assert town.quickly("subscribers", "rename", EVE, EVE).out == f"{EVE}: nothing changed\n"
    taken = town.quickly("subscribers", "rename", EVE, BOB, code=2)
    assert taken.problem == "newsletter: A subscriber with this address exists already."
    told = town.quickly("subscribers", "data", EVE, "--json").json
    assert [deed["what"] for deed in told["What operators did"]] == ["address changed"]


def test_suppressions_are_lifted_with_a_reason_and_listed_page_by_page(town):
    town.quickly("subscribers", "suppress", ADA, EVE, "--reason", "by letter")
    needs = town.quickly("subscribers", "unsuppress", ADA, code=2)
    assert "--reason" in needs.problem
    first = town.quickly("subscribers", "suppressions", "--limit", "1")
    key = first.out.split("\t")[0]
    assert first.problem == f"there may be more: --after {key}"
    rest = town.quickly("subscribers", "suppressions", "--after", key, "--json").json
    both = [first.out.split("\t")[1], rest[0]["address"] or ""]
    assert sorted(both) == ["", ADA]
    assert (rest[0]["reason"], rest[0]["note"]) == ("manual", "by letter")
    assert town.quickly("subscribers", "suppressions", "--reason", "complaint").out == ""
    town.quickly("subscribers", "erase", BOB)
    refused = town.quickly("subscribers", "unsuppress", ADA, BOB, "--reason", "she asked", code=1)
    assert refused.out == f"{ADA} may be written to again\n"
    assert f"{BOB}: this person was erased: only their own new consent brings them back" in refused.problem


def test_everything_about_a_person_is_read_out_in_words_or_into_a_private_file(town):
    told = town.quickly("--as", "grace", "subscribers", "data", ADA).out
    for words in (f"  address: {ADA}", "Tags: mayor", "  1.\n     list: members", "Must not be written to: nothing"):
        assert words in told
    target = town.folder / "ada.json"
    done = town.quickly("subscribers", "data", ADA, "--output", target)
    assert (done.out, done.problem) == ("", f"everything about one person written to {target}")
    assert target.stat().st_mode & 0o777 == 0o600
    deeds = json.loads(target.read_text(encoding="utf-8"))["What operators did"]
    assert [deed["what"] for deed in deeds] == ["data read"]
    assert town.quickly("subscribers", "data", EVE, code=2).problem == (
        "newsletter: Nothing is stored about this address."
    )


def test_at_a_terminal_erasing_many_asks_once(town, monkeypatch):
    asked = "Erase everything about 2 people? This cannot be undone."
    monkeypatch.setattr(sys, "stdin", Keyboard("n\n"))
    assert asked in town.quickly("subscribers", "erase", ADA, BOB, code=1).err
    monkeypatch.setattr(sys, "stdin", Keyboard("y\n"))
    done = town.quickly("subscribers", "erase", ADA, BOB)
    assert done.out.lstrip() == f"{ADA} erased\n{BOB} erased\n"
    assert town.quickly("subscribers", "list").out == ""


def test_tags_are_listed_renamed_and_deleted(town, monkeypatch):
    town.quickly("segments", "create", "mayors", 'tag = "mayor"')
    assert town.quickly("tags", "list").out == "mayor\t2\n"
    refused = town.quickly("tags", "delete", "mayor", code=1)
    assert refused.problem == "newsletter: the tag “mayor” is named by the segment “mayors”: change that first"
    assert town.quickly("tags", "rename", "mayor", "head", "--dry-run").out == (
        "tag mayor would be named head, for 2 people\n"
    )
    done = town.quickly("tags", "rename", "mayor", "head")
    assert done.out == "tag mayor is named head, for 2 people\n"
    assert "still by the old name in the segment “mayors”" in done.problem
    monkeypatch.setattr(sys, "stdin", Keyboard("n\n"))
    town.quickly("tags", "delete", "head", code=1)
    assert town.quickly("tags", "delete", "head", "--yes").out == "tag head was taken off 2 people\n"
    assert "There is no tag" in town.quickly("tags", "delete", "head", "--yes", code=2).problem


def test_a_list_is_renamed_and_its_deletion_tried_first(town):
    town.quickly("segments", "create", "everybody", 'list = "members"')
    done = town.quickly("lists", "rename", "members", "people")
    assert done.out == "list members is named people\n"
    assert "still by the old name in the segment “everybody”" in done.problem
    town.quickly("segments", "set", "everybody", "all")
    assert town.quickly("lists", "delete", "people", "--dry-run").out == (
        "list people would be deleted; it has 2 members\n"
    )
    assert town.quickly("lists", "delete", "people", "--json").json == {"list": "people", "members": 2}


def test_retention_says_what_would_end_ends_it_and_keeps_a_log(town):
    assert town.quickly("retention", "log").out == "retention has never run\n"
    town.rows("UPDATE membership SET state = 'removed', changed = '2020-01-01 00:00:00.000000'")
    town.rows("UPDATE subscriber SET updated = '2020-01-01 00:00:00.000000'")
    would = town.quickly("retention", "run", "--dry-run")
    assert would.problem == "nothing was changed"
    rows = [line.split("\t") for line in would.out.splitlines()]
    assert {rule: count for rule, _, count, _ in rows if count != "0"} == {"gone": "2"}
    done = town.quickly("--as", "grace", "retention", "run", "--json").json
    assert {each["rule"]: each["count"] for each in done if each["count"]} == {"gone": 2}
    assert town.quickly("subscribers", "list").out == ""
    log = town.quickly("retention", "log", "--json").json
    assert {entry["operator"] for entry in log} == {"grace"}
    assert [entry["count"] for entry in log if entry["rule"] == "gone"] == [2]
    assert len(town.quickly("retention", "log").out.splitlines()) == len(rows)


def test_the_scheduler_applies_the_rules_by_itself(town):
    town.rows("UPDATE subscriber SET updated = '2020-01-01 00:00:00.000000'")
    town.rows("DELETE FROM membership")
    scheduler = town.start("--as", "clock", "scheduler")
    town.wait(
        lambda: town.rows("SELECT count(*) FROM retention_entry WHERE rule = 'audit' AND ended IS NOT NULL") == [(1,)]
    )
    assert scheduler.poll() is None
    assert town.rows("SELECT count, operator FROM retention_entry WHERE rule = 'gone'") == [(2, "clock")]
    assert town.rows("SELECT count(*) FROM subscriber") == [(0,)]
