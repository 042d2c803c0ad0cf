"""
What a save changes, in words.

Takes the stored value and the new one (entries, topics, newsletters: anything made of `Value`), yields a `Difference`
that lists every changed place with its old and new words, shortened. Pure; the order of a mapping's keys is no
difference, the order of a list is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, takewhile
from typing import Any, Final

from newsletter.content.localised import Value

SHOWN: Final = 60
"""Characters of an old or new text in a line: path and both texts fit a wide terminal."""

_LEAD: Final = 12
"""Characters kept before the first that differs."""

_ORDER: Final = " (order)"


class Effect(StrEnum):
    """What storing something did."""

    #: It was not there before.
    NEW = "new"
    #: It was there and is different now.
    CHANGED = "changed"
    #: It was there already, the same.
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One place in a value with its old and new words; empty where there was or is nothing."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        if not self.old:
            return f"{self.path}: + {self.new}"
        return f"{self.path}: {self.old} → {self.new}" if self.new else f"{self.path}: - {self.old}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What storing a value does; `changes` is empty unless the effect is `changed`."""

    effect: Effect
    changes: tuple[Changed, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each changed place."""
        return tuple(map(str, self.changes))


def compare(old: Value | None, new: Value) -> Difference:
    """
    Say what replacing `old` by `new` changes.

    Places are paths such as `texts.fr.title` or `sittings[main].end`; members of a list are named by their key where
    they have one, else by their position.
    """
    if old is None:
        return Difference(effect=Effect.NEW)
    if old == new:
        return Difference(effect=Effect.UNCHANGED)
    before, after = _flat(old), _flat(new)
    changes = tuple(
        _changed(path, before.get(path, ""), after.get(path, ""))
        for path in dict.fromkeys(chain(before, after))
        if _differs(path, before.get(path, ""), after.get(path, ""))
    )
    return Difference(effect=Effect.CHANGED if changes else Effect.UNCHANGED, changes=changes)


def _differs(path: str, old: str, new: str) -> bool:
    # That members came or went stands in their own lines.
    return old != new and (not path.endswith(_ORDER) or sorted(old.split(", ")) == sorted(new.split(", ")))


def _changed(path: str, old: str, new: str) -> Changed:
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    start = max(0, same - _LEAD) if max(len(old), len(new)) > SHOWN else 0
    return Changed(path=path, old=_shortened(old, start), new=_shortened(new, start))


def _shortened(text: str, start: int) -> str:
    start = min(start, max(0, len(text) - SHOWN))
    piece = " ".join(text[start : start + SHOWN].split())
    return f"{'…' if start else ''}{piece}{'…' if start + SHOWN < len(text) else ''}"


def _flat(value: Value) -> dict[str, str]:
    return dict(_leaves(value.model_dump(mode="json", by_alias=True), ""))


def _leaves(data: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, Mapping):
        for key, member in data.items():
            yield from _leaves(member, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        yield from _members(data, path)
    elif data not in (None, ""):
        yield path, _said(data)


def _members(data: Sequence[Any], path: str) -> Iterator[tuple[str, str]]:
    if not any(isinstance(member, Mapping) for member in data):
        if data:
            yield path, ", ".join(map(_said, data))
        return
    keys = [str(member.get("key", index)) for index, member in enumerate(data)]
    for key, member in zip(keys, data, strict=True):
        yield from _leaves(member, f"{path}[{key}]")
    if len(data) > 1 and "key" in data[0]:
        yield f"{path}{_ORDER}", ", ".join(keys)


def _said(leaf: Any) -> str:
    return {True: "yes", False: "no"}[leaf] if isinstance(leaf, bool) else str(leaf)
