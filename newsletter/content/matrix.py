"""
The completeness matrix: entry by language, what is there and what a reader gets instead.

Takes stored entries, yields rows of cells. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.content.entry import StoredEntry
from newsletter.content.newsletter import Fallback
from subscribers.language import fallback_chain, lookup, parents


class Completeness(StrEnum):
    """How an entry stands in one language."""

    #: It has a text of its own, made from the present source text.
    PRESENT = "present"
    #: Its text was made from an older source text.
    STALE = "stale"
    #: It is shown in another language.
    FALLBACK = "fallback"
    #: It has none, and the newsletter shows no text in a foreign language instead.
    MISSING = "missing"
    #: It is not meant for this edition.
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One entry in one language; `instead` names the language that is shown where its own has no text."""

    language: str
    state: Completeness
    instead: str | None = None

    def __str__(self) -> str:
        return f"falls back to {self.instead}" if self.instead else self.state.value


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One entry with a cell for each language asked for, in their order."""

    key: str
    title: str
    source: str
    cells: tuple[Cell, ...]

    @property
    def complete(self) -> bool:
        """Whether every edition it is meant for has a text of its own that is up to date."""
        return all(cell.state in {Completeness.PRESENT, Completeness.EXCLUDED} for cell in self.cells)


def matrix(
    entries: Sequence[StoredEntry], languages: Sequence[str], *, default: str, fallback: Fallback = Fallback.SHOW
) -> tuple[MatrixRow, ...]:
    """
    Say for each entry, in the order given, how it stands in each of `languages`.

    `default` and `fallback` are the newsletter's (or the issue's): under `omit` and `block` a text in a foreign
    language is no substitute and the cell is missing.
    """
    return tuple(
        MatrixRow(
            key=stored.entry.key,
            title=stored.entry.texts[stored.entry.source].title,
            source=stored.entry.source,
            cells=tuple(_cell(stored, language, default=default, fallback=fallback) for language in languages),
        )
        for stored in entries
    )


def _cell(stored: StoredEntry, language: str, *, default: str, fallback: Fallback) -> Cell:
    entry = stored.entry
    if entry.languages and not any(tag in entry.languages for tag in (language, *parents(language))):
        return Cell(language=language, state=Completeness.EXCLUDED)
    if language in entry.texts:
        state = Completeness.STALE if language in stored.stale else Completeness.PRESENT
        return Cell(language=language, state=state)
    chain = fallback_chain(language, source=entry.source, default=default)
    instead = next(tag for tag in chain if tag in entry.texts)
    if fallback is not Fallback.SHOW and lookup(instead, (language,), "") != language:
        return Cell(language=language, state=Completeness.MISSING)
    return Cell(language=language, state=Completeness.FALLBACK, instead=instead)
