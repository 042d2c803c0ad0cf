"""
Days that are counted back.

Takes an `Ago` and an instant, yields a day of the calendar. Pure.
"""

import calendar
from datetime import date, datetime, timedelta

from subscribers.segments.expression import Ago, Day, Unit

_MONTHS = 12


def day_of(day: Day, now: datetime) -> date:
    """Return the day that is meant on the day of `now`, in the time zone of `now`."""
    if isinstance(day, date):
        return day
    today = now.date()
    match day.unit:
        case Unit.DAY:
            return today - timedelta(days=day.count)
        case Unit.WEEK:
            return today - timedelta(weeks=day.count)
        case Unit.MONTH:
            return _months_before(today, day.count)
        case _:
            return _months_before(today, _MONTHS * day.count)


def reach(day: Ago) -> int:
    """Return how many days back a day lies at most."""
    return day.count * {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.YEAR: 366}[day.unit]


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * _MONTHS + day.month - 1 - months, _MONTHS)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
