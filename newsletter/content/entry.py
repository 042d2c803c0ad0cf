"""
An entry: one stored piece of content, in all its languages.

Takes plain data (a content pack's mapping, a form) and yields a frozen `Entry` that is consistent in itself: the source
language has a title, sittings have unique keys and end after they start, links lead somewhere safe. Every refusal is a
Pydantic error whose `loc` is the path inside the data. Touches no database, clock or network.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from newsletter.content.fields import (
    DUPLICATE,
    SAFE_SCHEMES,
    Country,
    Day,
    Key,
    Url,
    WallClock,
    WebUrl,
    WebUrls,
    Zone,
)
from newsletter.content.localised import Localised, Tag, Value, filled

__all__ = [
    "LONGEST_BODY",
    "SAFE_SCHEMES",
    "Action",
    "Entry",
    "Image",
    "Key",
    "Kind",
    "Link",
    "Place",
    "Sitting",
    "SittingLink",
    "SittingStatus",
    "Status",
    "StoredEntry",
    "Text",
]

LONGEST_BODY: Final = 50_000
"""Characters in one body: an edition is clipped by Gmail near 102 kB, so more is a mistake, not a text."""


class Kind(StrEnum):
    """What an entry is."""

    #: A short report with a link.
    NEWS = "news"
    #: Something that takes place at one or several times.
    AGENDA = "agenda"
    #: A document to read or download.
    PUBLICATION = "publication"
    #: A "did you know".
    NOTE = "note"


class Status(StrEnum):
    """Where an entry stands editorially."""

    #: Being written: no issue takes it.
    DRAFT = "draft"
    #: May be taken by an issue from its day of publication on.
    PUBLISHED = "published"
    #: Taken back: no issue takes it any more.
    WITHDRAWN = "withdrawn"


class SittingStatus(StrEnum):
    """Whether a sitting takes place as announced."""

    #: As announced.
    CONFIRMED = "confirmed"
    #: Takes place, at another time or place than announced first.
    MOVED = "moved"
    #: Does not take place.
    CANCELLED = "cancelled"


class Action(StrEnum):
    """A call to action whose words are the theme's, in each language."""

    #: Sign up for an event.
    REGISTER = "register"
    #: The whole story.
    READ_MORE = "read_more"
    #: Facts about an event.
    INFORMATION = "information"
    #: Get a document.
    DOWNLOAD = "download"
    #: The programme of an event.
    PROGRAMME = "programme"
    #: A recording.
    WATCH = "watch"


class Link(Value):
    """A link of one text: an `action` takes the theme's words, a `label` is in the text's own language."""

    action: Action | None = None
    label: Annotated[str, Field(max_length=300)] | None = None
    url: Url

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.action is None) == (not self.label):
            raise ValueError("give the link either an action or a label")
        return self


class SittingLink(Value):
    """A link of one sitting; its label may depend on the language."""

    action: Action | None = None
    label: Localised = {}
    url: Url

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.action is None) == (not self.label):
            raise ValueError("give the link either an action or a label")
        return self


class Text(Value):
    """What an entry says in one language: always shown as a whole, so that title and body never differ in language."""

    title: Annotated[str, Field(min_length=1, max_length=500)]
    body: Annotated[str, Field(max_length=LONGEST_BODY)] = ""
    links: tuple[Link, ...] = ()


class Image(Value):
    """A picture: at an address, or in a file beside the pack (after import: the name of the stored picture)."""

    url: WebUrls = {}
    file: Localised = {}
    alt: Localised = {}
    credit: Localised = {}
    link: WebUrl | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if bool(self.url) == bool(self.file):
            raise ValueError("give the image either a url or a file")
        return self


class Place(Value):
    """Where an event takes place; a city and an online address together make a hybrid event."""

    name: Localised = {}
    city: Localised = {}
    country: Country | None = None
    online: WebUrl | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if not (self.name or self.city or self.country or self.online):
            raise ValueError("a place has a name, a city, a country or an online address")
        return self


