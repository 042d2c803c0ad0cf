"""
Every date and hour in words.

Takes plain values (dates, aware datetimes, spans of them) and an edition's locale as a BCP 47 tag; yields text after
Babel's CLDR data. Promises to read no clock: equal values give equal words in the mail, its text part, the web view and
the desk.

A locale that CLDR does not know is cut down to its parents (`fr-XX` to `fr`) and ends at English. Bare `en` is CLDR's
`en`, which writes as in the United States; a newsletter that wants "1 December" and 24 hours says `en-GB`. Digits are
the locale's own. A zone's name keeps Latin letters and digits and is closed, in right-to-left writing, by a
RIGHT-TO-LEFT MARK, so that what follows it keeps its order.

Spaces are ordinary ones, also where CLDR has special ones, so that a reader who searches the mail for "1 December 2026"
finds it. The dash of a range stands without spaces unless it follows several words ("30 November – 2 December").
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import DateTimeFormat
from babel.lists import format_list

from newsletter.patterns import (
    LEADING_HALF,
    NARROW_NBSP,
    NBSP,
    TRAILING_HALF,
    clock_pattern,
    day_pattern,
    day_signs,
    digits,
    locale_of,
    number,
    tokens_of,
    without,
    write,
    year_leads,
)

Style = Literal["block", "line"]
"""`block`: weekday, hours and zone, under an entry's text. `line`: the short form that opens a line of the agenda."""

_RIGHT_TO_LEFT_MARK = "\u200f"

# A range, and a single day beside a range, where readers expect words and CLDR has a bare dash.
_RANGE_WORDS = {
    "es": ("del {} al {}", "el {}"),
    "fr": ("du {} au {}", "le {}"),
}
# CLDR gives the form for a menu; inside a sentence Greek writes the names of languages small.
_SMALL_LANGUAGES = frozenset({"el"})
# Spanish "y" is "e" before the sound i (inglés, hindi), not before a diphthong (hielo): RAE, Ortografía.
_SPANISH_I = re.compile(r"h?[ií](?![aeouáéóú])", re.IGNORECASE)
# A French colon or semicolon is followed by a space, the end or a closing mark; `:)` and `:30` are something else.
_FRENCH_SPACE = re.compile(
    r"(?P<wide>(?<=«) +(?=\S)|(?<=\S) +(?=»|:(?:\s|$|[*_»\"”’<])))"
    r"|(?<=\S) +(?=;(?:\s|$|[*_»\"”’<])|[!?](?![\w\[=&]))"
)


class UnknownZone(ValueError):  # noqa: N818  reads as what happened
    """
    No such time zone in the IANA database.

    Attributes:
        zone: the name as it was given.
    """

    def __init__(self, zone: str) -> None:
        super().__init__(f"“{zone}” is no time zone of the IANA database; write it like Europe/Brussels")
        self.zone = zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    One occurrence: whole days, or an instant with an end if one is known.

    Raises ValueError for a datetime without zone, for a date beside a datetime, and for an end before the start.
    """

    start: datetime | date
    """An aware datetime, or the first day of an all-day occurrence."""
    end: datetime | date | None = None
    """The end, or the last day (included). None: no end is known, and none is invented."""

    def __post_init__(self) -> None:
        start, end = self.start, self.start if self.end is None else self.end
        if isinstance(start, datetime) != isinstance(end, datetime):
            raise ValueError("a span is of two dates or of two datetimes")
        moments = [moment for moment in (start, end) if isinstance(moment, datetime)]
        if any(moment.utcoffset() is None for moment in moments):
            raise ValueError("a span's datetimes bear their zone")
        # Two datetimes of one zone are compared by their wall clocks, which go back once a year.
        if sorted(moments, key=datetime.timestamp) != moments or (not moments and end < start):
            raise ValueError("a span ends before it starts")

    @property
    def all_day(self) -> bool:
        """Whether the span is made of days rather than hours."""
        return not isinstance(self.start, datetime)

    @property
    def first_day(self) -> date:
        """The day of the start, in the span's own zone."""
        return self.start.date() if isinstance(self.start, datetime) else self.start

    @property
    def last_day(self) -> date:
        """The day of the end, in the zone of the start; an end at midnight belongs to the evening before."""
        if moments := _moments(self):
            return max(self.first_day, (moments[-1] - timedelta(microseconds=1)).date())
        return self.end or self.first_day


