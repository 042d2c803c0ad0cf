import pytest

from newsletter.dispatch.leased_warm_up import HELD_SECONDS, LeasedWarmUp, Share
from newsletter.dispatch.outcome import Outcome, Phase, Verdict

ANNA = "anna@lakes.example"
DAY = 86_400.0


@pytest.fixture
def asked():
    return []


@pytest.fixture
def pace(asked):
    made = LeasedWarmUp()
    made.ask = asked.append
    return made


def told(verdict):
    return Outcome(verdict=verdict, phase=Phase.CONTENT)


def lease(pace, number, *, now=0.0, ends_in=DAY, is_spent=False):
    pace.rests(now=now)
    pace.answered(Share(number, ends_in, is_spent=is_spent), now=now)


def room(pace, *, now=0.0):
    """How many messages may go on what is held."""
    count = 0
    while not pace.rests(now=now) and count < 1000:
        pace.take(f"{count}@lakes.example", now=now)
        count += 1
    return count


def test_what_is_leased_may_go_and_no_more(pace, asked):
    assert pace.rests(now=0.0) > 0
    lease(pace, 3)
    assert room(pace) == 3
    assert len(asked) == 2, "one at first, one before the lease was used up"


def test_where_no_later_day_has_a_number_nothing_waits_any_more(pace, asked):
    lease(pace, None)
    assert room(pace) == 1000
    assert len(asked) == 1


def test_only_what_the_relay_has_or_may_have_counts(pace):
    lease(pace, 5)
    for verdict in Verdict:
        pace.rests(now=0.0)
        pace.take(ANNA, now=0.0)
        pace.tell(told(verdict), recipient=ANNA, now=0.0)
    assert room(pace) == 3, "accepted and uncertain: two"


def test_a_right_that_was_not_used_is_there_again_once_and_a_missed_connection_is_none(pace):
    lease(pace, 1)
    pace.take(ANNA, now=0.0)
    pace.tell(told(Verdict.NOT_SENT), recipient=None, now=0.0)
    assert room(pace) == 0
    pace.forgo(ANNA, now=0.0)
    pace.forgo(ANNA, now=0.0)
    assert room(pace) == 1


def test_when_the_number_is_used_up_it_rests_until_midnight_and_looks_again_now_and_then(pace, asked):
    lease(pace, 0, ends_in=5000.0, is_spent=True)

    assert pace.rests(now=1.0) == 4999
    assert len(asked) == 1
    pace.rests(now=61.0)
    assert len(asked) == 2
    pace.answered(Share(2, 4939.0), now=61.0)
    assert room(pace, now=61.0) == 2, "a worker has died, or given back"


def test_while_others_hold_the_rest_it_is_asked_again_soon(pace):
    lease(pace, 0)
    assert 0 < pace.rests(now=0.0) <= HELD_SECONDS


def test_what_was_leased_for_a_day_is_worth_nothing_on_the_next(pace):
    lease(pace, 5, ends_in=10.0)
    pace.take(ANNA, now=9.0)

    assert pace.rests(now=10.0) > 0
    pace.forgo(ANNA, now=10.0)
    assert pace.rests(now=10.0) > 0, "nor does what comes back make room"
    lease(pace, 2, now=10.0)
    assert room(pace, now=10.0) == 2


def test_an_answer_for_the_next_day_does_not_add_to_what_is_left_of_this_one(pace):
    lease(pace, 5, ends_in=10.0)
    lease(pace, 1, now=9.99, ends_in=DAY)
    assert room(pace, now=9.99) == 1


def test_after_midnight_a_spent_number_is_forgotten(pace, asked):
    lease(pace, 0, ends_in=10.0, is_spent=True)
    pace.rests(now=10.0)
    assert len(asked) == 2


def test_what_nobody_wants_is_handed_over(pace):
    lease(pace, 4)
    pace.take(ANNA, now=0.0)
    assert pace.give_up() == 3
    assert pace.give_up() == 0
    assert pace.rests(now=0.0) > 0
