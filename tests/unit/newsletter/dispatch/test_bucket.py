import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.bucket import AHEAD_SECONDS, LEAST_SECONDS, TokenBucket


def times(bucket, *, count, now=0.0):
    """When messages go that all come at once."""
    return [now + bucket.take("anna@lakes.example", now=now) for _ in range(count)]


def test_after_a_burst_of_one_second_messages_go_evenly():
    assert times(TokenBucket(4), count=8) == pytest.approx([0, 0, 0, 0, 0.25, 0.5, 0.75, 1.0])


def test_less_than_one_message_a_second_has_a_burst_of_one():
    assert times(TokenBucket(0.5), count=3) == pytest.approx([0, 2, 4])


def test_a_quiet_time_fills_the_bucket_and_no_more():
    bucket = TokenBucket(2)
    times(bucket, count=2)

    assert times(bucket, count=4, now=100.0) == pytest.approx([100, 100, 100.5, 101])


def test_nobody_holds_a_message_long_before_its_time():
    bucket = TokenBucket(0.1)
    assert bucket.rests(now=0) == 0
    times(bucket, count=1)
    assert bucket.rests(now=0) == pytest.approx(10 - AHEAD_SECONDS)
    assert bucket.rests(now=9.5) == 0


def test_those_who_wait_for_the_same_token_do_not_look_for_each():
    bucket = TokenBucket(100)
    times(bucket, count=190)
    assert bucket.rests(now=0) == 0
    times(bucket, count=12)
    assert bucket.rests(now=0) == LEAST_SECONDS


def test_a_right_that_is_given_back_is_lost_and_nobody_is_set_aside():
    bucket = TokenBucket(1)
    times(bucket, count=1)
    bucket.forgo("anna@lakes.example", now=0)

    assert bucket.take("anna@lakes.example", now=0) == 1
    assert bucket.holds("anna@lakes.example", now=0) == 0


@given(
    rate=st.floats(0.05, 500),
    pauses=st.lists(st.floats(0, 5) | st.just(0.0), min_size=1, max_size=80),
    gives_back=st.sets(st.integers(0, 79)),
)
def test_over_any_span_no_more_goes_out_than_the_rate_times_the_span_and_the_burst(rate, pauses, gives_back):
    bucket, went = TokenBucket(rate), []
    for number, now in enumerate(itertools.accumulate(pauses)):
        went.append(now + bucket.take("anna@lakes.example", now=now))
        if number in gives_back:
            bucket.forgo("anna@lakes.example", now=now)

    assert went == sorted(went)
    for first, last in itertools.combinations(range(len(went)), 2):
        span = went[last] - went[first]
        assert last - first + 1 <= rate * span + bucket.burst + 1e-6 * (1 + rate)
