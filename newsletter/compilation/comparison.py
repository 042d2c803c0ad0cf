"""
Two texts compared, for an officer who wants to see what a correction changes.

Takes the text parts of two artifacts, yields the passages that differ, as short as they can be and still be understood:
whole words, with a few of those around them. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_AROUND: Final = 5
"""Words shown before and after what differs."""

_ALIKE: Final = 0.4
"""From here on two paragraphs are one paragraph that was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What stood there and what stands there now; one of them is empty where words were added or taken out."""

    before: str
    after: str


def compared(before: str, after: str) -> tuple[Passage, ...]:
    """The passages in which two texts differ, in their order; where lines are broken makes no difference."""
    old, new = _paragraphs(before), _paragraphs(after)
    found: list[Passage] = []
    for operation, first, last, start, end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if operation != "equal":
            found += _passages(old[first:last], new[start:end])
    return tuple(found)


def _paragraphs(text: str) -> list[str]:
    return [words for paragraph in text.split("\n\n") if (words := " ".join(paragraph.split()))]


def _passages(old: Sequence[str], new: Sequence[str]) -> Iterator[Passage]:
    """Paragraphs that are alike as one changed paragraph, all others as taken out and as added."""
    left = list(new)
    for paragraph in old:
        alike = max(left, key=lambda other: _alikeness(paragraph, other), default="")
        if alike and _alikeness(paragraph, alike) >= _ALIKE:
            left.remove(alike)
            yield from _shortened(paragraph.split(), alike.split())
        else:
            yield Passage(before=paragraph, after="")
    for paragraph in left:
        yield Passage(before="", after=paragraph)


def _alikeness(one: str, other: str) -> float:
    return SequenceMatcher(a=one.split(), b=other.split(), autojunk=False).ratio()


def _shortened(old: Sequence[str], new: Sequence[str]) -> Iterator[Passage]:
    """The words that differ, with a few of those that both have around them; a passage for each place."""
    for group in SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(_AROUND):
        (_, first, _, start, _), (_, _, last, _, end) = group[0], group[-1]
        yield Passage(before=_cut(old, first, last), after=_cut(new, start, end))


def _cut(words: Sequence[str], first: int, last: int) -> str:
    return f"{'… ' * (first > 0)}{' '.join(words[first:last])}{' …' * (last < len(words))}"
