"""
Passages: what of an edition somebody can speak about, in the order in which it is read.

Takes an edition, yields its parts and entries by their places, which are those of findings. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.slots import unslotted

PARTS: Final = ("subject", "preheader", "intro", "footer")
"""Places of passages that are no entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of an edition; `words` are its own: a title, or how it begins."""

    place: str
    words: str


def passages(edition: Edition) -> tuple[Passage, ...]:
    """The passages of an edition; an entry that stands both as block and as line is one."""
    found: dict[str, Passage] = {}
    for place, words in _all(edition):
        if words.strip():
            found.setdefault(place, Passage(place=place, words=" ".join(unslotted(words).split())))
    return tuple(found.values())


def passage_at(edition: Edition, place: str) -> Passage | None:
    """The passage at the place of a finding or an answer: the entry, where it says what stands inside it."""
    wanted = place.partition(": ")[0]
    return next((passage for passage in passages(edition) if passage.place == wanted), None)


def _all(edition: Edition) -> Iterator[tuple[str, str]]:
    yield "subject", edition.subject
    yield "preheader", edition.preheader.text
    yield "intro", edition.intro.text
    for section in edition.sections:
        yield from ((block.key, block.title) for block in section.blocks)
        yield from ((line.key, line.parts[0].title.text) for line in section.lines)
    if edition.footer.text:
        yield "footer", edition.footer.text.text