class _Days(NamedTuple):
    """A run of days: `whole` ones join their neighbours, days with hours stay apart."""

    first: date
    last: date
    whole: bool


def local(start: datetime, zone: str) -> datetime:
    """
    Put a naive wall-clock time into an IANA zone.

    An hour that the clocks skip becomes the first instant after the gap; an hour that comes twice, its first.

    Raises:
        UnknownZone: the IANA database has no such zone.
        ValueError: `start` has a zone already.
    """
    if start.tzinfo is not None:
        raise ValueError("a wall-clock time has no zone of its own")
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:  # OSError: "Europe" alone is a folder
        raise UnknownZone(zone) from error
    before, after = (start.replace(tzinfo=place, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    if after <= before:
        return start.replace(tzinfo=place)
    old = start.replace(tzinfo=UTC, microsecond=0) - after
    gap = range(int((after - before).total_seconds()))
    seconds = bisect_left(
        gap, 1, key=lambda second: (old + timedelta(seconds=second)).astimezone(place).utcoffset() == after
    )
    return (old + timedelta(seconds=seconds)).astimezone(place)


def zone_name(when: datetime) -> str:
    """Name the zone of an aware datetime by the tz database's abbreviation, or `UTC+5:45` where that is a number."""
    name = when.tzname() or ""
    if name.isalpha():
        return name
    minutes = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'-' if minutes < 0 else '+'}{hours}" if minutes else ""
    return f"UTC{offset}:{rest:02}" if rest else f"UTC{offset}"


def rfc3339(when: datetime) -> str:
    """Write an aware datetime for machines: RFC 3339, in UTC, with Z."""
    if when.utcoffset() is None:
        raise ValueError("an instant bears its zone")
    return when.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def span_words(span: Span, *, locale: str, style: Style, year: bool = True) -> str:
    """Write one occurrence, as `spans_words` does."""
    return spans_words([span], locale=locale, style=style, year=year)


def spans_words(spans: Iterable[Span], *, locale: str, style: Style, year: bool = True) -> str:
    """
    Write the occurrences of one entry, in any order.

    Whole days: neighbours read as one range, others as a list: "25–26 and 28 January 2027". In a block a single day has
    its weekday, and hours their zone: "Tuesday 1 December 2026, 14:00–15:00 CET"; hours of one day share both. A line
    has hours only where one day has several: "1 December 2026, 10:00 and 14:00 CET". No span, no words.
    """
    cldr = locale_of(locale)
    ordered = sorted(spans, key=lambda span: (span.first_day, *(moment.timestamp() for moment in _moments(span))))
    if style == "line":
        return _line(ordered, cldr=cldr, year=year)
    phrases = [_block(list(group), cldr=cldr, year=year) for _, group in groupby(ordered, key=_shared_day)]
    return list_words(phrases, locale=locale)


def day_words(day: date, *, locale: str, weekday: bool = False, year: bool = True) -> str:
    """Write one day: "1 December 2026", « mardi 1er décembre 2026 »."""
    return _day(day, cldr=locale_of(locale), weekday=weekday, year=year)


def month_words(first: date, *, locale: str) -> str:
    """Write a day's month and year: "December 2026"."""
    cldr = locale_of(locale)
    return write(tokens_of(cldr.datetime_skeletons["yMMMM"].pattern), first, cldr=cldr)


def parts_for_badge(span: Span, locale: str) -> tuple[str, str]:
    """Give the first day's number and its month's short name: ("26", "May")."""
    written = DateTimeFormat(span.first_day, cldr := locale_of(locale))
    return digits(written["d"], cldr), digits(written["LLL"], cldr)


def list_words(parts: Sequence[str], *, locale: str) -> str:
    """Join words as the locale does: "English, French and Spanish". Nothing gives an empty text."""
    cldr = locale_of(locale)
    words = format_list(list(parts), style="standard", locale=cldr)
    if cldr.language == "es" and len(parts) > 1 and _SPANISH_I.match(parts[-1]):
        return f"{words.removesuffix(f'y {parts[-1]}')}e {parts[-1]}"
    return words


def language_words(tags: Sequence[str], *, locale: str) -> str:
    """Name languages as inside a sentence: "English and French", « anglais et français ». Unknown tags stay tags."""
    cldr = locale_of(locale)
    names = [_language(tag, cldr) for tag in tags]
    return list_words([name.lower() for name in names] if cldr.language in _SMALL_LANGUAGES else names, locale=locale)


def own_name(tag: str) -> str:
    """Name a language in itself, as in a choice of languages: "Français", "Ελληνικά". Unknown tags stay tags."""
    name = _language(tag, locale_of(tag))
    return name[:1].upper() + name[1:]


def french_spaces(text: str) -> str:
    """
    Keep French punctuation from beginning a line, in plain text or Markdown.

    An ordinary space before ; ! ? becomes NARROW NO-BREAK SPACE, one before : and » and one after « becomes NO-BREAK
    SPACE (Lexique des règles typographiques en usage à l’Imprimerie nationale). No space is added where there was none,
    so addresses and hours stay whole; emoticons and Markdown pictures are left alone. Twice is the same as once.
    """
    return _FRENCH_SPACE.sub(lambda space: NARROW_NBSP if space["wide"] is None else NBSP, text)


def _language(tag: str, cldr: Locale) -> str:
    subtags = tag.replace("-", "_").split("_")
    known = (cldr.languages.get("_".join(subtags[:length])) for length in range(len(subtags), 0, -1))
    return next((name for name in known if name), tag)


def _moments(span: Span) -> tuple[datetime, ...]:
    """Give start and end in the zone of the start; without an end the start twice, of whole days nothing."""
    if not isinstance(span.start, datetime):
        return ()
    end = span.end if isinstance(span.end, datetime) else span.start
    return span.start, end.astimezone(span.start.tzinfo)


def _shared_day(span: Span) -> object:
    """Give what the spans of one phrase share: being whole days, or one day; a span over midnight stands alone."""
    if span.all_day:
        return None
    return span.first_day if span.first_day == span.last_day else span


def _shared_month(days: _Days) -> object:
    """Give what runs of days within one month share; a run over several months stands alone."""
    first, last = days.first.replace(day=1), days.last.replace(day=1)
    return first if first == last else days


def _line(spans: Sequence[Span], *, cldr: Locale, year: bool) -> str:
    runs = _runs(spans)
    words = _dates(runs, cldr=cldr, year=year)
    one_day = len(runs) == 1 and runs[0].first == runs[0].last
    if one_day and not runs[0].whole and len({span.start for span in spans}) > 1:
        return _dated(words, _hours([Span(start=span.start) for span in spans], cldr), cldr)
    return words


def _block(spans: Sequence[Span], *, cldr: Locale, year: bool) -> str:
    """Write spans that share what `_shared_day` gives."""
    first_day, last_day = spans[0].first_day, spans[-1].last_day
    words = _day(first_day, cldr=cldr, weekday=True, year=year)
    if spans[0].all_day:
        return words if first_day == last_day else _dates(_runs(spans), cldr=cldr, year=year)
    if first_day == last_day:
        return _dated(words, _hours(spans, cldr), cldr)
    start, end = _moments(spans[0])
    zone = zone_name(start) if zone_name(start) != zone_name(end) else ""
    first = _dated(words, _zoned(_clock(start, cldr), zone, cldr), cldr)
    words = _day(end.date(), cldr=cldr, weekday=True, year=year)
    return _between(first, _dated(words, _zoned(_clock(end, cldr), zone_name(end), cldr), cldr), cldr)


def _runs(spans: Iterable[Span]) -> list[_Days]:
    """Make runs of spans in order: what overlaps becomes one, and whole days that touch within a month."""
    runs: list[_Days] = []
    for span in spans:
        days = _Days(span.first_day, span.last_day, span.all_day)
        if runs:
            last = runs[-1]
            touches = last.whole and days.whole and last.last + timedelta(days=1) == days.first and days.first.day > 1
            if touches or days.first <= last.last:
                days = _Days(last.first, max(last.last, days.last), last.whole or days.whole)
                runs.pop()
        runs.append(days)
    return runs


def _dates(runs: Sequence[_Days], *, cldr: Locale, year: bool) -> str:
    """Write runs of days, each month once and each year once: "27–28 February and 1 March 2019"."""
    ranges = any(run.first != run.last for run in runs)
    months = [list(group) for _, group in groupby(runs, key=_shared_month)]
    changes = [earlier[-1].last.year != later[0].first.year for earlier, later in pairwise(months)]
    shown = [True, *changes] if year_leads(cldr) else [*changes, True]
    phrases = [
        _month(month, cldr=cldr, year=year and last, ranges=ranges)
        if _shared_month(month[0]) != month[0]
        else _over_months(month[0], cldr=cldr, year=year, shown=last)
        for month, last in zip(months, shown, strict=False)
    ]
    return list_words(phrases, locale=str(cldr))


def _month(runs: Sequence[_Days], *, cldr: Locale, year: bool, ranges: bool) -> str:
    """Write runs within one month; beside `ranges` a single day may need an article."""
    between, after = day_signs(cldr)
    over, single = _RANGE_WORDS.get(cldr.language, (f"{{}}{between}{{}}", "{}"))
    parts = []
    for run in runs:
        first, last = number(run.first, cldr), number(run.last, cldr)
        parts.append(over.format(first, last) if first != last else single.format(first) if ranges else first)
    days = list_words([*(part + after for part in parts[:-1]), parts[-1]], locale=str(cldr))
    return write(day_pattern(cldr, "long", year=year), runs[-1].last, cldr=cldr, days=days)


def _over_months(run: _Days, *, cldr: Locale, year: bool, shown: bool) -> str:
    """Write a run over several months: "30 November – 2 December 2026"; two years are both written."""
    two_years, leads = run.first.year != run.last.year, year_leads(cldr)
    first = _day(run.first, cldr=cldr, year=year and (two_years or (shown and leads)))
    last = _day(run.last, cldr=cldr, year=year and (two_years or (shown and not leads)))
    if cldr.language in _RANGE_WORDS:
        return _RANGE_WORDS[cldr.language][0].format(first, last)
    return _between(first, last, cldr)


def _day(day: date, *, cldr: Locale, weekday: bool = False, year: bool) -> str:
    return write(day_pattern(cldr, "full" if weekday else "long", year=year), day, cldr=cldr)


def _hours(spans: Iterable[Span], cldr: Locale) -> str:
    """Write the hours of one day with their zone, which stands once if it is the same for all."""
    hours = []
    for start, end in map(_moments, spans):
        clocks = _clock_pair(start, end, cldr)
        if zone_name(start) != zone_name(end):
            clocks = _zoned(_clock(start, cldr), zone_name(start), cldr), _clock(end, cldr)
        hours.append((clocks[0] if start == end else _between(*clocks, cldr), zone_name(end)))
    zones = {zone for _, zone in hours}
    written = dict.fromkeys(_zoned(clock, zone if len(zones) > 1 else "", cldr) for clock, zone in hours)
    return _zoned(list_words(list(written), locale=str(cldr)), zones.pop() if len(zones) == 1 else "", cldr)


def _clock_pair(start: datetime, end: datetime, cldr: Locale) -> tuple[str, str]:
    """Write two hours; AM or PM stands once where it is the same for both."""
    clock = clock_pattern(cldr)
    half = tuple(token for token in clock if token[0] in "abB")
    if start == end or write(half, start, cldr=cldr) != write(half, end, cldr=cldr):
        return _clock(start, cldr), _clock(end, cldr)
    first, last = without(TRAILING_HALF, clock), without(LEADING_HALF, clock)
    return write(first, start, cldr=cldr), write(last, end, cldr=cldr)


def _clock(moment: datetime, cldr: Locale) -> str:
    return write(clock_pattern(cldr), moment, cldr=cldr)


def _zoned(clock: str, zone: str, cldr: Locale) -> str:
    mark = _RIGHT_TO_LEFT_MARK if cldr.text_direction == "rtl" else ""
    return f"{clock} {zone}{mark}" if zone else clock


def _dated(day: str, hours: str, cldr: Locale) -> str:
    """Put hours to their day by CLDR's medium pattern; the longer ones say "at", which goes with no range."""
    medium = str(cldr.datetime_formats["medium"]).replace("'", "")
    return medium.replace("{1}", day).replace("{0}", hours)


def _between(first: str, last: str, cldr: Locale) -> str:
    """Write a range; its sign stands free where it follows several words."""
    sign = re.sub(r"\{\d\}", "", str(cldr.interval_formats[None]))
    if any(mark.isalpha() for mark in sign):
        return f"{first}{sign}{last}"
    dash = sign.strip().replace("-", "–")
    return f"{first} {dash} {last}" if any(mark.isspace() for mark in first) else f"{first}{dash}{last}"
