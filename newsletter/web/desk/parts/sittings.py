"""
The sittings of an agenda entry, as a form has them.

Takes a form; yields rows that show again what was entered, right or wrong, and the sittings they make with their
problems. Promises that a sitting keeps its key through every change, so that calendars know it again, that a row in
which nothing was entered is none, and that sittings come in order of time, as readers see them.

Fields: `sitting-count`, `sitting-languages` (the tags that words are asked for), and for each N from 0 on `sitting-N-`
key, all_day, first, last, start, end, zone, status, language (several), other_languages, title-TAG, body-TAG, links (a
number), link-M-url, link-M-action, link-M-label-TAG, place, place-name-TAG, place-city-TAG, country, online, remove.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from newsletter.content.entry import Entry, Kind, Sitting, SittingStatus
from newsletter.web.desk.parts.fields import Fields, Problems, count_in, words_in
from newsletter.web.desk.parts.places import zone_named

MOST_SITTINGS: Final = 60
"""Of one entry: a course of a year has fifty."""

MOST_LINKS: Final = 10
"""Of one sitting."""

_ADDRESS: Final = "A link begins with https:// (or mailto:, tel:) and has no spaces."
_PLACE: Final = "Say where: a name, a city, a country or an online address."

_MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "key": ("key", "This sitting cannot be told from another one: remove it and add it again."),
    "date": ("first", "Say on which day it takes place."),
    "until": ("last", "The last day lies before the first."),
    "start": ("start", "Say when it starts."),
    "end": ("end", "It ends before it starts."),
    "timezone": ("zone", "Choose a time zone from the list, such as Europe/Brussels."),
    "languages": ("other_languages", "Write languages as short codes, such as nl or pt-BR."),
    "country": ("country", "Write the country as two letters, such as BE."),
    "online": ("online", "The address begins with https://."),
    "status": ("status", "Choose whether it takes place as announced."),
}
"""By the last name in the place of Pydantic's error: the field it belongs to, and what to say there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link of a sitting as it was entered."""

    url: str = ""
    action: str = ""
    label: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was entered; a choice without an address is nothing yet."""
        return not self.url and not self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingRow:
    """A sitting as it was entered; times are as browsers write them, `zone` empty for the newsletter's."""

    key: str = ""
    all_day: bool = False
    first: str = ""
    last: str = ""
    start: str = ""
    end: str = ""
    zone: str = ""
    status: str = SittingStatus.CONFIRMED.value
    languages: tuple[str, ...] = ()
    title: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)
    links: tuple[LinkRow, ...] = ()
    own_place: bool = False
    name: Mapping[str, str] = field(default_factory=dict)
    city: Mapping[str, str] = field(default_factory=dict)
    country: str = ""
    online: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was entered that tells a time or says a word."""
        times = (self.first, self.last, self.start, self.end)
        words = (self.title, self.body, self.name, self.city, self.country, self.online)
        return not (self.key or any(times) or any(words) or any(not link.is_blank for link in self.links))

    @property
    def words(self) -> tuple[Mapping[str, str], ...]:
        """Everything that is in languages."""
        return (self.title, self.body, self.name, self.city, *(link.label for link in self.links))

    @property
    def has_more(self) -> bool:
        """Whether more than the time is said."""
        rest = (self.languages, self.title, self.body, self.links, self.own_place)
        return any(rest)


def sittings_in(form: Fields, entry: Entry | None) -> tuple[tuple[Sitting, ...], Problems]:
    """
    The sittings that a form says, and what is wrong with the others.

    A form without these fields leaves what `entry` has; one of another kind than an agenda entry has none.
    """
    if form.get("kind", Kind.AGENDA) != Kind.AGENDA:
        return (), {}
    if "sitting-count" not in form:
        return entry.sittings if entry else (), {}
    rows = rows_in(form)
    keys = {row.key for row in rows if row.key}
    found: list[Sitting] = []
    problems: dict[str, str] = {}
    for index, row in enumerate(rows):
        if row.is_blank:
            continue
        sitting, wrong = sitting_of(row if row.key else _named(row, keys))
        problems |= {f"sitting-{index}-{name}": words for name, words in wrong.items()}
        if sitting is not None:
            found.append(sitting)
            keys.add(sitting.key)
    if not found and not problems:
        problems["sitting-0-start"] = "An agenda entry needs at least one sitting."
    return tuple(sorted(found, key=_moment)), problems


def rows_in(form: Fields) -> tuple[SittingRow, ...]:
    """The rows of a form, those left out that are to be removed."""
    languages = form.get("sitting-languages").split()
    numbers = range(count_in(form, "sitting-count", most=MOST_SITTINGS))
    return tuple(_row(form, f"sitting-{n}-", languages) for n in numbers if f"sitting-{n}-remove" not in form)


def rows_of(sittings: Iterable[Sitting]) -> tuple[SittingRow, ...]:
    """The rows that show what is stored."""
    return tuple(map(row_of, sittings))


def row_of(sitting: Sitting) -> SittingRow:
    """The row that shows a sitting."""
    place = sitting.place
    return SittingRow(
        key=sitting.key,
        all_day=sitting.date is not None,
        first=sitting.date.isoformat() if sitting.date else "",
        last=sitting.until.isoformat() if sitting.until else "",
        start=sitting.start.isoformat(timespec="minutes") if sitting.start else "",
        end=sitting.end.isoformat(timespec="minutes") if sitting.end else "",
        zone=sitting.timezone or "",
        status=sitting.status.value,
        languages=sitting.languages,
        title=sitting.title,
        body=sitting.body,
        links=tuple(LinkRow(url=link.url, action=link.action or "", label=link.label) for link in sitting.links),
        own_place=place is not None,
        name=place.name if place else {},
        city=place.city if place else {},
        country=(place.country or "") if place else "",
        online=(place.online or "") if place else "",
    )


def sitting_of(row: SittingRow) -> tuple[Sitting | None, dict[str, str]]:
    """The sitting that a row makes, or what is wrong by the names of its fields."""
    try:
        return Sitting.model_validate(_data(row)), {}
    except ValidationError as error:
        return None, dict(_problems(error, row))


def _row(form: Fields, name: str, languages: Sequence[str]) -> SittingRow:
    others = form.get(f"{name}other_languages").replace(",", " ").replace(";", " ").split()
    links = range(count_in(form, f"{name}links", most=MOST_LINKS))
    rows = (_link(form, f"{name}link-{m}-", languages) for m in links)
    return SittingRow(
        key=form.get(f"{name}key").strip(),
        all_day=f"{name}all_day" in form,
        **{each: form.get(f"{name}{each}").strip() for each in ("first", "last", "start", "end", "country", "online")},
        zone=zone_named(form.get(f"{name}zone").strip()),
        status=form.get(f"{name}status", SittingStatus.CONFIRMED.value),
        languages=tuple(dict.fromkeys((*form.all(f"{name}language"), *others))),
        title=words_in(form, f"{name}title", languages),
        body=words_in(form, f"{name}body", languages),
        links=tuple(row for row in rows if not row.is_blank),
        own_place=f"{name}place" in form,
        name=words_in(form, f"{name}place-name", languages),
        city=words_in(form, f"{name}place-city", languages),
    )


def _link(form: Fields, name: str, languages: Sequence[str]) -> LinkRow:
    label = words_in(form, f"{name}label", languages)
    return LinkRow(url=form.get(f"{name}url").strip(), action=form.get(f"{name}action"), label=label)


def _named(row: SittingRow, keys: set[str]) -> SittingRow:
    # A sitting is named by its first day: if it is removed and entered again, calendars still know it.
    day = (row.first if row.all_day else row.start)[:10] or "sitting"
    names = (day, *(f"{day}-{number}" for number in range(2, MOST_SITTINGS + 2)))
    return replace(row, key=next(name for name in names if name not in keys))


def _data(row: SittingRow) -> dict[str, Any]:
    data: dict[str, Any] = {
        "key": row.key,
        "status": row.status,
        "languages": row.languages,
        "title": row.title,
        "body": row.body,
        "links": [_link_data(link) for link in row.links],
    }
    if row.own_place:
        place = {"name": row.name, "city": row.city, "country": row.country or None, "online": row.online or None}
        data["place"] = place
    if row.all_day:
        return data | {"date": row.first, "until": row.last if row.last not in {"", row.first} else None}
    return data | {"start": row.start, "end": row.end or None, "timezone": row.zone or None}


def _link_data(link: LinkRow) -> dict[str, Any]:
    said: dict[str, Any] = {"action": link.action} if link.action else {"label": link.label}
    return {"url": link.url, **said}


def _problems(error: ValidationError, row: SittingRow) -> Iterator[tuple[str, str]]:
    for details in error.errors(include_url=False):
        loc = details["loc"]
        names = [name for name in loc if isinstance(name, str)]
        if loc[:1] == ("links",):
            number = next((part for part in loc if isinstance(part, int)), 0)
            yield f"link-{number}-url", _ADDRESS if names[-1] == "url" else "Choose what the link says, or write it."
        elif names == ["place"]:
            yield "online", _PLACE
        elif names and names[-1] in _MESSAGES:
            name, words = _MESSAGES[names[-1]]
            yield name, _unreadable(name, words, row)
        else:
            yield "first" if row.all_day else "start", "This sitting cannot be stored as it is."


def _unreadable(name: str, words: str, row: SittingRow) -> str:
    """What to say of a date: that it is missing or out of order, or that it is none."""
    written = str(getattr(row, name, "")) if name in {"first", "last", "start", "end"} else ""
    if not written:
        return words
    first = {"last": row.first, "end": row.start}.get(name)
    return words if first and written <= first else "This is no day of the calendar between 1900 and 2199."


def _moment(sitting: Sitting) -> tuple[Any, bool, Any]:
    if sitting.start is None:
        return sitting.date, False, sitting.last_day
    return sitting.start.date(), True, sitting.start
