"""When a deferred delivery is tried again."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.retry import LONGEST_WAIT, SPREAD, Backoff, Retry, next_attempt

SINCE = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
BACKOFF = Backoff(first=300, expiry=72 * 3600)


def after(seconds, *, jitter=0.5, backoff=BACKOFF, is_greylisted=False):
    """The wait in seconds that follows an attempt so long after the start of the run; None once it has expired."""
    now = SINCE + dt.timedelta(seconds=seconds)
    retry = next_attempt(backoff, since=SINCE, now=now, jitter=jitter, is_greylisted=is_greylisted)
    return None if retry is None else (retry.at - now).total_seconds()


@pytest.mark.parametrize(("age", "wait"), [(0, 300), (10, 300), (300, 300), (600, 600), (3999, 3999), (9999, 4000)])
def test_the_wait_grows_with_the_age_of_the_delivery_between_its_bounds(age, wait):
    assert after(age) == wait


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 225), (0.5, 300), (1.0, 375)])
def test_jitter_moves_a_wait_by_a_quarter_either_way(jitter, wait):
    assert after(0, jitter=jitter) == wait


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 360), (0.5, 480), (1.0, 600)])
def test_greylisting_is_given_six_to_ten_minutes(jitter, wait):
    assert after(0, jitter=jitter, is_greylisted=True) == wait


def test_an_old_delivery_waits_no_longer_for_greylisting():
    assert after(1000, is_greylisted=True) == 1000


def test_a_first_wait_above_the_longest_one_holds():
    assert after(0, backoff=Backoff(first=7200, expiry=72 * 3600)) == 7200


def test_a_retry_that_would_come_after_the_expiry_does_not_come():
    short = Backoff(first=300, expiry=1000)

    assert after(500, backoff=short) == 500
    assert after(501, backoff=short) is None
    assert after(5000, backoff=short) is None


def test_a_clock_that_was_set_back_waits_like_a_new_delivery():
    assert after(-3600) == 300


def test_a_retry_is_an_instant():
    retry = next_attempt(BACKOFF, since=SINCE, now=SINCE, jitter=0.5)

    assert retry == Retry(SINCE + dt.timedelta(seconds=300))


@given(
    age=st.integers(min_value=0, max_value=10**6),
    jitter=st.floats(min_value=0, max_value=1),
    first=st.integers(min_value=1, max_value=20_000),
)
def test_every_wait_lies_within_its_bounds_and_before_the_expiry(age, jitter, first):
    wait = after(age, jitter=jitter, backoff=Backoff(first=first, expiry=BACKOFF.expiry))

    if wait is not None:
        longest = max(LONGEST_WAIT.total_seconds(), first) * (1 + SPREAD)
        assert first * (1 - SPREAD) - 1e-5 <= wait <= longest + 1e-5
        assert age + wait <= BACKOFF.expiry + 1e-5


@given(st.randoms(use_true_random=False))
def test_every_delivery_ends_after_a_bounded_number_of_attempts(chance):
    age, attempts = 0.0, 1
    while (wait := after(age, jitter=chance.random())) is not None:
        age, attempts = age + wait, attempts + 1

    assert 60 < attempts < 120
