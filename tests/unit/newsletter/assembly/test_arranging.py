"""Items arranged by hand: what one change does, what it leaves alone, and the list that says so."""

import pytest
from unit.newsletter.assembly.builders import SECTIONS, a_newsletter, a_plan, a_sitting, an_agenda_entry, an_entry

from newsletter.assembly.arranging import (
    Add,
    Limit,
    Misplaced,
    Move,
    Obstacle,
    Remove,
    Step,
    arranged,
    listed,
    stamp_of,
)
from newsletter.assembly.facts import Placement
from newsletter.assembly.selection import Verdict, select

ENTRIES = (
    an_entry("bridge", section="lead"),
    an_entry("silt", priority=3),
    an_entry("lamps", priority=2),
    an_entry("bats", priority=1),
    an_entry("old", published="2026-09-01"),
    an_agenda_entry("fair"),
    an_agenda_entry("walk", sittings=[a_sitting(date="2026-12-12")]),
    an_agenda_entry("past", sittings=[a_sitting(date="2026-11-12")]),
    an_agenda_entry("session", section="projects", sittings=[a_sitting(date="2026-12-14")]),
)
SETTINGS = a_newsletter()
SHOWS = {section.key: section.show for section in SETTINGS.sections}


def judge(plan):
    return select(ENTRIES, plan=plan, settings=SETTINGS, published={})


def chosen(plan=None):
    return judge(plan or a_plan()).items


def keys(items, section):
    return [item.key for item in items if item.section == section]


def changed(change, plan=None):
    """The plan and items after a change of what a plan selects."""
    before = plan or a_plan()
    wanted = arranged(chosen(before), change, SHOWS)
    added = change.key if isinstance(change, Add) else None
    after, selection = listed(before, wanted, settings=SETTINGS, judge=judge, added=added)
    return after, selection.items


def test_the_automatic_selection_is_where_it_begins():
    assert keys(chosen(), "projects") == ["silt", "lamps", "bats", "session"]
    assert keys(chosen(), "agenda") == ["fair", "walk", "session"]


def test_a_block_moves_to_a_place_and_nothing_else_does():
    plan, items = changed(Move(key="bats", placement=Placement.BLOCK, section="projects", place=0))
    assert keys(items, "projects") == ["bats", "silt", "lamps", "session"]
    assert keys(items, "lead") == ["bridge"]
    assert keys(items, "agenda") == ["fair", "walk", "session"]
    assert [item.key for item in plan.items] == ["bridge", "bats", "silt", "lamps", "session"]


def test_a_block_moves_into_another_section():
    _, items = changed(Move(key="silt", placement=Placement.BLOCK, section="lead"))
    assert keys(items, "lead") == ["bridge", "silt"]
    assert keys(items, "projects") == ["lamps", "bats", "session"]


@pytest.mark.parametrize(
    ("key", "by", "lead", "projects"),
    [
        ("lamps", -1, ["bridge"], ["lamps", "silt", "bats", "session"]),
        ("lamps", 1, ["bridge"], ["silt", "bats", "lamps", "session"]),
        ("silt", -1, ["bridge", "silt"], ["lamps", "bats", "session"]),
        ("bridge", 1, [], ["bridge", "silt", "lamps", "bats", "session"]),
    ],
)
def test_a_step_goes_over_the_edge_of_a_section(key, by, lead, projects):
    _, items = changed(Step(key=key, by=by))
    assert (keys(items, "lead"), keys(items, "projects")) == (lead, projects)


@pytest.mark.parametrize(("key", "by"), [("bridge", -1), ("session", 1)])
def test_there_is_no_step_above_the_first_block_and_below_the_last(key, by):
    with pytest.raises(Misplaced) as refused:
        changed(Step(key=key, by=by))
    assert refused.value.obstacle is Obstacle.EDGE


def test_taking_out_a_block_leaves_its_line():
    plan, items = changed(Remove(key="session", placement=Placement.BLOCK))
    assert keys(items, "projects") == ["silt", "lamps", "bats"]
    assert keys(items, "agenda") == ["fair", "walk", "session"]
    assert {verdict.key: verdict.code for verdict in judge(plan).verdicts}["session"] is Verdict.LINES


