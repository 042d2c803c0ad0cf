"""
Arranging: an officer adds, takes out, moves and limits the items of an issue.

Takes the items as they stand and one change; yields the items as they are to stand, and the plan with the list made by
hand that leads there. Touches no database. Promises that what was not meant by the change stays as it is: a list that
leaves the agenda to the automatic selection keeps doing so until a line is taken out of it or placed in it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final

from newsletter.assembly.composition import MOST_SEGMENTS
from newsletter.assembly.facts import PlacedItem, Placement
from newsletter.assembly.selection import EntryVerdict, Selection
from newsletter.content.issue import IssuePlan, PlannedItem
from newsletter.content.newsletter import Newsletter, Show
from newsletter.errors import InvalidInput

END: Final = 1_000_000
"""A place behind every item of a section."""


class Obstacle(StrEnum):
    """What stands in the way of a change."""

    #: The issue has no such section.
    NO_SECTION = "no_section"
    #: The entry stands there already.
    STANDS = "stands"
    #: The item is not in the issue any more.
    GONE = "gone"
    #: Items would be limited to more segments than an issue may have.
    SEGMENTS = "segments"
    #: There is no place above the first item, and none below the last.
    EDGE = "edge"
    #: The rules of the selection forbid it: a verdict says why.
    RULES = "rules"


class Misplaced(InvalidInput):
    """
    An item cannot stand where it is wanted.

    Attributes:
        obstacle: what stands in the way.
        verdict: what the selection says of the entry, where it has the last word.
    """

    def __init__(self, obstacle: Obstacle, message: str, *, verdict: EntryVerdict | None = None) -> None:
        self.obstacle, self.verdict = obstacle, verdict
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Put an entry into a section, as its last block or by date among its lines."""

    key: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Put an item into a section at a place, counted from 0 among the others of that section; lines keep theirs."""

    key: str
    placement: Placement
    section: str
    place: int = END


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Move a block up (-1) or down (1) by one place; at the edge of its section, into the next one of blocks."""

    key: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take an item out; an entry that has a block and lines keeps the other."""

    key: str
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Show an entry, its block and its lines, to a segment only; None: to everybody."""

    key: str
    segment: str | None


Change = Add | Move | Step | Remove | Limit
"""What an officer does to the items of an issue."""

Judge = Callable[[IssuePlan], Selection]
"""Selects the items of an issue by a plan."""


def stamp_of(items: Iterable[PlacedItem], sections: Iterable[str]) -> str:
    """What tells whether items and sections are those that an officer saw: 64 hexadecimal digits."""
    seen = [[item.key, item.section, item.segment, item.placement.value] for item in items]
    return sha256(json.dumps([seen, list(sections)]).encode()).hexdigest()


def arranged(items: Sequence[PlacedItem], change: Change, shows: Mapping[str, Show]) -> tuple[PlacedItem, ...]:
    """
    The items after a change; `shows` has the issue's sections in order and how they show their entries.

    Raises Misplaced for a section that the issue lacks, an item that is not there, an entry that stands there already,
    a step over the edge, and a fourth segment.
    """
    match change:
        case Add(key=key, section=section):
            placement = _placement(section, shows)
            _ensure_absent(items, key, placement)
            segment = next((item.segment for item in items if item.key == key), None)
            fresh = PlacedItem(key=key, section=section, position=0, segment=segment, placement=placement)
            found = _inserted(items, fresh, END)
        case Move(key=key, section=section, place=place):
            moved, others = _taken(items, key, change.placement)
            placement = _placement(section, shows)
            _ensure_absent(others, key, placement)
            found = _inserted(others, replace(moved, section=section, placement=placement), place)
        case Step(key=key, by=by):
            return arranged(items, _step(items, key, by=by, shows=shows), shows)
        case Remove(key=key, placement=placement):
            found = tuple(_taken(items, key, placement)[1])
        case limit:
            found = tuple(replace(item, segment=limit.segment) if item.key == limit.key else item for item in items)
    _ensure_few_segments(found)
    order = {section: place for place, section in enumerate(shows)}
    in_order = sorted(found, key=lambda item: order.get(item.section, len(order)))
    return tuple(replace(item, position=position) for position, item in enumerate(in_order))


