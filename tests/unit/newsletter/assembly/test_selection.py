import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.newsletter.assembly.builders import SECTIONS, a_newsletter, a_plan, an_agenda_entry, an_entry

from newsletter.assembly.facts import IssueRef, Placement
from newsletter.assembly.selection import TAKEN, Verdict, select
from newsletter.errors import InvalidInput

NOVEMBER = IssueRef(slug="2026-11", number=41, date=dt.date(2026, 11, 1))


def selection(*entries, plan=None, published=(), **newsletter):
    ledger = dict.fromkeys(published, NOVEMBER)
    return select(entries, plan=plan or a_plan(), settings=a_newsletter(**newsletter), published=ledger)


def placed(chosen):
    return [(item.section, item.key, item.placement) for item in chosen.items]


def only(*entries, **circumstances):
    """The verdict on the only entry, or on the first of several."""
    verdicts = selection(*entries, **circumstances).verdicts
    return next(verdict for verdict in verdicts if verdict.key == entries[0].key)


def test_news_of_the_period_stand_in_their_section():
    chosen = selection(an_entry("silt"))
    assert placed(chosen) == [("projects", "silt", Placement.BLOCK)]
    assert chosen.verdicts[0].code is Verdict.INCLUDED
    assert chosen.verdicts[0].words == "in projects; published on 2026-11-10"
    assert chosen.verdicts[0].section == "projects"


def test_a_verdict_says_that_an_entry_is_for_some_editions_only():
    assert (
        only(an_entry(languages=["fr", "de"])).words == "in projects; published on 2026-11-10; editions in fr, de only"
    )


@pytest.mark.parametrize(
    ("published", "code"),
    [
        ("2026-10-31", Verdict.OFFERED),
        ("2026-11-01", Verdict.INCLUDED),
        ("2026-11-30", Verdict.INCLUDED),
        ("2026-12-01", Verdict.NOT_YET),
    ],
)
def test_both_ends_of_the_period_belong_to_it(published, code):
    assert only(an_entry(published=published)).code is code


@pytest.mark.parametrize(
    ("changes", "circumstances", "code", "words"),
    [
        ({"status": "draft"}, {}, Verdict.DRAFT, "still a draft"),
        ({"status": "withdrawn"}, {}, Verdict.WITHDRAWN, "withdrawn"),
        (
            {"published": "2026-12-01"},
            {},
            Verdict.NOT_YET,
            "to be published on 2026-12-01, after the period (until 2026-11-30)",
        ),
        (
            {"languages": ["de", "pl"]},
            {},
            Verdict.OTHER_LANGUAGES,
            "for editions in de, pl only; the issue has en, fr, es",
        ),
        ({"section": "gone"}, {}, Verdict.NO_SECTION, "the issue has no section gone"),
        ({"section": "agenda"}, {}, Verdict.UNDATED, "agenda lists dates, and it has none"),
        ({}, {"published": ["silt"]}, Verdict.ALREADY, "already in issue 2026-11 (no. 41)"),
        (
            {"published": "2026-10-31"},
            {},
            Verdict.OFFERED,
            "published on 2026-10-31, before the period (from 2026-11-01); never in an issue",
        ),
    ],
)
def test_an_entry_that_is_not_taken_says_why(changes, circumstances, code, words):
    chosen = selection(an_entry("silt", **changes), **circumstances)
    assert chosen.items == ()
    assert (chosen.verdicts[0].code, chosen.verdicts[0].words) == (code, words)


@pytest.mark.parametrize(
    ("sittings", "code", "words"),
    [
        ([{"key": "a", "date": "2026-11-30"}], Verdict.OVER, "over before the issue's date (2026-12-01)"),
        (
            [{"key": "a", "date": "2026-11-30"}, {"key": "b", "date": "2027-01-31"}],
            Verdict.LATER,
            "begins after the agenda window (until 2027-01-30)",
        ),
    ],
)
def test_dates_outside_the_window_are_not_listed(sittings, code, words):
    verdict = only(an_agenda_entry(sittings=sittings))
    assert (verdict.code, verdict.words) == (code, words)


