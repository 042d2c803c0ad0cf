"""
Two versions of a text, word by word.

Takes what was written and what is written now, yields the pieces in their order: those that stayed, those that were
taken out, those that were put in. Pure; whoever joins the pieces that are not taken out has the new text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

_WORD: Final = re.compile(r"\s+|\w+|[^\w\s]")

_MOST_WORDS: Final = 3000
"""Of a passage that is compared word by word: comparing takes the square of it, and this many a tenth of a second."""


class Mark(StrEnum):
    """What became of a piece."""

    #: It stands in both.
    SAME = "same"
    #: It stands in the new text only.
    PUT_IN = "put in"
    #: It stands in the old text only.
    TAKEN_OUT = "taken out"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text with one mark."""

    mark: Mark
    text: str


def word_by_word(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces of both texts: lines are compared first, and words within the lines that differ."""
    return tuple(_joined(_lines(old.splitlines(keepends=True), new.splitlines(keepends=True))))


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for operation, first, last, start, end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        before, after = "".join(old[first:last]), "".join(new[start:end])
        if operation == "equal":
            yield Piece(Mark.SAME, before)
        else:
            yield from _words(_WORD.findall(before), _WORD.findall(after))


def _words(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    if max(len(old), len(new)) > _MOST_WORDS:
        yield from (Piece(Mark.TAKEN_OUT, "".join(old)), Piece(Mark.PUT_IN, "".join(new)))
        return
    for operation, first, last, start, end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        before, after = "".join(old[first:last]), "".join(new[start:end])
        if operation == "equal":
            yield Piece(Mark.SAME, before)
        else:
            yield from (Piece(Mark.TAKEN_OUT, before), Piece(Mark.PUT_IN, after))


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    last: Piece | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if last is not None and last.mark is piece.mark:
            last = Piece(piece.mark, last.text + piece.text)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