def listed(
    plan: IssuePlan, wanted: Sequence[PlacedItem], *, settings: Newsletter, judge: Judge, added: str | None = None
) -> tuple[IssuePlan, Selection]:
    """
    The plan whose items come out as `wanted`, with what the selection makes of it.

    Blocks are named in their order. Lines are left to the selection where it agrees, else named too; a section of lines
    that is to be empty is no part of the issue any more. The lines of the entry `added` may come with its block. Raises
    Misplaced for an item that cannot stand where it is wanted.
    """
    for candidate in _candidates(plan, wanted, settings):
        chosen = judge(candidate)
        if _same(chosen.items, wanted, added):
            return candidate, chosen
    missing = {(item.key, item.section) for item in wanted} - {(item.key, item.section) for item in chosen.items}
    verdict = next((verdict for verdict in chosen.verdicts if any(verdict.key == key for key, _ in missing)), None)
    words = verdict.words if verdict else "the sections of the issue forbid it"
    raise Misplaced(Obstacle.RULES, f"that entry cannot stand there: {words}", verdict=verdict)


def _candidates(plan: IssuePlan, wanted: Sequence[PlacedItem], settings: Newsletter) -> Iterable[IssuePlan]:
    blocks = tuple(_planned(item) for item in wanted if item.placement is Placement.BLOCK)
    lines = tuple(_planned(item) for item in wanted if item.placement is Placement.LINES)
    yield plan.model_copy(update={"items": blocks})
    yield plan.model_copy(update={"items": blocks + lines})
    used = {item.section for item in wanted}
    kept = tuple(section for section in settings.sections if section.show is Show.BLOCKS or section.key in used)
    if kept:
        yield plan.model_copy(update={"items": blocks + lines, "sections": kept})


def _planned(item: PlacedItem) -> PlannedItem:
    return PlannedItem(key=item.key, section=item.section, segment=item.segment)


def _same(found: Sequence[PlacedItem], wanted: Sequence[PlacedItem], added: str | None) -> bool:
    """Whether both have the same blocks in the same order, and the same lines in any."""
    extra = {line for line in _lines(found) - _lines(wanted) if line[1] == added}
    return _blocks(found) == _blocks(wanted) and _lines(found) - extra == _lines(wanted)


def _blocks(items: Iterable[PlacedItem]) -> list[tuple[str, str, str | None]]:
    return [(item.section, item.key, item.segment) for item in items if item.placement is Placement.BLOCK]


def _lines(items: Iterable[PlacedItem]) -> set[tuple[str, str, str | None]]:
    return {(item.section, item.key, item.segment) for item in items if item.placement is Placement.LINES}


def _step(items: Sequence[PlacedItem], key: str, *, by: int, shows: Mapping[str, Show]) -> Move:
    """A step up or down as a move to a section and a place."""
    mine, _ = _taken(items, key, Placement.BLOCK)
    beside = [item for item in items if item.section == mine.section]
    place = beside.index(mine) + by
    if 0 <= place < len(beside):
        return Move(key=key, placement=Placement.BLOCK, section=mine.section, place=place)
    blocks = [section for section, show in shows.items() if show is Show.BLOCKS]
    at = blocks.index(mine.section) + by
    if not 0 <= at < len(blocks):
        raise Misplaced(Obstacle.EDGE, f"{key} has no place further that way")
    return Move(key=key, placement=Placement.BLOCK, section=blocks[at], place=END if by < 0 else 0)


def _placement(section: str, shows: Mapping[str, Show]) -> Placement:
    if section not in shows:
        raise Misplaced(Obstacle.NO_SECTION, f"the issue has no section {section!r}")
    return Placement.LINES if shows[section] is Show.LINES else Placement.BLOCK


def _ensure_absent(items: Iterable[PlacedItem], key: str, placement: Placement) -> None:
    if any(item.key == key and item.placement is placement for item in items):
        raise Misplaced(Obstacle.STANDS, f"{key} stands in the issue already")


def _ensure_few_segments(items: Iterable[PlacedItem]) -> None:
    segments = sorted({item.segment for item in items if item.segment})
    if len(segments) > MOST_SEGMENTS:
        names = ", ".join(segments)
        raise Misplaced(Obstacle.SEGMENTS, f"items may be limited to {MOST_SEGMENTS} segments; these name {names}")


def _taken(items: Sequence[PlacedItem], key: str, placement: Placement) -> tuple[PlacedItem, list[PlacedItem]]:
    mine = [item for item in items if item.key == key and item.placement is placement]
    if not mine:
        raise Misplaced(Obstacle.GONE, f"{key} does not stand in the issue any more")
    return mine[0], [item for item in items if item is not mine[0]]


def _inserted(items: Sequence[PlacedItem], item: PlacedItem, place: int) -> tuple[PlacedItem, ...]:
    """The items with one more, at a place among those of its section; the order of sections is the caller's."""
    before = [other for other in items if other.section == item.section][: max(place, 0)]
    after = [other for other in items if other.section == item.section][max(place, 0) :]
    others = [other for other in items if other.section != item.section]
    return (*others, *before, item, *after)
