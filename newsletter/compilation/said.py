"""
What an edition says, entry by entry: enough to tell later which of them say something else.

Takes an edition, yields a title and a digest for each entry that stands in it. Promises that a digest speaks of what
readers are told alone (words, dates, places, pictures, where links lead), not of our own addresses, so that it stays
the same when they change. Pure.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.slots import unslotted

_OURS: Final = frozenset({"calendar", "context", "segment", "sequence", "uid"})
"""Fields of blocks and lines that tell readers nothing."""


@dataclass(frozen=True, slots=True)
class Said:
    """An entry of an edition; the one with the empty key is the issue itself, its title and introduction."""

    key: str
    title: str
    digest: str


def said(edition: Edition) -> tuple[Said, ...]:
    """What each entry of an edition says, as block and as lines, in the order in which they stand."""
    told: dict[str, list[Any]] = {"": [edition.title, edition.preheader, edition.intro]}
    titles = {"": edition.title.text}
    for section in edition.sections:
        for block in section.blocks:
            told.setdefault(block.key, []).append(block)
            titles.setdefault(block.key, block.title)
        for line in section.lines:
            told.setdefault(line.key, []).append(line)
            titles.setdefault(line.key, line.parts[0].title.text)
    return tuple(Said(key, unslotted(titles[key]), _digest(parts)) for key, parts in told.items())


def changed(before: Iterable[Said], after: Iterable[Said]) -> tuple[str, ...]:
    """The titles of the entries that say something else now, in their order, then of those that are gone."""
    then, now = {each.key: each for each in before}, {each.key: each for each in after}
    different = [each for key, each in now.items() if key not in then or then[key].digest != each.digest]
    gone = [each for key, each in then.items() if key not in now]
    return tuple(dict.fromkeys(each.title for each in (*different, *gone)))


def _digest(parts: Iterable[Any]) -> str:
    data = [_told(asdict(part)) for part in parts]
    return sha256(json.dumps(data, default=str, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _told(value: Any) -> Any:
    """The value without our own fields and without what is empty, so that a field which comes later changes nothing."""
    if isinstance(value, dict):
        kept = {name: _told(part) for name, part in value.items() if name not in _OURS}
        return {name: part for name, part in kept.items() if part not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [_told(part) for part in value]
    return value