def test_a_date_in_the_window_is_listed():
    chosen = selection(an_agenda_entry("assembly", published="2025-01-01"), published=["assembly"])
    assert placed(chosen) == [("agenda", "assembly", Placement.LINES)]
    assert (chosen.verdicts[0].code, chosen.verdicts[0].words) == (Verdict.LINES, "as lines in agenda")


def test_a_cancelled_sitting_stays_in_the_agenda():
    sittings = [{"key": "a", "date": "2026-12-02", "status": "cancelled"}]
    assert only(an_agenda_entry(sittings=sittings)).code is Verdict.LINES


def test_a_dated_story_stands_as_a_block_and_in_the_agenda():
    chosen = selection(an_agenda_entry("conference", section="lead"))
    assert placed(chosen) == [("lead", "conference", Placement.BLOCK), ("agenda", "conference", Placement.LINES)]
    assert chosen.verdicts[0].words == "in lead and as lines in agenda; published on 2026-11-10"


def test_a_dated_story_that_stood_before_keeps_its_lines():
    chosen = selection(an_agenda_entry("conference", section="lead"), published=["conference"])
    assert placed(chosen) == [("agenda", "conference", Placement.LINES)]
    assert chosen.verdicts[0].words == "as lines in agenda; no block: already in issue 2026-11 (no. 41)"
    assert chosen.verdicts[0].section == "agenda"


def test_a_dated_story_beyond_the_window_is_a_block_without_lines():
    chosen = selection(an_agenda_entry("conference", section="lead", sittings=[{"key": "a", "date": "2027-05-26"}]))
    assert placed(chosen) == [("lead", "conference", Placement.BLOCK)]


def test_a_dated_story_whose_sittings_are_all_over_is_not_taken_even_where_it_repeats():
    entry = an_agenda_entry(section="lead", repeat=True, sittings=[{"key": "a", "date": "2026-11-30"}])
    assert only(entry).code is Verdict.OVER


def test_a_standing_entry_is_in_every_issue():
    chosen = selection(an_entry("catalogue", repeat=True, published="2020-01-01"), published=["catalogue"])
    assert placed(chosen) == [("projects", "catalogue", Placement.BLOCK)]
    assert (chosen.verdicts[0].code, chosen.verdicts[0].words) == (
        Verdict.REPEAT,
        "in projects; may stand in every issue",
    )


def test_a_standing_entry_waits_for_its_day_of_publication():
    assert only(an_entry(repeat=True, published="2026-12-01")).code is Verdict.NOT_YET


def test_an_agenda_entry_of_a_section_that_is_gone_still_has_its_lines():
    verdict = only(an_agenda_entry(section="gone"))
    assert (verdict.code, verdict.words) == (
        Verdict.LINES,
        "as lines in agenda; no block: the issue has no section gone",
    )


def test_without_a_section_of_lines_nothing_is_listed():
    assert placed(selection(an_agenda_entry(section="lead"), sections=[{"key": "lead"}])) == [
        ("lead", "assembly", Placement.BLOCK)
    ]


def test_with_two_sections_of_lines_each_entry_is_listed_once():
    sections = [*SECTIONS, {"key": "webinars", "show": "lines"}]
    chosen = selection(
        an_agenda_entry("talk", section="webinars"), an_agenda_entry("fair", section="lead"), sections=sections
    )
    assert placed(chosen)[1:] == [("agenda", "fair", Placement.LINES), ("webinars", "talk", Placement.LINES)]


def test_blocks_are_ordered_by_section_priority_day_and_key():
    entries = [
        an_entry("b"),
        an_entry("a"),
        an_entry("new", published="2026-11-20"),
        an_entry("urgent", priority=5, published="2026-11-02"),
        an_entry("lead", section="lead", priority=-5),
    ]
    assert [item.key for item in selection(*entries).items] == ["lead", "urgent", "new", "a", "b"]


def test_lines_are_ordered_by_day_priority_and_key():
    def on(key, day, **changes):
        return an_agenda_entry(key, sittings=[{"key": "main", "date": day}], **changes)

    entries = [on("b", "2026-12-05"), on("a", "2026-12-05"), on("c", "2026-12-02"), on("d", "2026-12-05", priority=1)]
    assert [item.key for item in selection(*entries).items] == ["c", "d", "a", "b"]


