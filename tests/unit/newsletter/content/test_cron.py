"""Cron lines: which days and times they name, and that every time comes once, whatever summer time does."""

import datetime as dt
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.cron import Cron, slots

ZONES = ("Europe/Brussels", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca", "UTC")
"""Summer time in both halves of the year, by half an hour, turned round for Ramadan, and none at all."""

YEAR = dt.datetime(2027, 1, 1, tzinfo=dt.UTC), dt.datetime(2028, 1, 1, tzinfo=dt.UTC)


def days(line, count=4, start=dt.date(2027, 1, 1)):
    cron = Cron.parse(line)
    every = (start + dt.timedelta(days=ahead) for ahead in range(4000))
    return [str(day) for day in islice((day for day in every if cron.names(day)), count)]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("0 9 1 * *", ["2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01"]),
        ("0 9 L * *", ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
        ("0 9 15,L 2 *", ["2027-02-15", "2027-02-28", "2028-02-15", "2028-02-29"]),
        ("0 9 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 9 * * mon#1", ["2027-01-04", "2027-02-01", "2027-03-01", "2027-04-05"]),
        ("0 9 * * 5#5", ["2027-01-29", "2027-04-30", "2027-07-30", "2027-10-29"]),
        ("0 9 * jan,jul mon-tue", ["2027-01-04", "2027-01-05", "2027-01-11", "2027-01-12"]),
        ("0 9 * * 0", ["2027-01-03", "2027-01-10", "2027-01-17", "2027-01-24"]),
        ("0 9 * * 7", ["2027-01-03", "2027-01-10", "2027-01-17", "2027-01-24"]),
        ("0 9 13 * fri", ["2027-01-01", "2027-01-08", "2027-01-13", "2027-01-15"]),
        ("0 9 */10 * *", ["2027-01-01", "2027-01-11", "2027-01-21", "2027-01-31"]),
    ],
)
def test_a_line_names_its_days(line, named):
    assert days(line, len(named)) == named


def test_a_day_has_every_time_of_the_line():
    times = [f"{time:%H:%M}" for time in Cron.parse("0,30 8-10/2 * * *").times(dt.date(2027, 1, 1))]
    assert times == ["08:00", "08:30", "10:00", "10:30"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 9 1 *", "has not five fields"),
        ("60 9 1 * *", "minute"),
        ("0 24 1 * *", "hour"),
        ("0 9 0 * *", "day"),
        ("0 9 1 13 *", "month"),
        ("0 9 1 * 8", "weekday"),
        ("0 9 1 * mon#6", "weekday"),
        ("0 9 5-3 * *", "day"),
        ("0 9 */0 * *", "day"),
        ("0 9 31 2 *", "a day that never comes"),
        ("noon 9 1 * *", "minute"),
        ("? ? ? ? *", "minute"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line, said):
    with pytest.raises(ValueError, match=said):
        Cron.parse(line)


@given(st.text(alphabet="0123456789*/-,#L monjan", max_size=20))
def test_any_text_is_a_line_or_refused(text):
    try:
        cron = Cron.parse(text)
    except ValueError:
        return
    assert next(slots(cron, "UTC", after=YEAR[0])) > YEAR[0]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 1, 2, 3])
def test_each_day_of_a_year_is_due_once_in_every_zone(zone, hour):
    due = []
    for at in slots(Cron.parse(f"30 {hour} * * *"), zone, after=YEAR[0] - dt.timedelta(days=1)):
        if at >= YEAR[1]:
            break
        due.append(at)
    local = [at.astimezone(ZoneInfo(zone)).date() for at in due]
    assert local == sorted(set(local))
    assert due == sorted(set(due))
    assert {day for day in local if day.year == 2027} == {
        dt.date(2027, 1, 1) + dt.timedelta(days=n) for n in range(365)
    }


def test_an_hour_that_is_skipped_is_due_right_after_the_gap_and_one_that_comes_twice_the_first_time():
    after = dt.datetime(2027, 3, 27, 12, tzinfo=dt.UTC)
    assert (
        next(slots(Cron.parse("30 2 * * *"), "Europe/Brussels", after=after)).isoformat() == "2027-03-28T01:00:00+00:00"
    )
    after = dt.datetime(2027, 10, 30, 12, tzinfo=dt.UTC)
    autumn = list(islice(slots(Cron.parse("30 2 * * *"), "Europe/Brussels", after=after), 2))
    assert [at.isoformat() for at in autumn] == ["2027-10-31T00:30:00+00:00", "2027-11-01T01:30:00+00:00"]
