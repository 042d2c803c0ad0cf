"""
What an issue shows and what it leaves out, for the page on which it is arranged.

Takes a session, an issue's row and the language of whoever looks; yields `Contents` and pages of `Candidate`s. Only
entries that stand in the issue are read whole, so that a page takes as long with two thousand entries as with twenty.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly import overview
from newsletter.assembly import store as issues
from newsletter.assembly.arranging import stamp_of
from newsletter.assembly.days import Window, span_of
from newsletter.assembly.facts import IssueRef, PlacedItem, Placement
from newsletter.assembly.models import IssueRow
from newsletter.assembly.selection import Verdict
from newsletter.content import store as content
from newsletter.content.entry import Kind, Status, StoredEntry
from newsletter.content.localised import chosen
from newsletter.content.matrix import Cell, matrix
from newsletter.content.newsletter import Newsletter, Section, Show, Topic
from newsletter.content.rows import row_id
from newsletter.pipeline.heads import Head, head
from newsletter.times import Span
from subscribers.language import fallback_chain

CANDIDATES: Final = 20
"""In one page of what an issue leaves out."""

MOST_CHANGED: Final = 100
"""Entries that were changed since an assembly are counted up to this."""

_BARRED: Final = frozenset({Verdict.DRAFT, Verdict.WITHDRAWN, Verdict.OTHER_LANGUAGES})
"""Verdicts on entries that no officer can place: the entry itself has to be changed."""

_NO_LINES: Final = frozenset({Verdict.OVER, Verdict.LATER, Verdict.UNDATED})
"""Verdicts on entries that have no date in the agenda's window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """
    An item as officers see it.

    `title` is in the language `lang`; `spans` are its dates that the issue tells, in order; `cells` how its entry
    stands in each language of the issue.
    """

    key: str
    placement: Placement
    kind: Kind
    status: Status
    segment: str | None
    title: str
    lang: str
    topic: str
    spans: tuple[Span, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section of the issue with its items; `title` is "" where readers see none."""

    key: str
    title: str
    show: Show
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """
    What an issue shows, section by section.

    `stamp` names this arrangement; `can_undo` says whether the change that led to it can be undone; `changed` how many
    entries that do not stand in it were written since it was assembled (at most `MOST_CHANGED`). `by_hand` is False
    where the items are those of the automatic selection.
    """

    head: Head
    languages: tuple[str, ...]
    sections: tuple[SectionView, ...]
    segments: tuple[str, ...]
    stamp: str
    by_hand: bool
    can_undo: bool
    changed: int

    @property
    def size(self) -> int:
        """How many entries stand in the issue."""
        return len({item.key for section in self.sections for item in section.items})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    An entry that the issue leaves out, and what the words for it need.

    `section` is where it would go, None where nobody can place it; `issue` the earlier issue that it stood in; `until`
    the last day of the agenda's window.
    """

    position: int
    key: str
    title: str
    code: Verdict
    kind: Kind
    section: str | None
    published: dt.date
    last_day: dt.date | None
    issue: IssueRef | None
    until: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """A page of them; `after` is the position to go on behind, None at the end."""

    found: tuple[Candidate, ...]
    after: int | None


def settings_of(session: Session, row: IssueRow) -> Newsletter:
    """The settings that hold for an issue: those it was assembled with, or would be."""
    if row.settings is not None:
        return Newsletter.model_validate(row.settings)
    settings = next(settings for known, settings in content.list_newsletters(session) if known == row.newsletter_id)
    return issues.plan_of(row).settings(settings)


def contents_of(session: Session, row: IssueRow, *, language: str) -> Contents:
    """The contents of an issue, in the words of somebody who reads `language`."""
    settings, issue_id = settings_of(session, row), row_id(row)
    placed = issues.items(session, issue_id)
    views = _items(session, row, placed, settings=settings, language=language)
    stamp = stamp_of(placed, (section.key for section in settings.sections))
    return Contents(
        head=head(row, settings, language=language),
        languages=settings.languages,
        sections=tuple(_section(section, placed, views, settings, language) for section in settings.sections),
        segments=tuple(sorted({item.segment for item in placed if item.segment})),
        stamp=stamp,
        by_hand=issues.plan_of(row).items != "auto",
        can_undo=overview.find_before(session, issue_id, stamp=stamp) is not None,
        changed=(overview.changed_since(session, row, row.assembled, at_most=MOST_CHANGED) if row.assembled else 0),
    )


def section_title(section: Section, settings: Newsletter, language: str) -> str:
    """What a section is called for somebody who reads `language`; "" where readers see no title."""
    found = chosen(section.title or {}, (language, *settings.languages))
    return found[0] if found else ""


def candidates_of(session: Session, row: IssueRow, *, search: str, after: int) -> Candidates:
    """A page of what an issue leaves out, behind a position (-1: from the start), with a search in titles and keys."""
    settings, plan = settings_of(session, row), issues.plan_of(row)
    found = overview.left_out(session, row_id(row), search=search, after=after, limit=CANDIDATES + 1)
    shown = found[:CANDIDATES]
    keys = [each.verdict.key for each in shown]
    dates = overview.entry_dates(session, row.newsletter_id, keys)
    published = issues.published_before(session, row.newsletter_id, date=plan.date, slug=plan.slug, keys=keys)
    until = Window.of(plan, settings).last
    return Candidates(
        found=tuple(
            Candidate(
                position=position,
                key=verdict.key,
                title=verdict.title,
                code=verdict.code,
                kind=dates[verdict.key].kind,
                section=target(verdict.code, dates[verdict.key].section, settings),
                published=dates[verdict.key].published,
                last_day=dates[verdict.key].last_day,
                issue=published.get(verdict.key),
                until=until,
            )
            for position, verdict in shown
            if verdict.key in dates
        ),
        after=shown[-1].position if len(found) > CANDIDATES else None,
    )


def target(code: Verdict, own: str, settings: Newsletter) -> str | None:
    """Where an entry goes that an officer adds: its own section, or the first that can show it."""
    if code in _BARRED:
        return None
    shows = {section.key: section.show for section in settings.sections}
    if own in shows and not (shows[own] is Show.LINES and code in _NO_LINES):
        return own
    return next((key for key, show in shows.items() if show is Show.BLOCKS), None)


def _section(
    section: Section,
    placed: Sequence[PlacedItem],
    views: Mapping[PlacedItem, ItemView],
    settings: Newsletter,
    language: str,
) -> SectionView:
    mine = tuple(views[item] for item in placed if item.section == section.key and item in views)
    title = section_title(section, settings, language)
    return SectionView(key=section.key, title=title, show=section.show, items=mine)


def _items(
    session: Session, row: IssueRow, placed: Sequence[PlacedItem], *, settings: Newsletter, language: str
) -> Mapping[PlacedItem, ItemView]:
    keys = {item.key for item in placed}
    stored = {each.entry.key: each for each in content.entries(session, row.newsletter_id, keys=keys)}
    rows = matrix(
        list(stored.values()), settings.languages, default=settings.default_language, fallback=settings.fallback
    )
    cells = {each.key: each.cells for each in rows}
    topics = {topic.key: topic for topic in map(Topic.model_validate, row.topics or ())}
    window = Window.of(issues.plan_of(row), settings)
    return {
        item: _view(item, stored[item.key], cells=cells[item.key], topics=topics, window=window, language=language)
        for item in placed
        if item.key in stored
    }


def _view(
    item: PlacedItem,
    stored: StoredEntry,
    *,
    cells: tuple[Cell, ...],
    topics: Mapping[str, Topic],
    window: Window,
    language: str,
) -> ItemView:
    entry = stored.entry
    chain = fallback_chain(language, source=entry.source, default=entry.source)
    lang = next(tag for tag in chain if tag in entry.texts)
    named = topics.get(entry.topic or "")
    topic = chosen(named.name, chain) if named else None
    told = window.within(entry.sittings) if item.placement is Placement.LINES else window.open(entry.sittings)
    return ItemView(
        key=item.key,
        placement=item.placement,
        kind=entry.kind,
        status=entry.status,
        segment=item.segment,
        title=entry.texts[lang].title,
        lang=lang,
        topic=topic[0] if topic else entry.topic or "",
        spans=tuple(span_of(sitting, window.zone) for sitting in told),
        cells=cells,
    )
