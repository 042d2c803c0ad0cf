"""
Instants and spans of time as the pages about sending say them.

Takes an operator's language and an IANA zone; yields words. Where somebody decides when a thousand people get mail, a
time never stands alone: it has its weekday and the place whose clock it is.
"""

import datetime as dt
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_time, format_timedelta

from newsletter.times import day_words
from newsletter.web.desk.words import Tongue, tongue

_Unit = Literal["second", "minute", "hour", "day"]

_UNITS: Final[tuple[tuple[_Unit, int], ...]] = (("day", 48 * 3600), ("hour", 2 * 3600), ("minute", 120), ("second", 0))
"""From how many seconds on a span is said in which unit: two of the next one are not more than people take in."""


def city_of(zone: str, *, locale: str) -> str:
    """The place that an IANA zone is named after, in words: "Brussels", « Bruxelles »; UTC is UTC."""
    known = Locale.parse(locale, sep="-").time_zones.get(zone, {}).get("city")
    return str(known or zone.rpartition("/")[2].replace("_", " "))


def instant_words(when: dt.datetime, *, language: str, zone: str) -> str:
    """An instant by the clock of a place: "Tuesday 1 December 2026, 09:00 Brussels time"."""
    reads, local = tongue(language, zone), when.astimezone(ZoneInfo(zone))
    clock = format_time(local, "short", locale=reads.locale.replace("-", "_"))
    return wall_words(local.date(), clock, reads=reads, zone=zone)


def wall_words(day: dt.date, clock: str, *, reads: Tongue, zone: str) -> str:
    """A day and a time of day at a place."""
    words = day_words(day, locale=reads.locale, weekday=True)
    city = city_of(zone, locale=reads.locale)
    return reads.words.say("{day}, {clock} {city} time", day=words, clock=clock, city=city)


def span_words(span: dt.timedelta, *, language: str) -> str:
    """How long something takes, in one unit that fits: "40 seconds", "3 minutes"; less than a second is one."""
    seconds = max(1, round(span.total_seconds()))
    locale = tongue(language, "UTC").locale.replace("-", "_")
    unit = next(unit for unit, least in _UNITS if seconds >= least)
    # With such a threshold no larger unit is taken.
    return str(format_timedelta(dt.timedelta(seconds=seconds), granularity=unit, threshold=seconds + 1, locale=locale))
