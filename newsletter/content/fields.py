"""
The kinds of words that content is made of: keys, addresses, zones, countries, days.

Each is a type for Pydantic that accepts what people may write and refuses the rest with a sentence that says what to
write instead. Pure.
"""

import datetime as dt
import re
from functools import cache
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from newsletter.content.localised import Localised
from subscribers.errors import InvalidValue
from subscribers.language import country_code

DUPLICATE: Final = "duplicate_key"
"""The Pydantic error type of two things with one key: a content pack names both lines instead."""

SAFE_SCHEMES: Final = ("https", "http", "mailto", "tel")
"""Where a link may lead: everything else (javascript, data, file) is a way to attack a reader."""

LONGEST_KEY: Final = 80
"""Characters in one key: fits every column and file name."""

EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2199
"""Other years are slips of the finger, and their neighbours would leave the calendar."""

Date = TypeVar("Date", dt.date, dt.datetime)
"""A day, with or without a time."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_KEY: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def _key(value: Any) -> Any:
    text = str(value) if isinstance(value, (int, float, dt.date)) else value
    if isinstance(text, str) and not (_KEY.fullmatch(text) and len(text) <= LONGEST_KEY):
        raise ValueError(
            f"a key is 1 to {LONGEST_KEY} small letters and digits, with single - . _ between them; not {text[:90]!r}"
        )
    return text


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError(f"the link cannot be read: {error}") from error
    if parts.scheme.lower() not in SAFE_SCHEMES:
        raise ValueError("a link starts with https://, http://, mailto: or tel:")
    if parts.scheme.lower() in {"http", "https"} and not parts.hostname:
        raise ValueError("the link names no host")
    if re.search(r"[\x00-\x20\x7f<>\"\\^`{|}]", value):
        raise ValueError("the link has a space or another character that must be percent-encoded (RFC 3986 §2)")
    return value


def _web(value: str) -> str:
    if not value.lower().startswith(("https://", "http://")):
        raise ValueError("this address starts with https:// or http://")
    return _url(value)


def _webs(value: dict[str, str]) -> dict[str, str]:
    return {tag: _web(address) for tag, address in value.items()}


@cache
def _zones() -> frozenset[str]:
    # The list is made by walking through the whole tz database.
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError(f"{value!r} is no IANA time zone; write for example Europe/Brussels")
    return value


def _country(value: str) -> str:
    try:
        return country_code(value)
    except InvalidValue as error:
        raise ValueError(f"{value!r} is no ISO 3166 country code; write for example BE") from error


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return _near(value)
    # Left to itself, Pydantic reads 20261103 as seconds since 1970.
    try:
        day = dt.date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!r} is no day of the calendar; write for example 2026-11-03") from error
    return _near(day)


def _clock(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return _near(value)
    try:
        moment = dt.datetime.fromisoformat(value if _CLOCK.fullmatch(value) else "")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!r} is no day and time; write for example 2026-12-01T14:00") from error
    return _near(moment)


def _near(value: Date) -> Date:
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise ValueError(f"the year {value.year} is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]
"""A day of the calendar, written as 2026-11-03 (RFC 3339 full-date)."""

WallClock = Annotated[dt.datetime, BeforeValidator(_clock)]
"""A day and a time as a clock on the wall shows it, written as 2026-12-01T14:00."""

Key = Annotated[str, BeforeValidator(_key)]
"""Names a thing for ever: lower case, fits a file name and a web address."""

Url = Annotated[str, Field(max_length=2000), AfterValidator(_url)]
"""An absolute address with a safe scheme."""

WebUrl = Annotated[str, Field(max_length=2000), AfterValidator(_web)]
"""An absolute http(s) address."""

WebUrls = Annotated[Localised, AfterValidator(_webs)]
"""One http(s) address, or one per language."""

Zone = Annotated[str, AfterValidator(_zone)]
"""An IANA time zone."""

Country = Annotated[str, AfterValidator(_country)]
"""An ISO 3166-1 alpha-2 code."""