def test_positions_count_through_the_whole_issue():
    chosen = selection(an_entry("a"), an_entry("b"), an_agenda_entry("c", section="lead"))
    assert [item.position for item in chosen.items] == [0, 1, 2, 3]


def test_verdicts_name_what_stands_in_the_issue_first_and_then_the_newest():
    entries = [an_entry("old", published="2025-01-01"), an_entry("older", published="2024-01-01"), an_entry("silt")]
    assert [verdict.key for verdict in selection(*entries).verdicts] == ["silt", "old", "older"]


def test_a_verdict_bears_the_title_in_the_newsletters_first_language_or_the_entrys_own():
    both = {"fr": {"title": "Titre"}, "en": {"title": "Title"}}
    assert only(an_entry(texts=both)).title == "Title"
    assert only(an_entry(texts={"fr": {"title": "Titre"}})).title == "Titre"


def test_an_issue_judges_by_its_own_sections_and_window():
    plan = a_plan(agenda_days=5, sections=[{"key": "agenda", "show": "lines"}])
    chosen = selection(an_entry(), an_agenda_entry(), plan=plan)
    assert {verdict.key: verdict.code for verdict in chosen.verdicts} == {
        "silt": Verdict.NO_SECTION,
        "assembly": Verdict.LATER,
    }


def test_a_list_made_by_hand_orders_the_blocks():
    entries = [an_entry("a", priority=9), an_entry("b"), an_entry("c")]
    plan = a_plan(items=["b", {"key": "c", "section": "lead", "segment": "press"}, "a"])
    chosen = selection(*entries, plan=plan)
    assert [(item.section, item.key, item.segment) for item in chosen.items] == [
        ("lead", "c", "press"),
        ("projects", "b", None),
        ("projects", "a", None),
    ]
    assert chosen.verdicts[0].words == "in lead; placed by hand"


def test_what_is_not_on_the_list_stays_out_and_says_so():
    chosen = selection(an_entry("a"), an_entry("b"), an_entry("c", repeat=True), plan=a_plan(items=["a"]))
    assert {verdict.key: verdict.code for verdict in chosen.verdicts} == {
        "a": Verdict.INCLUDED,
        "b": Verdict.UNLISTED,
        "c": Verdict.UNLISTED,
    }


def test_lines_fill_by_themselves_beside_a_list_of_blocks():
    chosen = selection(an_entry(), an_agenda_entry(), an_agenda_entry("fair", section="lead"), plan=a_plan(items=[]))
    assert placed(chosen) == [("agenda", "assembly", Placement.LINES), ("agenda", "fair", Placement.LINES)]
    assert [verdict.words for verdict in chosen.verdicts[:2]] == [
        "as lines in agenda",
        "as lines in agenda; no block: not on the list made by hand",
    ]


def test_a_section_of_lines_that_the_list_names_holds_just_these():
    plan = a_plan(items=[{"key": "fair", "section": "agenda"}])
    chosen = selection(an_agenda_entry("assembly"), an_agenda_entry("fair", section="lead"), plan=plan)
    assert placed(chosen) == [("agenda", "fair", Placement.LINES)]
    assert [(verdict.key, verdict.code) for verdict in chosen.verdicts] == [
        ("fair", Verdict.LINES),
        ("assembly", Verdict.UNLISTED),
    ]


def test_an_entry_moved_to_another_section_of_lines_leaves_its_own():
    plan = a_plan(items=[{"key": "talk", "section": "agenda"}])
    sections = [*SECTIONS, {"key": "webinars", "show": "lines"}]
    assert placed(selection(an_agenda_entry("talk", section="webinars"), plan=plan, sections=sections)) == [
        ("agenda", "talk", Placement.LINES)
    ]


def test_a_date_placed_by_hand_still_needs_the_window():
    late = an_agenda_entry(section="lead", sittings=[{"key": "a", "date": "2027-05-26"}])
    chosen = selection(late, plan=a_plan(items=[{"key": "assembly", "section": "agenda"}]))
    assert (chosen.items, chosen.verdicts[0].code) == ((), Verdict.LATER)


