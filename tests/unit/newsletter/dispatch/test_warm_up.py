import datetime as dt

import pytest

from newsletter.dispatch.outcome import Outcome, Phase, Verdict
from newsletter.dispatch.warm_up import WarmUp, midnight_before

ANNA = "anna@lakes.example"


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def warm_up(clock):
    """Makes a warming up of three days that began so many days ago."""

    def make(*, days=0, sent=0):
        start = clock.now.date() - dt.timedelta(days=days)
        return WarmUp([2, 4, 6], start=start, sent=sent, clock=clock)

    return make


def room(pace):
    """How many messages may still go today."""
    count = 0
    while not pace.take(ANNA, now=0) and count < 100:
        count += 1
    return count


@pytest.mark.parametrize(("days", "quota"), [(-5, 2), (0, 2), (1, 4), (2, 6), (3, 100), (400, 100)])
def test_every_day_has_its_number_and_after_the_last_there_is_none(warm_up, days, quota):
    assert room(warm_up(days=days)) == quota


def test_what_went_out_before_a_restart_counts(warm_up):
    assert room(warm_up(days=1, sent=3)) == 1
    assert room(warm_up(days=1, sent=300)) == 0


def test_when_todays_number_is_used_up_the_route_rests_until_midnight(warm_up, clock):
    pace = warm_up()
    room(pace)
    clock.now = clock.now.replace(hour=23, minute=59, second=0)
    assert pace.rests(now=0) == 60
    assert pace.take(ANNA, now=0) == 60

    clock.now += dt.timedelta(seconds=60)
    assert pace.rests(now=0) == 0
    assert room(pace) == 4


def test_only_what_the_relay_has_or_may_have_counts(warm_up):
    pace = warm_up()
    for verdict in Verdict:
        pace.take(ANNA, now=0)
        pace.tell(Outcome(verdict=verdict, phase=Phase.CONTENT), recipient=ANNA, now=0)
    assert pace.rests(now=0) > 0, "accepted and uncertain: two"


def test_a_right_that_was_not_used_is_there_again_and_a_missed_connection_is_none(warm_up):
    pace = warm_up()
    room(pace)
    pace.tell(Outcome(verdict=Verdict.NOT_SENT, phase=Phase.CONNECT), recipient=None, now=0)
    assert pace.rests(now=0) > 0
    pace.forgo(ANNA, now=0)
    assert room(pace) == 1


def test_what_is_given_back_after_midnight_makes_no_room(warm_up, clock):
    pace = warm_up(days=3 - 1)
    room(pace)
    clock.now += dt.timedelta(days=-1)
    pace.rests(now=0)
    for _ in range(9):
        pace.forgo(ANNA, now=0)
    assert room(pace) == 4


def test_days_are_those_of_utc():
    late = dt.datetime(2026, 12, 1, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))

    assert midnight_before(late) == dt.datetime(2026, 12, 2, tzinfo=dt.UTC)
