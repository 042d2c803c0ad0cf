"""
The words of the desk, and how it writes instants, days and numbers.

Takes an operator's language and time zone; yields a catalogue joined from the domains `desk` and `desk-…` (a file an
area, so that each stands beside what it names), and functions for templates. English and French are complete; a
language is offered once it has `desk.po`.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_time, format_timedelta
from babel.numbers import format_decimal, format_percent

from newsletter.patterns import locale_of
from newsletter.times import Span, day_words, span_words
from newsletter.words import Catalogue, catalogue, languages

DOMAIN: Final = "desk"
"""The common words; those of an area stand in `desk-AREA`."""

_REGIONS: Final = {"en": "en-GB"}
"""Where a language alone would write dates as one of its countries does that most of its readers here are not in."""


@cache
def desk_languages() -> tuple[str, ...]:
    """The languages that the desk speaks, in alphabetical order."""
    return languages(DOMAIN)


@cache
def desk_words(language: str) -> Catalogue:
    """The words of all areas in a language, or in English."""
    common = catalogue(language, DOMAIN)
    messages = dict(common.messages)
    for domain in domains():
        area = catalogue(common.language, domain)
        if area.language == common.language:
            messages.update(area.messages)
    return Catalogue(language=common.language, messages=messages, plural=common.plural)


@cache
def domains() -> tuple[str, ...]:
    """The domains of areas, in alphabetical order."""
    folder = resources.files("newsletter").joinpath("locales", "en", "LC_MESSAGES")
    names = (file.name.removesuffix(".po") for file in folder.iterdir() if file.name.endswith(".po"))
    return tuple(sorted(name for name in names if name.startswith(f"{DOMAIN}-")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """How one operator reads: the words, and everything that is written in digits."""

    words: Catalogue
    zone: ZoneInfo

    @property
    def locale(self) -> str:
        """The CLDR locale of dates and numbers."""
        return _REGIONS.get(self.words.language, self.words.language)

    def moment(self, when: dt.datetime) -> str:
        """An instant in full: "Tuesday 1 December 2026, 09:00 CET"."""
        return span_words(Span(start=when.astimezone(self.zone)), locale=self.locale, style="block")

    def day(self, when: dt.date) -> str:
        """A day, or the day of an instant: "1 December 2026"."""
        day = when.astimezone(self.zone).date() if isinstance(when, dt.datetime) else when
        return day_words(day, locale=self.locale)

    def clock(self, when: dt.datetime) -> str:
        """The time of day of an instant: "09:00"."""
        return format_time(when.astimezone(self.zone), "short", locale=self._babel)

    def ago(self, when: dt.datetime, *, now: dt.datetime) -> str:
        """How far an instant is from now: "3 hours ago", "in 2 days"."""
        return format_timedelta(when - now, add_direction=True, locale=self._babel)

    def number(self, value: float) -> str:
        """A number with its separators."""
        return format_decimal(value, locale=self._babel)

    def percent(self, share: float) -> str:
        """A share from 0 to 1 in hundredths: "12.5%"."""
        pattern = self._babel.percent_formats[None].pattern
        return format_percent(share, format=pattern.replace("0", "0.#"), locale=self._babel)

    @property
    def _babel(self) -> Locale:
        return locale_of(self.locale)


@cache
def tongue(language: str, timezone: str) -> Tongue:
    """How somebody reads who chose a language and a zone; an unknown zone is UTC."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return Tongue(words=desk_words(language), zone=zone)
