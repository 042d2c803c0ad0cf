import datetime as dt
from dataclasses import replace

from newsletter.assembly.edition import Line, LinePart, Phrase, PlaceView, SectionView
from newsletter.compilation.said import changed, said
from newsletter.content.entry import SittingStatus
from newsletter.content.newsletter import Show


def agenda(*titles, key="talk"):
    parts = tuple(
        LinePart(title=Phrase(text=title), languages=None, links=(), status=SittingStatus.CONFIRMED) for title in titles
    )
    place = PlaceView(words=Phrase(text="Szeged"), online=None)
    line = Line(
        key=key,
        when="1 December 2026",
        first_day=dt.date(2026, 12, 1),
        topic=None,
        parts=parts,
        place=place,
        segment=None,
    )
    return SectionView(key="agenda", title=None, show=Show.LINES, columns=1, marker=None, blocks=(), lines=(line,))


def with_agenda(edition, *sections):
    return replace(edition, sections=(*edition.sections, *sections))


def test_an_edition_says_its_own_words_and_those_of_each_entry(make_edition, make_block):
    edition = with_agenda(make_edition(make_block(title="For [[first_name|you]]")), agenda("A talk"))
    assert [(each.key, each.title) for each in said(edition)] == [
        ("", "December 2026"),
        ("dredging", "For you"),
        ("talk", "A talk"),
    ]


def test_an_entry_that_stands_twice_is_told_once(make_edition):
    edition = with_agenda(make_edition(), agenda("Eleven partners", key="dredging"))
    told = said(edition)
    assert [each.key for each in told] == ["", "dredging"]
    assert changed(said(make_edition()), told) == ("Eleven partners compare their records",)


def test_the_same_edition_says_the_same(make_edition):
    assert changed(said(make_edition()), said(make_edition())) == ()


def test_what_readers_are_not_told_changes_nothing(make_edition, make_block, make_anchor):
    there = make_edition(make_block(segment="members"))
    moved = make_edition(make_block(links=(replace(make_anchor(), context=Phrase(text="Something else")),)))
    assert changed(said(make_edition()), said(there)) == changed(said(make_edition()), said(moved)) == ()


def test_changed_entries_are_named_by_their_present_titles_and_lost_ones_by_their_last(make_edition, make_block):
    before = make_edition(make_block(), make_block(key="gone", title="The last ferry"), make_block(key="same"))
    after = make_edition(
        make_block(title="Twelve partners"), make_block(key="same"), make_block(key="new", title="New")
    )
    assert changed(said(before), said(after)) == ("Twelve partners", "New", "The last ferry")


def test_the_issues_own_words_count(make_edition):
    after = make_edition(intro=Phrase(text="Welcome back."))
    assert changed(said(make_edition()), said(after)) == ("December 2026",)
