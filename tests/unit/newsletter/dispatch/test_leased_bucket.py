import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.bucket import AHEAD_SECONDS, LEAST_SECONDS
from newsletter.dispatch.leased_bucket import KEEP_SECONDS, LeasedBucket, Rate

ANNA = "anna@lakes.example"


class Bucket:
    """The bucket as the database keeps it, for any number of workers; answers come when `answer` is called."""

    def __init__(self, rate):
        self.rate = Rate(rate)
        self.full_at = 0.0
        self.asked = []

    def worker(self):
        pace = LeasedBucket(self.rate)
        pace.ask = lambda number: self.asked.append((pace, number))
        return pace

    def answer(self, now):
        asked, self.asked = self.asked, []
        for pace, number in asked:
            self.full_at = max(self.full_at, now) + number * self.rate.interval
            waits = self.rate.waits(number, full_in=self.full_at - now)
            pace.answered([now + wait for wait in waits], now=now)


def went(pace, bucket, *, now, until):
    """When messages go of a worker that always has one to send and is answered at once."""
    times = []
    while now < until:
        while not (wait := pace.rests(now=now)):
            times.append(now + pace.take(ANNA, now=now))
            bucket.answer(now)
        bucket.answer(now)
        now += min(wait, 0.01)
    return times


@pytest.mark.parametrize("rate", [1 / 60, 0.5, 3, 50, 5000])
def test_after_a_burst_messages_go_evenly_at_the_rate(rate):
    bucket = Bucket(rate)
    span = max(3.0, 3 / rate)
    times = went(bucket.worker(), bucket, now=0.0, until=span)

    late = [time for time in times if time > AHEAD_SECONDS]
    gaps = [later - earlier for earlier, later in itertools.pairwise(late)]
    assert gaps == pytest.approx([1 / rate] * len(gaps))
    assert sum(time == 0 for time in times) <= max(1, rate)
    assert len(times) >= rate * span


def test_several_workers_together_send_at_the_rate_and_none_is_left_out():
    bucket = Bucket(40)
    workers = [bucket.worker() for _ in range(4)]
    counts, now = [0] * 4, 0.0
    while now < 10:
        for place, pace in enumerate(workers):
            if not pace.rests(now=now):
                pace.take(ANNA, now=now)
                counts[place] += 1
        bucket.answer(now)
        now += 0.005

    assert 400 <= sum(counts) <= 400 + 40 + 40 * AHEAD_SECONDS
    assert min(counts) > 50


def test_a_worker_without_a_token_rests_for_as_long_as_an_answer_takes_and_asks_once():
    bucket = Bucket(10)
    pace = bucket.worker()

    rests = [pace.rests(now=now) for now in (0.0, 0.0, 0.001, 0.01, 0.1, 10.0)]

    assert all(0 < rest <= 0.25 for rest in rests)
    assert rests[-1] == 0.25, "late answers are not looked for all the time"
    assert len(bucket.asked) == 1
    bucket.answer(10.02)
    assert pace.rests(now=10.02) == 0


def test_a_worker_with_nothing_to_send_asks_for_nothing():
    bucket = Bucket(10)
    pace = bucket.worker()
    pace.is_wanted = lambda: False

    assert pace.rests(now=0.0) == 0
    assert bucket.asked == []


def test_those_who_wait_for_a_token_far_ahead_do_not_look_for_it_all_the_time():
    bucket = Bucket(0.1)
    one, other = bucket.worker(), bucket.worker()
    for pace in (one, other):
        pace.rests(now=0.0)
        bucket.answer(0.0)

    assert one.rests(now=0.0) == 0
    assert other.rests(now=0.0) == pytest.approx(10 - AHEAD_SECONDS)
    assert other.rests(now=8.95) == LEAST_SECONDS
    assert other.rests(now=9.5) == 0


def test_a_token_that_was_not_used_in_time_is_lost():
    bucket = Bucket(4)
    pace = bucket.worker()
    pace.rests(now=0.0)
    bucket.answer(0.0)

    assert pace.rests(now=KEEP_SECONDS) == 0
    assert pace.rests(now=KEEP_SECONDS + 0.01) > 0


def test_where_the_database_cannot_answer_nothing_goes_and_it_is_asked_again_later():
    bucket = Bucket(10)
    pace = bucket.worker()
    pace.rests(now=0.0)
    bucket.asked.clear()
    pace.failed(None, now=5.0)

    assert pace.rests(now=5.0) == 1.0
    assert bucket.asked == []
    pace.rests(now=6.0)
    bucket.answer(6.0)
    assert pace.rests(now=6.0) == 0


def test_what_is_wrong_with_us_is_raised_to_whoever_wants_to_send():
    pace = Bucket(10).worker()
    pace.rests(now=0.0)
    pace.failed(LookupError("no such table"), now=0.0)

    with pytest.raises(LookupError):
        pace.rests(now=2.0)


def test_what_nobody_wants_is_handed_over_and_not_sent_any_more():
    bucket = Bucket(1)
    pace = bucket.worker()
    pace.rests(now=0.0)
    bucket.answer(0.0)

    assert pace.give_up() == 1
    assert pace.give_up() == 0
    assert pace.rests(now=0.0) > 0


@pytest.mark.parametrize("rate", [1, 5, 20, 300])
def test_what_is_used_as_late_as_it_may_be_is_part_of_the_burst(rate):
    bucket = Bucket(rate)
    late, quick = bucket.worker(), bucket.worker()
    for _ in range(2):  # answers come in while the worker is busy
        late.rests(now=0.0)
        bucket.answer(0.0)

    at_once = 0
    for pace in (late, quick):
        while not pace.rests(now=KEEP_SECONDS):
            at_once += pace.take(ANNA, now=KEEP_SECONDS) == 0
            bucket.answer(KEEP_SECONDS)
        bucket.answer(KEEP_SECONDS)
        while not pace.rests(now=KEEP_SECONDS):
            at_once += pace.take(ANNA, now=KEEP_SECONDS) == 0
            bucket.answer(KEEP_SECONDS)

    assert 1 <= at_once <= bucket.rate.burst


@given(
    rate=st.floats(0.02, 500),
    workers=st.integers(1, 4),
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.just(0.0) | st.floats(0, 0.3) | st.floats(0, 90), st.booleans()),
        min_size=1,
        max_size=120,
    ),
)
def test_no_interleaving_of_leases_lets_through_more_than_rate_times_time_and_the_burst(rate, workers, steps):
    bucket = Bucket(rate)
    paces = [bucket.worker() for _ in range(workers)]
    went, now = [], 0.0
    for place, pause, is_answered in steps:
        now += pause
        pace = paces[place % workers]
        while not pace.rests(now=now):
            went.append(now + pace.take(ANNA, now=now))
        if is_answered:
            bucket.answer(now)

    went.sort()
    for first, last in itertools.combinations(range(len(went)), 2):
        most = rate * (went[last] - went[first]) + bucket.rate.burst
        assert last - first + 1 <= most + 1e-6 * (1 + rate)
