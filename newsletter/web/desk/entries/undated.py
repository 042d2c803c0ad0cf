"""
The sittings of a copy: everything they say, without the dates, as the form has it.

Takes sittings; yields fields of the form (see `parts.sittings`), for a draft in which only the dates are missing. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence

from newsletter.content.entry import Kind, Sitting
from newsletter.content.localised import EVERY
from newsletter.web.desk.parts.fields import languages_of
from newsletter.web.desk.parts.sittings import LinkRow, SittingRow, rows_of

Fields = dict[str, tuple[str, ...]]
"""Values by the names of their fields."""


def undated(sittings: Sequence[Sitting], languages: Sequence[str]) -> Fields:
    """The fields of sittings whose dates are still to come; none where a sitting says nothing but its dates."""
    rows = [row for row in rows_of(sittings) if row.has_more]
    if not rows:
        return {}
    tags = languages_of((EVERY, *languages), (words for row in rows for words in row.words))
    fields: Fields = {
        "kind": (Kind.AGENDA.value,),
        "sitting-count": (str(len(rows)),),
        "sitting-languages": (" ".join(dict.fromkeys(tags)),),
    }
    for number, row in enumerate(rows):
        fields |= {f"sitting-{number}-{name}": values for name, values in _fields(row) if any(values)}
    return fields


def _fields(row: SittingRow) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "all_day", ("1",) if row.all_day else ()
    yield "zone", (row.zone,)
    yield "language", row.languages
    yield from _words("title", row.title)
    yield from _words("body", row.body)
    yield "links", (str(len(row.links)),)
    for number, link in enumerate(row.links):
        yield from _link(f"link-{number}", link)
    yield "place", ("1",) if row.own_place else ()
    yield from _words("place-name", row.name)
    yield from _words("place-city", row.city)
    yield "country", (row.country,)
    yield "online", (row.online,)


def _link(name: str, link: LinkRow) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield f"{name}-url", (link.url,)
    yield f"{name}-action", (link.action,)
    yield from _words(f"{name}-label", link.label)


def _words(name: str, words: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for tag, text in words.items():
        yield f"{name}-{tag}", (text,)
