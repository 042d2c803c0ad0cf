import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch import groups as module
from newsletter.dispatch.groups import BUSY_SECONDS, CAP, FIRST_HOLD, START, Groups, closes_the_door, wants_less
from newsletter.dispatch.outcome import Outcome, Phase, Verdict, classify, reply

ANNA, BEN, EVE = "anna@gmail.com", "ben@googlemail.com", "eve@lakes.example"
TAKEN = classify(Phase.CONTENT, reply(250, "2.0.0 Ok"))
CLOSED = classify(Phase.RCPT, reply(421, "4.7.28 unusual rate"))
LESS = classify(Phase.RCPT, reply(450, "4.2.1 receiving mail too quickly"))
UNKNOWN = classify(Phase.RCPT, reply(550, "5.1.1 unknown"))


def room(pace, recipient, *, now=0.0):
    """How many may be under way at once, of those that are not yet."""
    count = 0
    while not pace.holds(recipient, now=now) and count < 100:
        pace.take(recipient, now=now)
        count += 1
    for _ in range(count):
        pace.forgo(recipient, now=now)
    return count


def tell(pace, outcome, *, recipient=ANNA, now=0.0, times=1):
    for _ in range(times):
        pace.take(recipient, now=now)
        pace.tell(outcome, recipient=recipient, now=now)


def test_a_group_begins_with_five_at_once_all_its_domains_together():
    pace = Groups()
    for _ in range(3):
        pace.take(ANNA, now=0)

    assert room(pace, BEN) == START - 3
    assert room(pace, EVE) == START


def test_what_is_under_way_makes_room_when_it_ends():
    pace = Groups()
    for _ in range(int(START)):
        assert pace.take(ANNA, now=0) == 0
    assert pace.holds(BEN, now=0) == BUSY_SECONDS

    pace.tell(UNKNOWN, recipient=ANNA, now=0)
    assert pace.holds(BEN, now=0) == 0


def test_it_grows_by_one_in_a_round_of_successes_up_to_the_cap():
    pace = Groups()
    tell(pace, TAKEN, times=6)
    assert room(pace, ANNA) == 6
    tell(pace, TAKEN, times=1000)
    assert room(pace, ANNA) == CAP


def test_it_shrinks_by_one_in_a_round_of_refusals_that_speak_of_the_rate_and_never_to_nothing():
    pace = Groups()
    tell(pace, LESS)
    assert room(pace, ANNA) == 4
    tell(pace, LESS, times=100)
    assert room(pace, ANNA) == 1


def test_a_closed_door_halves_the_group_and_leaves_it_alone_for_longer_each_time():
    pace, now, holds = Groups(), 0.0, []
    tell(pace, CLOSED, now=now)
    tell(pace, CLOSED, now=now)
    for _ in range(6):
        holds.append(pace.holds(BEN, now=now))
        now += holds[-1]
        assert pace.holds(BEN, now=now) == 0
        assert room(pace, BEN, now=now) <= START // 2
        tell(pace, CLOSED, now=now)

    assert holds == [300, 600, 1200, 2400, 3600, 3600]


def test_after_a_success_the_next_hold_is_short_again():
    pace = Groups()
    tell(pace, CLOSED)
    tell(pace, TAKEN, now=FIRST_HOLD)
    tell(pace, CLOSED, now=FIRST_HOLD)

    assert pace.holds(ANNA, now=FIRST_HOLD) == FIRST_HOLD


def test_no_group_hears_of_anothers_trouble():
    pace = Groups()
    tell(pace, CLOSED)
    tell(pace, LESS, recipient="max@web.de")

    assert room(pace, EVE) == START
    assert pace.rests(now=0) == 0


def test_what_is_said_of_a_connection_says_nothing_of_a_group():
    pace = Groups()
    pace.tell(classify(Phase.CONNECT, reply(421, "4.7.0 too many connections")), recipient=None, now=0)
    tell(pace, classify(Phase.MAIL, reply(421, "4.7.28 unusual rate")))
    tell(pace, Outcome(verdict=Verdict.UNCERTAIN, phase=Phase.CONTENT))

    assert room(pace, ANNA) == START


def test_groups_with_nothing_to_say_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MOST_GROUPS", 3)
    pace = Groups()
    tell(pace, CLOSED)
    pace.take(EVE, now=1)
    for number in range(50):
        tell(pace, TAKEN, recipient=f"anna@lakes{number}.example", now=1)

    assert len(pace._groups) <= 3
    assert pace.holds(ANNA, now=1) == FIRST_HOLD - 1
    assert room(pace, EVE, now=1) == START - 1


@pytest.mark.parametrize(
    ("phase", "code", "text", "less", "closes"),
    [
        (Phase.RCPT, 421, "4.7.28 our system has detected an unusual rate", True, True),
        (Phase.CONTENT, 421, "4.7.0 try again later", True, True),
        (Phase.CONTENT, 450, "4.7.28 unusual rate", True, True),
        (Phase.RCPT, 450, "4.2.1 receiving mail at a rate that prevents", True, False),
        (Phase.RCPT, 451, "4.7.0 temporary", True, False),
        (Phase.RCPT, 451, "throttled", True, False),
        (Phase.RCPT, 452, "4.5.3 too many recipients", True, False),
        (Phase.DATA, 451, "rate limited", True, False),
        (Phase.RCPT, 450, "4.2.0 greylisted", False, False),
        (Phase.RCPT, 452, "4.2.2 full", False, False),
        (Phase.RCPT, 450, "4.3.0 separate problem", False, False),
        (Phase.MAIL, 421, "4.7.28 unusual rate", False, False),
        (Phase.RCPT, 550, "5.7.1 rate", False, False),
    ],
)
def test_which_refusals_speak_of_the_rate(phase, code, text, less, closes):
    outcome = classify(phase, reply(code, text))

    assert (wants_less(outcome), closes_the_door(outcome)) == (less, closes)


@given(st.lists(st.tuples(st.sampled_from([ANNA, EVE]), st.sampled_from([TAKEN, CLOSED, LESS, UNKNOWN]))))
def test_whatever_is_said_something_may_always_go_in_the_end_and_never_more_than_the_cap(told):
    pace = Groups()
    for number, (recipient, outcome) in enumerate(told):
        tell(pace, outcome, recipient=recipient, now=number * 100.0)

    later = len(told) * 100.0 + 3600
    assert 1 <= room(pace, ANNA, now=later) <= CAP
    assert 1 <= room(pace, EVE, now=later) <= CAP
