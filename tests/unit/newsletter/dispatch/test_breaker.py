import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.breaker import FAULTS, LOOK_SECONDS, Breaker

A, B, C = LINES = [object(), object(), object()]


def fail(breaker, *, line=A, now=0.0, times=1):
    return [breaker.fault(line, now=now, first=1, longest=30) for _ in range(times)]


@pytest.fixture
def opened():
    """A breaker that has just opened, at time 0, for a second."""
    breaker = Breaker()
    fail(breaker, times=FAULTS)
    return breaker


def test_a_relay_is_left_alone_after_so_many_faults_in_a_row():
    breaker = Breaker()

    assert fail(breaker, times=FAULTS) == [0] * (FAULTS - 1) + [1]
    assert not breaker.is_closed
    assert breaker.rests(A, now=0.25) == 0.75
    assert not breaker.admits(A, now=0.25)


def test_one_word_of_the_relay_begins_the_count_anew():
    breaker = Breaker()
    for _ in range(9):
        fail(breaker, times=FAULTS - 1)
        assert breaker.heard() is False

    assert breaker.is_closed
    assert breaker.admits(A, now=0)
    assert breaker.rests(A, now=0) == 0


def test_exactly_one_line_probes_once_the_pause_is_over(opened):
    assert opened.rests(A, now=1.0) == 0
    assert opened.admits(A, now=1.0)
    assert [opened.admits(line, now=1.0) for line in LINES] == [True, False, False]
    assert [opened.rests(line, now=1.0) for line in (A, B)] == [0, LOOK_SECONDS]


def test_a_probe_that_fails_doubles_the_pause_up_to_a_bound(opened):
    now, pauses = 0.0, []
    for _ in range(50):
        now += opened.rests(A, now=now)
        assert opened.admits(A, now=now)
        pauses += fail(opened, now=now)

    assert pauses[:5] == [2, 4, 8, 16, 30]
    assert set(pauses[5:]) == {30}


def test_faults_of_lines_that_were_still_at_work_say_nothing_new(opened):
    assert fail(opened, line=B) == [0]
    opened.admits(A, now=1.0)
    assert fail(opened, line=B, now=1.0) == [0]
    assert opened.admits(A, now=1.0)


def test_a_relay_that_speaks_again_is_used_by_everybody_and_its_next_pause_is_short_again(opened):
    opened.admits(A, now=1.0)
    fail(opened, now=1.0)
    opened.admits(A, now=3.0)

    assert opened.heard() is True
    assert [opened.admits(line, now=3.0) for line in (A, B)] == [True, True]
    assert fail(opened, now=4.0, times=FAULTS)[-1] == 1


def test_a_probe_that_has_learnt_nothing_is_left_to_another_line(opened):
    opened.admits(A, now=1.0)
    opened.leave(B)
    assert not opened.admits(B, now=1.0)
    opened.leave(A)
    assert opened.admits(B, now=1.0)


@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(["ask", "fail", "heard", "leave"]), st.floats(0, 9))))
def test_whatever_happens_an_open_breaker_admits_one_line_at_a_time(steps):
    breaker, now = Breaker(), 0.0
    for line, what, later in steps:
        now += later
        if what == "ask":
            breaker.admits(line, now=now)
        elif what == "fail":
            fail(breaker, line=line, now=now)
        elif what == "heard":
            breaker.heard()
        else:
            breaker.leave(line)
        if not breaker.is_closed:
            assert sum(breaker.admits(each, now=now) for each in LINES) <= 1
            assert all(0 <= breaker.rests(each, now=now) <= 30 for each in LINES)
