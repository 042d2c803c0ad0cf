"""
Selection: which entries an issue takes, and why it takes the others not.

Takes a newsletter's entries, an issue's plan, the settings that hold for it and the ledger of what earlier issues
published; yields the items in order and a verdict in words for every entry. Promises to judge from the issue's own date
and period, so that an issue made again comes out the same.

Blocks of a section are ordered by priority, then by day of publication (both highest first), then by key; a list made
by hand keeps its own order. Lines are ordered by their first day, then by priority and key.

An agenda entry whose own section shows lines stands in that section only; every other one has its lines in the first
section of lines. Naming entries for a section of lines by hand closes that section: it holds just these. What was
placed by hand needs no period and may have stood in an earlier issue; its lines are for the same segment as its block.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.assembly.days import Window, span_of
from newsletter.assembly.facts import IssueRef, PlacedItem, Placement, stands_in
from newsletter.assembly.listing import Named, read_list
from newsletter.content.entry import Entry, Kind, Status
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Show
from subscribers.language import fallback_chain


class Verdict(StrEnum):
    """What became of an entry in an issue."""

    #: Stands as a block.
    INCLUDED = "included"
    #: Stands as a block, as it may in every issue.
    REPEAT = "repeat"
    #: Stands in lines only.
    LINES = "lines"
    #: Is older than the period and never stood in an issue: an officer may add it.
    OFFERED = "offered"
    #: Would be taken, but the list was made by hand without it.
    UNLISTED = "unlisted"
    #: Stood as a block in an earlier issue.
    ALREADY = "already"
    #: Its day of publication lies after the period.
    NOT_YET = "not_yet"
    #: Is still being written.
    DRAFT = "draft"
    #: Was taken back.
    WITHDRAWN = "withdrawn"
    #: Its last sitting is over before the issue's date.
    OVER = "over"
    #: Its next sitting begins after the agenda window.
    LATER = "later"
    #: Stands only in editions that the issue does not have.
    OTHER_LANGUAGES = "other_languages"
    #: The issue does not have its section.
    NO_SECTION = "no_section"
    #: Its section lists dates, and it has none.
    UNDATED = "undated"


TAKEN = frozenset({Verdict.INCLUDED, Verdict.REPEAT, Verdict.LINES})
"""The verdicts on entries that stand in the issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryVerdict:
    """A verdict on one entry: its title in the newsletter's first language, a code, words, and the section meant."""

    key: str
    title: str
    code: Verdict
    words: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The items of an issue in order, and a verdict on every entry: those that stand in it first, then the newest."""

    items: tuple[PlacedItem, ...]
    verdicts: tuple[EntryVerdict, ...]


def select(
    entries: Iterable[Entry], *, plan: IssuePlan, settings: Newsletter, published: Mapping[str, IssueRef]
) -> Selection:
    """
    Choose the items of an issue.

    `entries` is everything the newsletter has stored; `published` names, by the key of every entry that stood as a
    block in an issue before this one, that issue.

    Raises InvalidInput where the list made by hand names an entry or a section that does not exist, or an entry twice.
    """
    by_key = {entry.key: entry for entry in entries}
    issue = _issue(by_key, plan=plan, settings=plan.settings(settings), published=published)
    judged = [_judge(entry, issue) for _, entry in sorted(by_key.items())]
    places = sorted((place for each in judged for place in each.places), key=lambda place: place.rank)
    items = tuple(place.item(position) for position, place in enumerate(places))
    first = {item.key: item.position for item in reversed(items)}
    judged.sort(key=lambda each: (first.get(each.entry.key, len(items)), -each.entry.published.toordinal()))
    return Selection(items=items, verdicts=tuple(each.verdict(settings.default_language) for each in judged))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an entry would stand; `rank` orders by section, then by what orders its entries, then by key."""

    key: str
    section: str
    segment: str | None
    placement: Placement
    rank: tuple[int, int, int, str]

    def item(self, position: int) -> PlacedItem:
        return PlacedItem(
            key=self.key, section=self.section, position=position, segment=self.segment, placement=self.placement
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """An entry with its places, the code of its verdict and the words for it."""

    entry: Entry
    code: Verdict
    words: str
    places: tuple[_Place, ...] = ()

    def verdict(self, language: str) -> EntryVerdict:
        chain = fallback_chain(language, source=self.entry.source, default=language)
        title = next(self.entry.texts[tag].title for tag in chain if tag in self.entry.texts)
        section = self.places[0].section if self.places else self.entry.section
        return EntryVerdict(key=self.entry.key, title=title, code=self.code, words=self.words, section=section)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    """What every entry is judged against; `by_hand` is None for the automatic selection."""

    plan: IssuePlan
    languages: tuple[str, ...]
    window: Window
    sections: Mapping[str, Show]
    published: Mapping[str, IssueRef]
    by_hand: Mapping[str, tuple[Named, ...]] | None
    closed: frozenset[str]

    def order(self, section: str) -> int:
        return tuple(self.sections).index(section)

    def named(self, entry: Entry) -> tuple[Named, ...]:
        return () if self.by_hand is None else self.by_hand.get(entry.key, ())

    def lines_section(self, entry: Entry) -> str | None:
        """The section that lists the entry's sittings: its own, or the first that shows lines."""
        if self.sections.get(entry.section) is Show.LINES:
            return entry.section
        return next((key for key, show in self.sections.items() if show is Show.LINES), None)


def _issue(
    entries: Mapping[str, Entry], *, plan: IssuePlan, settings: Newsletter, published: Mapping[str, IssueRef]
) -> _Issue:
    sections = {section.key: section.show for section in settings.sections}
    by_hand = read_list(plan, settings, entries)
    named = {place.section for places in (by_hand or {}).values() for place in places}
    return _Issue(
        plan=plan,
        languages=settings.languages,
        window=Window.of(plan, settings),
        sections=sections,
        published=published,
        by_hand=by_hand,
        closed=frozenset(key for key in named if sections.get(key) is Show.LINES),
    )


def _judge(entry: Entry, issue: _Issue) -> _Judged:
    if barred := _barred(entry, issue):
        return _Judged(entry=entry, code=barred[0], words=barred[1])
    named = issue.named(entry)
    code, words = _standing(entry, named[0].section if named else entry.section, issue=issue)
    blocks, lines = _blocks(entry, code, issue=issue), _lines(entry, issue)
    code, words = _verdict(code, words, named=bool(named), blocks=blocks, lines=lines)
    if code in TAKEN and entry.languages:
        words = f"{words}; editions in {', '.join(entry.languages)} only"
    return _Judged(entry=entry, code=code, words=words, places=(*blocks, *lines))


def _verdict(
    code: Verdict, words: str, *, named: bool, blocks: tuple[_Place, ...], lines: tuple[_Place, ...]
) -> tuple[Verdict, str]:
    """What became of an entry, given how it stands to its section by the rules and the places it has got."""
    listed = f"as lines in {lines[0].section}" if lines else ""
    if blocks:
        stands = " and ".join(filter(None, (f"in {blocks[0].section}", listed)))
        kept = Verdict.REPEAT if code is Verdict.REPEAT and not named else Verdict.INCLUDED
        return kept, f"{stands}; {_by_hand(code, words) if named else words}"
    if lines and code is Verdict.LINES:
        return code, listed
    if code in TAKEN and not named:
        code, words = Verdict.UNLISTED, "not on the list made by hand"
    return (Verdict.LINES, f"{listed}; no block: {words}") if lines else (code, words)


def _by_hand(code: Verdict, words: str) -> str:
    return f"placed by hand ({words})" if code in {Verdict.ALREADY, Verdict.OVER} else "placed by hand"


def _barred(entry: Entry, issue: _Issue) -> tuple[Verdict, str] | None:
    """Why an entry can have no place at all; a list made by hand overrides the day of publication only."""
    named = bool(issue.named(entry))
    off = "; change that, or take it off the list" if named else ""
    if entry.status is Status.DRAFT:
        return Verdict.DRAFT, f"still a draft{off}"
    if entry.status is Status.WITHDRAWN:
        return Verdict.WITHDRAWN, f"withdrawn{off}"
    if not any(stands_in(entry, language) for language in issue.languages):
        only, has = ", ".join(entry.languages), ", ".join(issue.languages)
        return Verdict.OTHER_LANGUAGES, f"for editions in {only} only; the issue has {has}{off}"
    if entry.published > issue.plan.period.last and not named:
        last = issue.plan.period.last
        return Verdict.NOT_YET, f"to be published on {entry.published}, after the period (until {last})"
    return None


def _standing(entry: Entry, section: str, *, issue: _Issue) -> tuple[Verdict, str]:
    """How an entry stands to a section by the rules of the automatic selection."""
    shows = issue.sections.get(section)
    if shows is None:
        return Verdict.NO_SECTION, f"the issue has no section {section}"
    if shows is Show.LINES and entry.kind is not Kind.AGENDA:
        return Verdict.UNDATED, f"{section} lists dates, and it has none"
    if entry.kind is Kind.AGENDA and not issue.window.open(entry.sittings):
        return Verdict.OVER, f"over before the issue's date ({issue.plan.date})"
    if shows is Show.LINES:
        if not issue.window.within(entry.sittings):
            return Verdict.LATER, f"begins after the agenda window (until {issue.window.last})"
        return Verdict.LINES, f"has sittings until {issue.window.last}"
    return _as_block(entry, issue)


def _as_block(entry: Entry, issue: _Issue) -> tuple[Verdict, str]:
    if entry.repeat:
        return Verdict.REPEAT, "may stand in every issue"
    if earlier := issue.published.get(entry.key):
        return Verdict.ALREADY, f"already in {earlier}"
    if entry.published < issue.plan.period.first:
        first = issue.plan.period.first
        return Verdict.OFFERED, f"published on {entry.published}, before the period (from {first}); never in an issue"
    return Verdict.INCLUDED, f"published on {entry.published}"


def _blocks(entry: Entry, code: Verdict, *, issue: _Issue) -> tuple[_Place, ...]:
    by_hand = issue.by_hand is not None
    if by_hand:
        named = [place for place in issue.named(entry) if issue.sections.get(place.section) is Show.BLOCKS]
    else:
        named = [Named(index=0, section=entry.section, segment=None)] * (code in {Verdict.INCLUDED, Verdict.REPEAT})
    ranks = [(place.index, 0) if by_hand else (-entry.priority, -entry.published.toordinal()) for place in named]
    return tuple(
        _Place(
            key=entry.key,
            section=place.section,
            segment=place.segment,
            placement=Placement.BLOCK,
            rank=(issue.order(place.section), *rank, entry.key),
        )
        for place, rank in zip(named, ranks, strict=True)
    )


def _lines(entry: Entry, issue: _Issue) -> tuple[_Place, ...]:
    sittings = issue.window.within(entry.sittings)
    place = _listed(entry, issue)
    if not sittings or place is None:
        return ()
    first = min(span_of(sitting, issue.window.zone).first_day for sitting in sittings)
    return (
        _Place(
            key=entry.key,
            section=place.section,
            segment=place.segment,
            placement=Placement.LINES,
            rank=(issue.order(place.section), first.toordinal(), -entry.priority, entry.key),
        ),
    )


def _listed(entry: Entry, issue: _Issue) -> Named | None:
    """Where the lines of an entry stand: in the section it is named for, else in the one it falls to unless closed."""
    named = issue.named(entry)
    for place in named:
        if issue.sections.get(place.section) is Show.LINES:
            return place
    section = issue.lines_section(entry)
    if section is None or section in issue.closed:
        return None
    return Named(index=0, section=section, segment=named[0].segment if named else None)
