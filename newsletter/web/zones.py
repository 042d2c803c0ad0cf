"""
The time zones that a person may choose from, in words.

Takes the language of a page; yields groups of zones, each zone by its IANA name and as "Brussels – Belgium", with the
cities of CLDR. They are those of the IANA database's `zone.tab`: one or more for each country, none twice under an old
name. Reads no clock; the same language gives the same choice.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from babel import Locale
from babel.core import get_global

from newsletter.words import catalogue

WORDS: Final = "public"
"""The domain of the words of public pages."""

_TERRITORIES: Final = {
    "Africa": "002",
    "America": "019",
    "Antarctica": "AQ",
    "Asia": "142",
    "Australia": "AU",
    "Europe": "150",
}
"""The first part of a zone's name, and what CLDR calls it by (UN M49, ISO 3166-1)."""

_OCEANS: Final = {"Atlantic": "Atlantic Ocean", "Indian": "Indian Ocean", "Pacific": "Pacific Ocean"}
"""Those for which CLDR has no name: messages of `public.po`."""

_MOVED: Final = {"Arctic": "Europe"}
"""Parts with a single zone, and where people look for it."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone by its IANA name, such as Europe/Brussels, and in words."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class ZoneGroup:
    """The zones of a part of the world, in the order of their words."""

    words: str
    zones: tuple[Zone, ...]


@cache
def zone_groups(language: str) -> tuple[ZoneGroup, ...]:
    """Every zone in a language of the public pages, by parts of the world."""
    locale = Locale.parse(language, sep="-")
    parts: dict[str, list[Zone]] = {}
    for country, name in _zones():
        part = name.partition("/")[0]
        zone = Zone(name, _words(country, name, locale=locale))
        parts.setdefault(_MOVED.get(part, part), []).append(zone)
    groups = [
        ZoneGroup(
            _part(part, locale=locale, language=language), tuple(sorted(zones, key=lambda each: _order(each.words)))
        )
        for part, zones in parts.items()
    ]
    return tuple(sorted(groups, key=lambda group: _order(group.words)))


@cache
def zone_names() -> frozenset[str]:
    """The IANA names of all zones that can be chosen."""
    return frozenset(name for _, name in _zones())


@cache
def _zones() -> Sequence[tuple[str, str]]:
    """Country (ISO 3166-1) and name of each zone."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    lines = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return tuple((columns[0], columns[2]) for columns in lines)


@cache
def _known_before() -> dict[str, tuple[str, ...]]:
    """The older names of zones: CLDR keeps the one under which it first knew them, such as Asia/Calcutta."""
    older: dict[str, tuple[str, ...]] = {}
    for old, new in get_global("zone_aliases").items():
        older[new] = (*older.get(new, ()), old)
    return older


def _words(country: str, name: str, *, locale: Locale) -> str:
    names = (name, *_known_before().get(name, ()))
    cities = (locale.time_zones[each].get("city") for each in names if each in locale.time_zones)
    city = next(filter(None, cities), name.rpartition("/")[2].replace("_", " "))
    land = locale.territories.get(country, country)
    return city if city == land else f"{city} – {land}"


def _part(part: str, *, locale: Locale, language: str) -> str:
    if part in _OCEANS:
        return catalogue(language, WORDS).say(_OCEANS[part])
    return str(locale.territories[_TERRITORIES[part]])


def _order(words: str) -> str:
    """What words are sorted by: without accents and case, as dictionaries of our languages do."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
