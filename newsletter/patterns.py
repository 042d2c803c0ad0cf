"""
CLDR's patterns of days and hours: read as tokens, cut, and filled.

Takes a locale as a BCP 47 tag; yields its patterns, and the text that a date makes of them. Promises that each locale
has tables of its own, that digits are the locale's, and that spaces are ordinary ones.
"""

import re
from copy import deepcopy
from datetime import date
from functools import cache
from itertools import groupby
from typing import Any, Literal

from babel import Locale, UnknownLocaleError, localedata
from babel.dates import DateTimeFormat, tokenize_pattern

Tokens = tuple[tuple[str, str], ...]
"""A CLDR pattern: (`M`, `MMMM`) is a field, (space, text) what stands between two fields."""

NBSP = "\u00a0"
NARROW_NBSP = "\u202f"
# The first of the month is an ordinal in French; CLDR's patterns cannot say so.
_FIRST_OF_MONTH = {"fr": "1er"}
# The zeros of the numbering systems that are a locale's default (CLDR, numberingSystems.xml), where fonts have them.
_ZEROS = {"arab": "٠", "arabext": "۰", "beng": "০", "deva": "०", "mymr": "၀", "nkoo": "߀", "tibt": "༠"}
# These read the letters of a pattern's tokens (see `tokens_of`): the year with its era and its text; half a day.
_YEAR = re.compile(r"(?<=[dM]) [Gy](?: [Gy])?(?: $)?|(?:^ )?[Gy](?: [Gy])? ?")
LEADING_HALF = re.compile(r"^[abB] ?")
TRAILING_HALF = re.compile(r" ?[abB]$")


class _OwnLocale(Locale):
    """
    A CLDR locale with tables of its own.

    Babel writes what an alias leads to into the table that locales share: Hebrew, read after Japanese, gets the months
    of Japanese, and the same issue other bytes.
    """

    @property
    def _data(self) -> localedata.LocaleDataDict:
        return _tables(str(self))


@cache
def _tables(name: str) -> localedata.LocaleDataDict:
    tables: dict[str | int | None, Any] = dict(localedata.load(name).items())
    return localedata.LocaleDataDict(deepcopy(tables))


@cache
def locale_of(tag: str) -> Locale:
    """Give the locale of a tag, of its nearest parent that CLDR knows, or English."""
    subtags = tag.replace("-", "_").split("_")
    while subtags:
        try:
            return _OwnLocale.parse("_".join(subtags))
        except (UnknownLocaleError, ValueError):
            subtags.pop()
    return _OwnLocale("en")


def clock_pattern(cldr: Locale) -> Tokens:
    """Read the pattern of an hour."""
    return tokens_of(re.sub(r"\s", " ", cldr.time_formats["short"].pattern))


@cache
def day_signs(cldr: Locale) -> tuple[str, str]:
    """Give what the locale writes between two days of a month, and after each: (".–", ".") in German."""
    interval, long = tokens_of("".join(cldr.interval_formats["yMMMd"]["d"])), day_pattern(cldr, "long", year=True)
    found = re.search("d d", _letters(interval))
    sign = interval[found.start() + 1][1] if found else "–"
    after = "".join(text for _, text in long[_letters(long).index("d") + 1 :][:1])
    return re.sub(r"\s*([–~～])\s*", r"\1", sign), re.split(r"[\s,،-]", after)[0]


@cache
def day_pattern(cldr: Locale, length: Literal["full", "long"], *, year: bool) -> Tokens:
    """Read the pattern of a day, with or without its year."""
    pattern = str(cldr.date_formats[length].pattern)
    if cldr.language == "en":
        # CLDR has a comma in "Tuesday, 1 December 2026" and none in "Tuesday 1 December".
        pattern = pattern.replace("EEEE, d", "EEEE d")
    return tokens_of(pattern) if year else without(_YEAR, tokens_of(pattern))


def year_leads(cldr: Locale) -> bool:
    """Tell whether the year stands before the month."""
    letters = _letters(day_pattern(cldr, "long", year=True))
    return letters.index("y") < letters.index("M")


@cache
def tokens_of(pattern: str) -> Tokens:
    """Read a CLDR pattern (UTS 35, Date Format Patterns)."""
    pieces = [
        (" ", part) if isinstance(part, str) else (part[0], part[0] * part[1]) for _, part in tokenize_pattern(pattern)
    ]
    return tuple(
        (letter, "".join(text for _, text in group)) for letter, group in groupby(pieces, key=lambda piece: piece[0])
    )


def _letters(tokens: Tokens) -> str:
    return "".join(letter for letter, _ in tokens)


def without(part: re.Pattern[str], tokens: Tokens) -> Tokens:
    """Take out the tokens whose letters match."""
    found = part.search(_letters(tokens))
    return tokens[: found.start()] + tokens[found.end() :] if found else tokens


def write(tokens: Tokens, moment: date, *, cldr: Locale, days: str = "") -> str:
    """Fill a pattern; `days` stands for the day of the month where there are several."""
    written = DateTimeFormat(moment, cldr)
    texts = []
    for letter, text in tokens:
        if letter == "d":
            texts.append(days or number(moment, cldr, text))
        else:
            texts.append(text if letter == " " else digits(written[text], cldr))
    return re.sub(f"[{NBSP}{NARROW_NBSP}]", " ", "".join(texts))


def number(day: date, cldr: Locale, field: str = "d") -> str:
    """Write the day of the month."""
    if day.day == 1 and cldr.language in _FIRST_OF_MONTH:
        return _FIRST_OF_MONTH[cldr.language]
    return digits(DateTimeFormat(day, cldr)[field], cldr)


def digits(text: str, cldr: Locale) -> str:
    """Write a text with the locale's own digits."""
    zero = ord(_ZEROS.get(cldr.default_numbering_system, "0"))
    return text.translate({ord("0") + digit: zero + digit for digit in range(10)})
