"""
What the editor's templates are given of an entry: one column a language, and what is the same in all of them.

Takes an opened entry and the sheet that is shown (what is stored, what was sent, or what was typed and not saved);
yields values for templates, every word of them already in the operator's language. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from newsletter.content.localised import EVERY
from newsletter.content.matrix import Completeness
from newsletter.content.sheet import Sheet, languages_of, value_in
from newsletter.content.traps import Trap
from newsletter.pipeline.writing import Opened
from newsletter.web.desk.entries.said import Labels
from subscribers.language import direction, parents

BESIDE: Final = 2
"""Columns that are open at first: the original and one translation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link as it was typed."""

    url: str = ""
    action: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One language of the editor; `state` is how the stored text stands, `problems` and `notes` are by field."""

    tag: str
    name: str
    dir: str
    state: Completeness
    is_source: bool
    is_open: bool
    title: str
    body: str
    links: tuple[LinkRow, ...]
    problems: Mapping[str, str]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """Where it takes place, with the languages that its words are asked for."""

    country: str
    online: str
    name: Mapping[str, str]
    city: Mapping[str, str]
    languages: tuple[str, ...]


def columns_of(
    opened: Opened,
    sheet: Sheet,
    labels: Labels,
    *,
    wanted: Sequence[str],
    problems: Mapping[str, str],
    traps: Mapping[str, Sequence[Trap]],
) -> tuple[Column, ...]:
    """A column for every language of the newsletter and of the entry, the original first."""
    source = str(sheet.get("source") or opened.stored.entry.source)
    tags = dict.fromkeys((source, *opened.newsletter.languages, *languages_of(sheet)))
    shown = set(wanted) & set(tags) or set(_open_at_first(opened, tuple(tags)))
    shown |= {name.partition(".")[2] for name in problems if name.partition(".")[2] in tags}
    return tuple(
        Column(
            tag=tag,
            name=labels.tongue(tag),
            dir=direction(tag),
            state=_state(opened, tag),
            is_source=tag == source,
            is_open=tag in shown,
            title=str(value_in(sheet, f"title.{tag}")),
            body=str(value_in(sheet, f"body.{tag}")),
            links=tuple(_links(value_in(sheet, f"links.{tag}"))),
            problems={
                part: problems[f"{part}.{tag}"] for part in ("title", "body", "links") if f"{part}.{tag}" in problems
            },
            notes=labels.traps(traps.get(f"body.{tag}", ())),
        )
        for tag in tags
    )


def place_of(sheet: Sheet, languages: Sequence[str]) -> PlaceView:
    """The place as the form shows it; a field for every language stands first, where there are several."""
    place = sheet.get("place") or {}
    words = {part: _words(place.get(part)) for part in ("name", "city")}
    used = [tag for part in words.values() for tag in part]
    return PlaceView(
        country=str(place.get("country") or ""),
        online=str(place.get("online") or ""),
        **words,
        languages=tuple(dict.fromkeys((EVERY, *languages, *used))),
    )


def _words(value: Any) -> dict[str, str]:
    return {EVERY: value} if isinstance(value, str) else {str(tag): str(words) for tag, words in (value or {}).items()}


def _links(value: Any) -> list[LinkRow]:
    rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
    known = [{part: str(row.get(part) or "") for part in ("url", "action", "label")} for row in rows]
    return [*(LinkRow(**row) for row in known), LinkRow()]


def _state(opened: Opened, tag: str) -> Completeness:
    entry = opened.stored.entry
    if tag in entry.texts:
        return Completeness.STALE if tag in opened.stored.stale else Completeness.PRESENT
    if entry.languages and not any(each in entry.languages for each in (tag, *parents(tag))):
        return Completeness.EXCLUDED
    return Completeness.MISSING


def _open_at_first(opened: Opened, tags: Sequence[str]) -> Sequence[str]:
    # The translation that needs somebody most comes to stand beside the original.
    need = (Completeness.STALE, Completeness.MISSING, Completeness.PRESENT, Completeness.EXCLUDED)
    others = sorted(tags[1:], key=lambda tag: need.index(_state(opened, tag)))
    return [tags[0], *others[: BESIDE - 1]]
