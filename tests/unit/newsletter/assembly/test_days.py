import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.newsletter.assembly.builders import a_newsletter, a_plan, a_sitting

from newsletter.assembly.days import Window, chronological, default_period, following, span_of
from newsletter.times import Span

WINDOW = Window(first=dt.date(2026, 12, 1), last=dt.date(2026, 12, 31), zone="Europe/Brussels")


def day(text):
    return dt.date.fromisoformat(text)


def test_a_window_opens_on_the_issues_date_and_closes_after_its_agenda_days():
    plan, newsletter = a_plan(agenda_days=30), a_newsletter()
    assert Window.of(plan, plan.settings(newsletter)) == WINDOW


def test_a_sitting_without_a_zone_is_in_the_newsletters():
    assert span_of(a_sitting(start="2026-12-01T14:00"), "Europe/Athens").start.tzinfo.key == "Europe/Athens"


def test_a_sitting_keeps_its_own_zone():
    span = span_of(a_sitting(start="2026-12-01T14:00", end="2026-12-01T15:00", timezone="Asia/Tokyo"), "Europe/Athens")
    assert (span.start.isoformat(), span.end.isoformat()) == ("2026-12-01T14:00:00+09:00", "2026-12-01T15:00:00+09:00")


def test_whole_days_have_no_zone():
    assert span_of(a_sitting(date="2026-12-01", until="2026-12-02"), "UTC") == Span(
        start=day("2026-12-01"), end=day("2026-12-02")
    )


@pytest.mark.parametrize(
    ("sitting", "held"),
    [
        ({"date": "2026-11-30"}, False),
        ({"date": "2026-11-28", "until": "2026-12-01"}, True),
        ({"date": "2026-12-01"}, True),
        ({"date": "2026-12-31", "until": "2027-01-05"}, True),
        ({"date": "2027-01-01"}, False),
        ({"start": "2026-12-31T23:59"}, True),
        ({"start": "2026-12-01T00:00"}, True),
        ({"start": "2026-11-30T22:00", "end": "2026-12-01T00:00"}, False),
        ({"start": "2026-11-30T22:00", "end": "2026-12-01T00:30"}, True),
        # 31 December, 20:00 in New York is 1 January, 02:00 in Brussels.
        ({"start": "2026-12-31T20:00", "timezone": "America/New_York"}, False),
        # 1 December, 07:00 in Tokyo is 30 November, 23:00 in Brussels.
        ({"start": "2026-12-01T07:00", "timezone": "Asia/Tokyo"}, False),
        ({"start": "2026-12-01T07:00", "end": "2026-12-01T09:00", "timezone": "Asia/Tokyo"}, True),
    ],
)
def test_a_window_holds_what_touches_its_calendar_days_in_the_newsletters_zone(sitting, held):
    assert WINDOW.holds(a_sitting(**sitting)) is held


@given(st.dates(day("2026-10-01"), day("2027-03-01")), st.integers(0, 40))
def test_a_sitting_of_whole_days_is_over_held_or_still_to_come(first, length):
    sitting = a_sitting(date=first, until=first + dt.timedelta(days=length))
    to_come = first > WINDOW.last
    assert [WINDOW.is_over(sitting), WINDOW.holds(sitting), to_come].count(True) == 1


def test_a_window_sorts_sittings_out():
    over, held, later = (a_sitting(key=key, date=date) for key, date in
                         (("a", "2026-11-01"), ("b", "2026-12-05"), ("c", "2027-02-01")))  # fmt: skip
    assert WINDOW.open([over, held, later]) == (held, later)
    assert WINDOW.within([over, held, later]) == (held,)


def test_whole_days_come_before_the_hours_of_their_day():
    sittings = [{"start": "2026-12-02T09:00"}, {"start": "2026-12-01T09:00"}, {"date": "2026-12-02"}]
    spans = sorted((span_of(a_sitting(**sitting), "UTC") for sitting in sittings), key=chronological)
    assert [(span.first_day.day, span.all_day) for span in spans] == [(1, False), (2, True), (2, False)]


@pytest.mark.parametrize(
    ("previous_end", "date", "period"),
    [
        (None, "2026-12-01", ("2026-11-01", "2026-11-30")),
        (None, "2026-12-15", ("2026-11-15", "2026-12-14")),
        (None, "2026-03-31", ("2026-02-28", "2026-03-30")),
        (None, "2026-01-01", ("2025-12-01", "2025-12-31")),
        ("2026-10-31", "2026-12-01", ("2026-11-01", "2026-11-30")),
        ("2026-09-12", "2026-12-01", ("2026-09-13", "2026-11-30")),
        ("2026-11-30", "2026-12-01", ("2026-12-01", "2026-12-01")),
    ],
)
def test_a_period_follows_the_previous_one_and_ends_before_the_issues_date(previous_end, date, period):
    previous = a_plan(period={"from": "2026-01-01", "to": previous_end}) if previous_end else None
    found = default_period(previous, day(date))
    assert (str(found.first), str(found.last)) == period


@pytest.mark.parametrize(
    ("period", "date", "next_period", "next_date"),
    [
        (("2026-11-01", "2026-11-30"), "2026-12-01", ("2026-12-01", "2026-12-31"), "2027-01-01"),
        (("2027-01-01", "2027-01-31"), "2027-02-03", ("2027-02-01", "2027-02-28"), "2027-03-03"),
        (("2026-10-01", "2026-12-31"), "2027-01-01", ("2027-01-01", "2027-03-31"), "2027-04-01"),
        (("2026-11-02", "2026-11-08"), "2026-11-09", ("2026-11-09", "2026-11-15"), "2026-11-16"),
        (("2026-11-01", "2026-11-14"), "2026-11-15", ("2026-11-15", "2026-11-28"), "2026-11-29"),
        (("2026-11-16", "2026-11-30"), "2026-11-30", ("2026-12-01", "2026-12-15"), "2026-12-15"),
    ],
)
def test_the_following_issue_has_the_next_period_of_its_kind(period, date, next_period, next_date):
    plan = following(a_plan(period=dict(zip(("from", "to"), period, strict=True)), date=date), "next")
    assert (str(plan.period.first), str(plan.period.last), str(plan.date)) == (*next_period, next_date)


def test_the_following_issue_has_the_next_number_the_same_texts_and_items():
    plan = a_plan(items=["silt"], texts={"en": {"intro": "Good morning."}})
    after = following(plan, "2027-01")
    assert (after.slug, after.number, after.items, after.texts) == ("2027-01", 43, plan.items, plan.texts)


def test_an_issue_without_a_number_is_followed_by_one_without():
    assert following(a_plan(number=None), "2027-01").number is None
