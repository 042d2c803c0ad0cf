"""
The agenda: one line an entry and day.

Takes an entry in an edition's words and its sittings in the agenda window, yields lines. Whole days without words,
links or a place of their own become one line ("25–26 and 28 January 2027 — General assembly"). Sittings of one day and
place become one line, with a part for each title, language and status ("1 December 2026, 10:00 and 14:00 CET — …"). A
sitting that was cancelled keeps its place until it would have been over, and says so.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from newsletter.assembly.days import chronological, span_of
from newsletter.assembly.edition import Anchor, Line, LinePart, comma
from newsletter.assembly.wording import Rendition, Wording
from newsletter.content.entry import Sitting
from newsletter.times import span_words, spans_words


def agenda_lines(
    rendition: Rendition, sittings: Iterable[Sitting], *, wording: Wording, segment: str | None
) -> tuple[Line, ...]:
    """The lines of an entry for those of its sittings that the agenda window holds, by their first day."""
    zone = wording.settings.timezone
    groups: dict[Hashable, list[Sitting]] = {}
    for sitting in sorted(sittings, key=lambda each: chronological(span_of(each, zone))):
        groups.setdefault(_shared(rendition, sitting, wording=wording), []).append(sitting)
    return tuple(_line(rendition, group, wording=wording, segment=segment) for group in groups.values())


def in_order(lines: Iterable[tuple[int, Line]]) -> tuple[Line, ...]:
    """Lines with their entries' priorities, ordered by first day, then by priority (highest first), then by key."""
    return tuple(line for _, line in sorted(lines, key=lambda each: (each[1].first_day, -each[0], each[1].key)))


def _shared(rendition: Rendition, sitting: Sitting, *, wording: Wording) -> Hashable:
    """What the sittings of one line share."""
    if sitting.date and not (sitting.title or sitting.body or sitting.links or sitting.place or sitting.languages):
        return sitting.status
    span = span_of(sitting, wording.settings.timezone)
    return span.first_day, span.last_day, wording.place_of(rendition, sitting)


def _line(rendition: Rendition, sittings: Sequence[Sitting], *, wording: Wording, segment: str | None) -> Line:
    spans = [span_of(sitting, wording.settings.timezone) for sitting in sittings]
    return Line(
        key=rendition.entry.key,
        when=spans_words(spans, locale=wording.locale, style="line"),
        first_day=spans[0].first_day,
        topic=rendition.topic,
        parts=_merged([_part(rendition, sitting, wording=wording, alone=len(sittings) == 1) for sitting in sittings]),
        place=wording.place_of(rendition, sittings[0]),
        segment=segment,
    )


def _part(rendition: Rendition, sitting: Sitting, *, wording: Wording, alone: bool) -> LinePart:
    own = wording.links_of(rendition, sitting)
    when = None if alone else _when(sitting, wording)
    return LinePart(
        title=wording.title_of(rendition, sitting),
        languages=wording.languages(sitting),
        links=tuple(replace(link, when=when) for link in own[:1]) or rendition.links[:1],
        status=sitting.status,
    )


def _when(sitting: Sitting, wording: Wording) -> str:
    """What tells a sitting from the others of its line, which shares their day: the hour, the language."""
    words = span_words(span_of(sitting, wording.settings.timezone), locale=wording.locale, style="block")
    languages = wording.languages(sitting)
    spoken = [wording.catalogue.say("in {languages}", languages=languages)] if languages else []
    return comma(wording.language).join([words, *spoken])


def _merged(parts: Iterable[LinePart]) -> tuple[LinePart, ...]:
    """Parts that say the same become one with the links of all."""
    merged: dict[Hashable, LinePart] = {}
    for part in parts:
        same = (part.title, part.languages, part.status)
        links = merged[same].links if same in merged else ()
        merged[same] = replace(part, links=_distinct((*links, *part.links)))
    return tuple(merged.values())


def _distinct(links: Iterable[Anchor]) -> tuple[Anchor, ...]:
    """One link for each address; one that several sittings lead to is nobody's own."""
    found: dict[str, Anchor] = {}
    for link in links:
        known = found.get(link.url, link)
        found[link.url] = link if known.when == link.when else replace(link, when=None)
    return tuple(found.values())
