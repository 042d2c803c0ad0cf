"""What stands in the form that schedules is read without surprises."""

import datetime as dt

import pytest

from newsletter.pipeline.proposal import Objection
from newsletter.web.desk.sending.given import Given, given_in
from newsletter.web.form import Form

ZONES = {"newsletter_zone": "Europe/Brussels", "officer_zone": "Europe/Lisbon"}


def wish(**fields):
    return Given(**fields).wish(**ZONES)


def test_now_is_no_time():
    asked = wish(segment="all", when="now", day="2026-12-01", time="09:00", clock="readers")
    assert (asked.at, asked.manner.local) == (None, False)


@pytest.mark.parametrize(("clock", "zone"), [("newsletter", "Europe/Brussels"), ("officer", "Europe/Lisbon")])
def test_a_time_is_by_the_clock_that_was_chosen(clock, zone):
    asked = wish(day="2026-12-01", time="09:00", clock=clock)
    assert (asked.at, asked.zone, asked.manner.local) == ("2026-12-01 09:00", zone, False)


def test_readers_clocks_are_a_manner():
    assert wish(day="2026-12-01", time="09:00", clock="readers").manner.local


def test_a_first_part_has_a_number_and_a_wait():
    manner = wish(staged="1", first="1 000", hold="2", unit="h").manner
    assert (manner.first, manner.hold) == (1000, dt.timedelta(hours=2))


@pytest.mark.parametrize(
    "fields",
    [
        {"first": ""},
        {"first": "0"},
        {"first": "-3"},
        {"hold": "x"},
        {"hold": "31", "unit": "d"},
        {"unit": "y"},
        {"first": "²"},
    ],
)
def test_a_first_part_that_cannot_be_read_is_objected_to(fields):
    asked = wish(staged="1", **fields)
    assert asked.unread == (Objection.UNUSABLE_STAGE,)
    assert asked.manner.first is None


def test_without_a_tick_the_first_part_is_passed_over():
    assert wish(first="nonsense").unread == ()


def test_doubtful_goes_with_missed_only():
    assert not wish(doubtful="1").manner.doubtful
    assert wish(doubtful="1", missed="1").manner.doubtful


def test_fields_survive_the_way_through_an_address():
    given = Given(segment="a & b", day="2026-12-01", time="09:00", staged="1")
    sent = dict(pair.split("=") for pair in given.query.split("&"))
    assert sent["segment"] == "a+%26+b"
    assert given_in(Form({name: (value,) for name, value in given.fields.items()})) == given
