from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.segments.days import day_of, reach
from subscribers.segments.expression import Ago, Unit


@pytest.mark.parametrize(
    ("ago", "today", "day"),
    [
        (Ago(0), date(2026, 11, 21), date(2026, 11, 21)),
        (Ago(30), date(2026, 11, 21), date(2026, 10, 22)),
        (Ago(2, Unit.WEEK), date(2026, 11, 21), date(2026, 11, 7)),
        (Ago(1, Unit.MONTH), date(2026, 3, 31), date(2026, 2, 28)),
        (Ago(12, Unit.MONTH), date(2026, 11, 21), date(2025, 11, 21)),
        (Ago(11, Unit.MONTH), date(2026, 11, 21), date(2025, 12, 21)),
        (Ago(1, Unit.YEAR), date(2028, 2, 29), date(2027, 2, 28)),
        (Ago(100, Unit.YEAR), date(2026, 11, 21), date(1926, 11, 21)),
    ],
)
def test_days_are_counted_back_as_people_do(ago, today, day):
    assert day_of(ago, datetime(today.year, today.month, today.day, 9, tzinfo=UTC)) == day


def test_a_day_of_the_calendar_is_itself():
    assert day_of(date(2026, 1, 5), datetime(2026, 11, 21, tzinfo=UTC)) == date(2026, 1, 5)


def test_today_is_that_of_the_zone():
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert day_of(Ago(0), late.astimezone(ZoneInfo("Europe/Brussels"))) == date(2026, 11, 21)


@given(st.integers(0, 1200), st.sampled_from(Unit), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_no_day_lies_further_back_than_its_reach(count, unit, today):
    ago = Ago(count % 90 if unit is Unit.YEAR else count, unit)
    back = today - day_of(ago, datetime(today.year, today.month, today.day, tzinfo=UTC))
    assert 0 <= back.days <= reach(ago)
