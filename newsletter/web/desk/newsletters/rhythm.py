"""
A cadence in words: what of the cron lines can be chosen in a form.

Takes the fields of a form, yields a cron line; takes a cron line, yields the fields that make it. What a form cannot
say stays a line of its own. Pure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NTHS: Final = ("1", "2", "3", "4")
DAYS: Final = (*map(str, range(1, 29)), "L")
"""Days that every month has; `L` is its last."""

_LINE: Final = re.compile(r"(\d{1,2}) (\d{1,2}) (\S+) \* (\S+)")
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Every(StrEnum):
    """How often."""

    #: Never: officers make every issue themselves.
    NEVER = "never"
    #: Each month, on a day such as the first.
    DAY = "day"
    #: Each month, on a weekday such as the first Monday.
    WEEKDAY = "weekday"
    #: Each week, on some days.
    WEEK = "week"
    #: As a cron line says.
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """The fields of the form; those that `every` does not ask for keep their usual values."""

    every: Every = Every.NEVER
    day: str = "1"
    nth: str = "1"
    weekday: str = "mon"
    weekdays: tuple[str, ...] = ("mon",)
    time: str = "09:00"
    line: str = ""

    @classmethod
    def of(cls, cron: str | None) -> "Rhythm":
        """The fields that make a cron line."""
        if cron is None:
            return cls()
        match = _LINE.fullmatch(cron)
        if match:
            minute, hour, day, weekday = match.groups()
            time = f"{int(hour):02}:{int(minute):02}"
            if day in DAYS and weekday == "*":
                return cls(every=Every.DAY, day=day, time=time, line=cron)
            name, _, nth = weekday.partition("#")
            if day == "*" and name in WEEKDAYS and nth in NTHS:
                return cls(every=Every.WEEKDAY, nth=nth, weekday=name, time=time, line=cron)
            names = tuple(weekday.split(","))
            if day == "*" and set(names) <= set(WEEKDAYS):
                return cls(every=Every.WEEK, weekdays=names, time=time, line=cron)
        return cls(every=Every.LINE, line=cron)

    @classmethod
    def read(cls, get: Callable[[str], str], weekdays: tuple[str, ...]) -> "Rhythm":
        """The fields as a form has them; what is none of the choices is the usual one."""
        usual = cls()

        def chosen(name: str, known: tuple[str, ...]) -> str:
            value = get(name)
            return value if value in known else str(getattr(usual, name))

        every = get("every")
        return cls(
            every=Every(every) if every in set(Every) else Every.NEVER,
            day=chosen("day", DAYS),
            nth=chosen("nth", NTHS),
            weekday=chosen("weekday", WEEKDAYS),
            weekdays=tuple(name for name in WEEKDAYS if name in weekdays),
            time=get("time"),
            line=get("line").strip(),
        )

    @property
    def cron(self) -> str | None:
        """The cron line of the fields, None for never; one without a time or a weekday is no line that can be read."""
        match = _TIME.fullmatch(self.time)
        at = f"{int(match[2])} {int(match[1])}" if match else "? ?"
        lines = {
            Every.NEVER: None,
            Every.DAY: f"{at} {self.day} * *",
            Every.WEEKDAY: f"{at} * * {self.weekday}#{self.nth}",
            Every.WEEK: f"{at} * * {','.join(self.weekdays) or '?'}",
            Every.LINE: self.line or "?",
        }
        return lines[self.every]
