"""
The days that an issue looks at: the period of its news, and the window of its agenda.

Takes plans, sittings and dates; yields periods, spans of time and answers about them. Both are calendar days in the
newsletter's zone, ends included: a window that ended at the hour of the run would lose the sittings of its last day.
"""

import datetime as dt
import math
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from newsletter.content.entry import Sitting
from newsletter.content.issue import IssuePlan, Period
from newsletter.content.newsletter import Newsletter
from newsletter.times import Span, local


def span_of(sitting: Sitting, zone: str) -> Span:
    """When a sitting takes place; `zone` is the newsletter's and holds where the sitting names none."""
    if sitting.date is not None:
        return Span(start=sitting.date, end=sitting.until)
    place = sitting.timezone or zone
    # A sitting has a date or a start: `Sitting` refuses anything else.
    start = local(cast("dt.datetime", sitting.start), place)
    return Span(start=start, end=None if sitting.end is None else local(sitting.end, place))


def chronological(span: Span) -> tuple[dt.date, float]:
    """A key that orders spans by their first day and start; whole days come before the hours of their day."""
    return span.first_day, span.start.timestamp() if isinstance(span.start, dt.datetime) else -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days from `first` (the issue's date) to `last`, both included, in `zone`."""

    first: dt.date
    last: dt.date
    zone: str

    @classmethod
    def of(cls, plan: IssuePlan, settings: Newsletter) -> "Window":
        """The window of an issue, with its newsletter's settings as they hold for it."""
        last = plan.date + dt.timedelta(days=settings.cadence.agenda_days)
        return cls(first=plan.date, last=last, zone=settings.timezone)

    def is_over(self, sitting: Sitting) -> bool:
        """Whether the sitting's last day lies before the window."""
        return self._days(sitting)[1] < self.first

    def holds(self, sitting: Sitting) -> bool:
        """Whether the sitting ends on or after the window's first day and begins on or before its last."""
        first, last = self._days(sitting)
        return last >= self.first and first <= self.last

    def open(self, sittings: Iterable[Sitting]) -> tuple[Sitting, ...]:
        """The sittings that are not over."""
        return tuple(sitting for sitting in sittings if not self.is_over(sitting))

    def within(self, sittings: Iterable[Sitting]) -> tuple[Sitting, ...]:
        """The sittings that the window holds."""
        return tuple(sitting for sitting in sittings if self.holds(sitting))

    def _days(self, sitting: Sitting) -> tuple[dt.date, dt.date]:
        span = span_of(sitting, self.zone)
        if not isinstance(span.start, dt.datetime):
            return span.first_day, span.last_day
        here = ZoneInfo(self.zone)
        end = span.end.astimezone(here) if isinstance(span.end, dt.datetime) else None
        seen = Span(start=span.start.astimezone(here), end=end)
        return seen.first_day, seen.last_day


def default_period(previous: IssuePlan | None, date: dt.date) -> Period:
    """
    The period of an issue of `date` where none is given.

    It begins on the day after the previous issue's period, so that no entry falls between two issues, and ends on the
    day before the issue's date. A first issue looks back one month; an issue that follows too soon has one day.
    """
    last = date - dt.timedelta(days=1)
    if previous is None:
        return _period(_months_after(date, -1), last)
    first = previous.period.last + dt.timedelta(days=1)
    return _period(first, max(first, last))


def following(plan: IssuePlan, slug: str) -> IssuePlan:
    """
    The plan of the next issue after `plan`, with its texts and items and the next number.

    The period follows without a gap: whole calendar months after whole calendar months, else as many days; the issue's
    date keeps its distance from the end of the period.
    """
    first = plan.period.last + dt.timedelta(days=1)
    if plan.period.first.day == 1 and first.day == 1:
        months = _month_of(first) - _month_of(plan.period.first)
        last = _months_after(first, months) - dt.timedelta(days=1)
    else:
        last = plan.period.last + (first - plan.period.first)
    return plan.model_copy(
        update={
            "slug": slug,
            "number": None if plan.number is None else plan.number + 1,
            "date": last + (plan.date - plan.period.last),
            "period": _period(first, last),
        }
    )


def _period(first: dt.date, last: dt.date) -> Period:
    return Period.model_validate({"from": first, "to": last})


def _month_of(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def _months_after(day: dt.date, months: int) -> dt.date:
    """The same day of another month, or that month's last."""
    year, month = divmod(_month_of(day) + months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
