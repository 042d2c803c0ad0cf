"""
Weekdays in running text that contradict their date.

Takes a text, the language it is in and the date of its issue; yields each "Tuesday 2 December" that is none. Names of
days and months are CLDR's. Errs on the side of silence: a date without a year counts as wrong only if its weekday fits
neither the last nor the next such day as the issue's date has it, and 1/12/2026 may be read either way round. Pure.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

from babel import Locale, UnknownLocaleError, localedata

from subscribers.language import parents

_SHORT: Final = 2
"""Letters: names as short as "Di" or "so" are weekdays only before a full stop or comma."""

_NEAR: Final = dt.timedelta(days=366)
"""A date without a year is the last or the next one: within a year of the issue."""

_ARTICLE: Final = r"(?:(?:the|on|of|le|el|il|lo|o|a|den|dem|der|am|de|del|du|στις|την|της)\s+)?"
_APART: Final = rf"[\s,،.\u200f]*{_ARTICLE}"
_DAY: Final = r"(?<!\d)(?P<day>\d{1,2})(?!\d)(?:st|nd|rd|th|er|re|ère|º|ª|\.)?"
_YEAR: Final = rf"(?:{_APART}(?P<year>\d{{4}})(?!\d))?"
_NUMBERS: Final = (
    r"(?<!\d)(?P<first>\d{1,2})\s?(?P<between>[./-])\s?(?P<second>\d{1,2})\s?[./-]\s?(?P<year>\d{4})(?!\d)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A weekday with a date that falls on another: the words as they are written, and the day they name."""

    words: str
    day: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calendar:
    """The names of a language in small letters without a full stop, and the patterns that find dates with a weekday."""

    weekdays: Mapping[str, int]
    months: Mapping[str, int]
    patterns: tuple[re.Pattern[str], ...]


def slips_in(text: str, *, language: str, near: dt.date) -> Iterator[Slip]:
    """The weekdays in `text` that contradict their date; none in a language that CLDR does not know."""
    calendar = _calendar(language)
    if calendar is None:
        return
    for pattern in calendar.patterns:
        for found in pattern.finditer(text):
            days = sorted(_days(found, calendar, near=near), key=lambda day: abs(day - near))
            weekday = calendar.weekdays.get(_bare(found["weekday"]))
            # A pattern that ignores case takes a dotless i for an i, and so finds names that are none.
            if weekday is not None and days and all(day.weekday() != weekday for day in days):
                yield Slip(words=" ".join(found[0].split()), day=days[0])


def _days(found: re.Match[str], calendar: _Calendar, *, near: dt.date) -> Iterator[dt.date]:
    named = found.groupdict()
    if named.get("month"):
        pairs = [(int(found["day"]), calendar.months.get(_bare(found["month"]), 0))]
    else:
        first, second = int(found["first"]), int(found["second"])
        # Only where dots stand between them is it certain that the day comes first.
        pairs = [(first, second)] if found["between"] == "." else [(first, second), (second, first)]
    years = [int(found["year"])] if found["year"] else [near.year - 1, near.year, near.year + 1]
    for (day, month), year in product(pairs, years):
        try:
            date = dt.date(year, month, day)
        except ValueError:
            continue
        if found["year"] or abs(date - near) <= _NEAR:
            yield date


@lru_cache(maxsize=64)
def _calendar(language: str) -> _Calendar | None:
    locale = _locale(language)
    if locale is None:
        return None
    tables = _tables(str(locale))
    weekdays, months = _names(tables["days"]), _names(tables["months"])
    day_name = rf"(?<!\w)(?P<weekday>{_either(weekdays)})(?!\w)"
    month_name = rf"(?P<month>{_either(months)})(?!\w)"
    shapes = (
        rf"{day_name}{_APART}{_DAY}{_APART}{month_name}{_YEAR}",
        rf"{day_name}{_APART}{month_name}[\s.]+{_DAY}{_YEAR}",
        rf"{day_name}{_APART}{_NUMBERS}",
    )
    patterns = tuple(re.compile(shape, re.IGNORECASE) for shape in shapes)
    return _Calendar(weekdays=weekdays, months=months, patterns=patterns)


def _locale(language: str) -> Locale | None:
    for tag in (language, *parents(language)):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


def _tables(name: str) -> localedata.LocaleDataDict:
    # A copy: Babel writes what an alias leads to into the tables that locales share.
    shared = localedata.load(name)
    return localedata.LocaleDataDict(deepcopy({part: shared[part] for part in ("days", "months")}))


def _names(contexts: Mapping[str, Mapping[str, Mapping[int, str]]]) -> dict[str, int]:
    widths = (names for context in contexts.values() for width, names in context.items() if width != "narrow")
    return {_bare(name): number for names in widths for number, name in names.items() if len(_bare(name)) >= _SHORT}


def _bare(name: str) -> str:
    return name.lower().rstrip(".")


def _either(names: Mapping[str, int]) -> str:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(re.escape(name) + (r"(?=[.,])" if len(name) <= _SHORT else r"\.?") for name in longest_first)