class Sitting(Value):
    """
    One dated occurrence of an agenda entry: whole days, or a wall-clock start with an optional end.

    `start` and `end` are naive: they are wall-clock times in `timezone` (default: the newsletter's).
    """

    key: Key
    date: Day | None = None
    until: Day | None = None
    start: WallClock | None = None
    end: WallClock | None = None
    timezone: Zone | None = None
    languages: tuple[Tag, ...] = ()
    title: Localised = {}
    body: Localised = {}
    links: tuple[SittingLink, ...] = ()
    place: Place | None = None
    status: SittingStatus = SittingStatus.CONFIRMED

    @field_validator("start", "end")
    @classmethod
    def _is_wall_clock(cls, value: dt.datetime | None) -> dt.datetime | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError("write the wall-clock time without an offset, and its zone under timezone")
        return value

    @field_validator("until")
    @classmethod
    def _is_over_after_it_begins(cls, value: dt.date | None, info: ValidationInfo) -> dt.date | None:
        first = info.data.get("date")
        if value is not None and first is not None and value < first:
            raise ValueError(f"the sitting is over ({value}) before it begins ({first})")
        return value

    @field_validator("end")
    @classmethod
    def _ends_after_it_starts(cls, value: dt.datetime | None, info: ValidationInfo) -> dt.datetime | None:
        start = info.data.get("start")
        if value is not None and start is not None and value <= start:
            raise ValueError(f"the sitting ends ({value:%Y-%m-%d %H:%M}) before it starts ({start:%Y-%m-%d %H:%M})")
        return value

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if (self.date is None) == (self.start is None):
            raise ValueError("give a sitting either a date (whole days) or a start")
        if self.date is None and self.until is not None:
            raise ValueError("until goes with date; a start goes with end")
        if self.start is None and (self.end is not None or self.timezone is not None):
            raise ValueError("end and timezone go with start; a date goes with until")
        return self

    @property
    def last_day(self) -> dt.date:
        """The last day on which it takes place, by the clock of its own zone."""
        if self.start is None:
            return self.until or self.date or dt.date.max
        return (self.end or self.start).date()


class Entry(Value):
    """One piece of content, stored once, with one text per language."""

    key: Key
    kind: Kind
    section: Key
    topic: Annotated[str, Field(max_length=200)] | None = None
    tags: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = ()
    status: Status = Status.PUBLISHED
    published: Day
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    source: Tag = ""
    languages: tuple[Tag, ...] = ()
    repeat: bool = False
    image: Image | None = None
    place: Place | None = None
    sittings: tuple[Sitting, ...] = ()
    texts: Annotated[dict[Tag, Text], BeforeValidator(filled)]

    @model_validator(mode="before")
    @classmethod
    def _source_is_the_first_text(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and not data.get("source") and isinstance(data.get("texts"), Mapping):
            first = next(iter(filled(data["texts"])), "")
            return {**data, "source": first} if first else data
        return data

    @field_validator("sittings")
    @classmethod
    def _sittings_have_their_own_keys(cls, value: tuple[Sitting, ...]) -> tuple[Sitting, ...]:
        seen: set[str] = set()
        for sitting in value:
            if sitting.key in seen:
                raise PydanticCustomError(DUPLICATE, f"two sittings have the key {sitting.key!r}")
            seen.add(sitting.key)
        return value

    @field_validator("texts")
    @classmethod
    def _has_a_text_in_its_own_language(cls, value: dict[str, Text], info: ValidationInfo) -> dict[str, Text]:
        if not value:
            raise ValueError("the entry has no text in any language")
        if (source := info.data.get("source")) and source not in value:
            raise ValueError(f"the entry's own language is {source}, but it has no title and text in it")
        return value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        # Who writes an agenda entry at the desk gives it its dates after its title.
        if self.kind is Kind.AGENDA and not self.sittings and self.status is not Status.DRAFT:
            raise ValueError("an agenda entry needs at least one sitting")
        if self.kind is not Kind.AGENDA and self.sittings:
            raise ValueError("only agenda entries have sittings")
        return self

    @property
    def last_day(self) -> dt.date | None:
        """The last day of the last sitting, cancelled ones included; None without sittings."""
        return max((sitting.last_day for sitting in self.sittings), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """
    An entry as it is stored.

    `stale` names the languages whose text was made from an older source text; `sequences` gives each sitting's SEQUENCE
    (RFC 5545 §3.8.7.4) by its key; `changed` is aware, in UTC; `revision` counts the changes.
    """

    id: int
    entry: Entry
    stale: frozenset[str]
    sequences: Mapping[str, int]
    changed: dt.datetime
    revision: int = 0