def test_taking_out_a_line_names_the_others():
    plan, items = changed(Remove(key="walk", placement=Placement.LINES))
    assert keys(items, "agenda") == ["fair", "session"]
    assert [item.key for item in plan.items if item.section == "agenda"] == ["fair", "session"]
    assert keys(items, "projects") == ["silt", "lamps", "bats", "session"]


def test_taking_out_the_last_line_leaves_the_section_out():
    plan = a_plan(items=["bridge", {"key": "fair", "section": "agenda"}])
    after, items = changed(Remove(key="fair", placement=Placement.LINES), plan)
    assert [section.key for section in after.sections] == ["lead", "projects"]
    assert [item.key for item in items] == ["bridge"]


def test_the_last_line_of_an_issue_that_is_all_lines_stays():
    settings = a_newsletter(sections=[SECTIONS[-1]])
    plan = a_plan(items=[{"key": "fair", "section": "agenda"}])

    def judge_lines(candidate):
        return select(ENTRIES, plan=candidate, settings=settings, published={})

    wanted = arranged(judge_lines(plan).items, Remove(key="fair", placement=Placement.LINES), SHOWS)
    with pytest.raises(Misplaced) as refused:
        listed(plan, wanted, settings=settings, judge=judge_lines)
    assert refused.value.obstacle is Obstacle.RULES


def test_an_old_entry_is_added_at_the_end_of_its_section():
    plan, items = changed(Add(key="old", section="projects"))
    assert keys(items, "projects") == ["silt", "lamps", "bats", "session", "old"]
    assert plan.items[-1].key == "old"


def test_the_lines_of_an_entry_come_with_its_block():
    plan = a_plan(period={"from": "2026-09-01", "to": "2026-09-02"}, items=["bridge"])
    _, items = changed(Add(key="session", section="projects"), plan)
    assert keys(items, "projects") == ["session"]
    assert "session" in keys(items, "agenda")


def test_an_entry_that_is_over_stands_as_a_block_but_not_as_a_line():
    _, items = changed(Add(key="past", section="lead"))
    assert keys(items, "lead") == ["bridge", "past"]
    with pytest.raises(Misplaced) as refused:
        changed(Add(key="past", section="agenda"))
    assert refused.value.obstacle is Obstacle.RULES
    assert refused.value.verdict.code is Verdict.OVER


def test_a_segment_holds_for_block_and_line():
    _, items = changed(Limit(key="session", segment="press"))
    assert {item.segment for item in items if item.key == "session"} == {"press"}
    assert {item.segment for item in items if item.key != "session"} == {None}


def test_a_limited_line_stays_limited_when_its_block_goes():
    plan, _ = changed(Limit(key="session", segment="press"))
    _, items = changed(Remove(key="session", placement=Placement.BLOCK), plan)
    assert [item.segment for item in items if item.key == "session"] == ["press"]


def test_a_fourth_segment_is_refused():
    plan = a_plan()
    for key, segment in (("bridge", "a"), ("silt", "b"), ("lamps", "c")):
        plan, _ = changed(Limit(key=key, segment=segment), plan)
    with pytest.raises(Misplaced) as refused:
        changed(Limit(key="bats", segment="d"), plan)
    assert refused.value.obstacle is Obstacle.SEGMENTS
    again, _ = changed(Limit(key="bats", segment="a"), plan)
    assert {item.segment for item in again.items} == {"a", "b", "c", None}


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        (Add(key="silt", section="lead"), Obstacle.STANDS),
        (Add(key="old", section="nowhere"), Obstacle.NO_SECTION),
        (Move(key="old", placement=Placement.BLOCK, section="lead"), Obstacle.GONE),
        (Remove(key="bats", placement=Placement.LINES), Obstacle.GONE),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(change, obstacle):
    with pytest.raises(Misplaced) as refused:
        changed(change)
    assert refused.value.obstacle is obstacle


def test_the_stamp_changes_with_items_order_segments_and_sections():
    items = chosen()
    sections = [section["key"] for section in SECTIONS]
    stamps = {
        stamp_of(items, sections),
        stamp_of(items, sections[:2]),
        stamp_of(items[:-1], sections),
        stamp_of([items[1], items[0], *items[2:]], sections),
        stamp_of(arranged(items, Limit(key="silt", segment="press"), SHOWS), sections),
    }
    assert len(stamps) == 5
    assert stamp_of(chosen(), sections) in stamps