def test_lines_of_an_entry_placed_for_a_segment_are_for_that_segment_too():
    plan = a_plan(items=[{"key": "assembly", "section": "lead", "segment": "members"}])
    assert [(item.placement, item.segment) for item in selection(an_agenda_entry(), plan=plan).items] == [
        (Placement.BLOCK, "members"),
        (Placement.LINES, "members"),
    ]


def test_news_cannot_be_placed_in_a_section_of_lines():
    chosen = selection(an_entry(), plan=a_plan(items=[{"key": "silt", "section": "agenda"}]))
    assert (chosen.items, chosen.verdicts[0].code) == ((), Verdict.UNDATED)


def test_an_entry_on_the_list_whose_section_is_gone_has_no_place():
    chosen = selection(an_entry(section="gone"), plan=a_plan(items=["silt"]))
    assert (chosen.items, chosen.verdicts[0].code) == ((), Verdict.NO_SECTION)


@pytest.mark.parametrize("status", ["draft", "withdrawn"])
def test_a_draft_or_withdrawn_entry_on_the_list_is_not_placed_and_says_what_to_do(status):
    chosen = selection(an_entry(status=status), plan=a_plan(items=["silt"]))
    assert chosen.items == ()
    assert chosen.verdicts[0].words.endswith(f"{status}; change that, or take it off the list")


@pytest.mark.parametrize(
    ("entry", "published", "words"),
    [
        (an_entry(), ["silt"], "in projects; placed by hand (already in issue 2026-11 (no. 41))"),
        (an_entry(published="2020-01-01"), [], "in projects; placed by hand"),
        (an_entry(published="2026-12-24"), [], "in projects; placed by hand"),
        (an_entry(repeat=True), [], "in projects; placed by hand"),
        (
            an_agenda_entry("silt", section="projects", sittings=[{"key": "a", "date": "2026-11-02"}]),
            [],
            "in projects; placed by hand (over before the issue's date (2026-12-01))",
        ),
    ],
)
def test_an_officer_may_place_what_the_rules_would_not(entry, published, words):
    chosen = selection(entry, plan=a_plan(items=["silt"]), published=published)
    assert placed(chosen) == [("projects", "silt", Placement.BLOCK)]
    assert (chosen.verdicts[0].code, chosen.verdicts[0].words) == (Verdict.INCLUDED, words)


def test_a_list_with_an_unknown_entry_is_refused():
    with pytest.raises(InvalidInput, match=r"entries that do not exist: sild \(did you mean silt\?\)"):
        selection(an_entry(), plan=a_plan(items=["sild"]))


ENTRIES = st.builds(
    an_entry,
    st.from_regex(r"[a-z]{1,4}", fullmatch=True),
    kind=st.just("news"),
    section=st.sampled_from(["lead", "projects", "agenda", "gone"]),
    published=st.dates(dt.date(2026, 10, 25), dt.date(2026, 12, 5)),
    priority=st.integers(-2, 2),
    repeat=st.booleans(),
    status=st.sampled_from(["published", "draft"]),
) | st.builds(
    an_agenda_entry,
    st.from_regex(r"[a-z]{1,4}", fullmatch=True),
    section=st.sampled_from(["lead", "projects", "agenda", "gone"]),
    published=st.dates(dt.date(2026, 10, 25), dt.date(2026, 12, 5)),
    sittings=st.dates(dt.date(2026, 11, 25), dt.date(2027, 2, 5)).map(lambda day: [{"key": "main", "date": day}]),
)


@given(st.lists(ENTRIES, max_size=8, unique_by=lambda entry: entry.key), st.randoms(use_true_random=False))
def test_every_entry_has_one_verdict_that_agrees_with_the_items_whatever_the_order(entries, random):
    published = [entry.key for entry in entries if random.random() < 0.3]
    chosen = selection(*entries, published=published)
    assert sorted(verdict.key for verdict in chosen.verdicts) == sorted(entry.key for entry in entries)
    assert {item.key for item in chosen.items} == {each.key for each in chosen.verdicts if each.code in TAKEN}
    random.shuffle(entries)
    assert selection(*entries, published=published) == chosen
