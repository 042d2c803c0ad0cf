"""
Two people have changed one thing: what each of them changed, and where they met.

Takes three sheets (what both began with, what one has written, what the other has saved meanwhile) and yields one in
which every field that only one of them changed has the newer value; a field that both changed, to different values, is
a clash for a person to decide. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.content.sheet import Sheet, value_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A field that both changed: what it was, and what each made of it."""

    field: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """
    Both at once: `taken` names the fields in which the other's value was taken over.

    Where they clash the sheet has mine.
    """

    sheet: Sheet
    taken: tuple[str, ...]
    clashes: tuple[Clash, ...]


def merge(base: Mapping[str, Any], *, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Merged:
    """Put together what two people made of `base`; a field that `mine` does not name is one I did not touch."""
    sheet: Sheet = dict(theirs)
    taken: list[str] = []
    clashes: list[Clash] = []
    for field in dict.fromkeys((*theirs, *mine)):
        was, other = value_in(base, field), value_in(theirs, field)
        own = value_in(mine, field) if field in mine else was
        if own in (was, other):
            if other != was and field in mine and own != other:
                taken.append(field)
            continue
        sheet[field] = own
        if other != was:
            clashes.append(Clash(field=field, base=was, mine=own, theirs=other))
    return Merged(sheet=sheet, taken=tuple(taken), clashes=tuple(clashes))
