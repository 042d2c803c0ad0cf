"""
When an issue is due: the five fields of a cron line, read by the clock on the wall.

    minute  hour  day of the month  month  day of the week

Takes a line, yields a `Cron` that says which days and times it names; `slots` makes instants of them in a time zone.
Numbers, names (`jan`, `mon`), ranges, lists and steps are those of crontab(5): Sunday is 0 or 7, and where both days
are restricted either will do. Beyond it `mon#1` is the first Monday of a month, `mon#5` the fifth where there is one,
and `L` the last day. Each time of a wall clock comes once, whatever summer time does: one that is skipped counts at the
first instant after the gap, one that comes twice counts the first time. Pure.
"""

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from newsletter.times import local

LONGEST: Final = 366 * 8 + 2
"""Days looked ahead: the longest time between two leap days is eight years (1896 to 1904)."""

_MONTHS: Final = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS: Final = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_PART: Final = re.compile(r"(?P<range>\*|\w+(?:-\w+)?)(?:/(?P<step>\d{1,4}))?")
_NTH: Final = re.compile(r"(?P<day>\w+)#(?P<nth>[1-5])")
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """
    The times that a line names.

    `weekdays` counts from Sunday, 0; `nths` are pairs of such a weekday and which of the month's. `last_day` says that
    the last day of the month is named; `any_day` and `any_weekday` that these fields name none, being `*`.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    nths: frozenset[tuple[int, int]]
    last_day: bool
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, line: str) -> "Cron":
        """Read a line; raises ValueError saying what is wrong with it."""
        fields = line.split()
        if len(fields) != 5:  # noqa: PLR2004  the fields in this module's docstring
            raise ValueError(f"{line!r} has not five fields: minute, hour, day, month, weekday")
        minute, hour, day, month, weekday = fields
        plain, nths = _weekdays(weekday)
        last_day, rest = _without_last(day)
        found = cls(
            minutes=_numbers(minute, "minute", 0, 59),
            hours=_numbers(hour, "hour", 0, 23),
            days=_numbers(rest, "day", 1, 31) if rest else frozenset(),
            months=_numbers(month, "month", 1, 12, _MONTHS),
            weekdays=plain,
            nths=nths,
            last_day=last_day,
            any_day=day.startswith("*"),
            any_weekday=weekday.startswith("*"),
        )
        if not any(found.names(dt.date(2000, 1, 1) + dt.timedelta(days=ahead)) for ahead in range(LONGEST)):
            raise ValueError(f"{line!r} names a day that never comes")
        return found

    def names(self, day: dt.date) -> bool:
        """Whether a day is one of those."""
        if day.month not in self.months:
            return False
        weekday = day.isoweekday() % _WEEK
        length = calendar.monthrange(day.year, day.month)[1]
        is_day = day.day in self.days or (self.last_day and day.day == length)
        is_weekday = weekday in self.weekdays or (weekday, (day.day - 1) // _WEEK + 1) in self.nths
        if self.any_day or self.any_weekday:
            return is_day and is_weekday
        return is_day or is_weekday

    def times(self, day: dt.date) -> Iterator[dt.datetime]:
        """The times of a day, by the clock on the wall, in order."""
        if self.names(day):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    yield dt.datetime.combine(day, dt.time(hour, minute))


def slots(cron: Cron, zone: str, *, after: dt.datetime) -> Iterator[dt.datetime]:
    """The instants that a line names in an IANA zone, in UTC, later than `after` and in order; each once."""
    first = after.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    last = after
    for ahead in range(LONGEST):
        for clock in cron.times(first + dt.timedelta(days=ahead)):
            at = local(clock, zone).astimezone(dt.UTC)
            if at > last:
                last = at
                yield at


def _without_last(field: str) -> tuple[bool, str]:
    parts = field.split(",")
    rest = [part for part in parts if part.upper() != "L"]
    return len(rest) < len(parts), ",".join(rest)


def _weekdays(field: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """The plain weekdays of a field, and those of a certain week."""
    plain, nths = [], set()
    for part in field.split(","):
        match = _NTH.fullmatch(part)
        if match is None:
            plain.append(part)
        else:
            nths.add((_number(match["day"], "weekday", _WEEKDAYS) % _WEEK, int(match["nth"])))
    numbers = _numbers(",".join(plain), "weekday", 0, _WEEK, _WEEKDAYS) if plain else frozenset[int]()
    return frozenset(number % _WEEK for number in numbers), frozenset(nths)


def _numbers(field: str, name: str, lowest: int, highest: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"the {name} {part!r} cannot be read")
        first, last = lowest, highest
        if match["range"] != "*":
            start, _, end = match["range"].partition("-")
            first = _number(start, name, names)
            last = _number(end, name, names) if end else (highest if match["step"] else first)
        step = int(match["step"] or 1)
        if not (lowest <= first <= last <= highest and step):
            raise ValueError(f"the {name} {part!r} is not between {lowest} and {highest}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text.lower())
    if number is None and not text.isdecimal():
        raise ValueError(f"the {name} {text!r} cannot be read")
    return int(text) if number is None else number
