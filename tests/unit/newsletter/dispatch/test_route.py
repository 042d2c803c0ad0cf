import pytest

from newsletter.dispatch.breaker import FAULTS
from newsletter.dispatch.bucket import TokenBucket
from newsletter.dispatch.route import SPARE_SECONDS, Route


@pytest.fixture
def route():
    return Route(relay=object(), connections=2)


def test_a_relay_of_which_nothing_was_heard_for_longer_than_that_is_silent(route):
    assert route.unheard(10.0) is True
    assert route.unheard(11.0) is False
    assert not route.is_silent(5, now=15.0)
    assert route.is_silent(5, now=15.1)


def test_a_relay_that_has_not_been_asked_is_not_silent(route):
    assert not route.is_silent(0, now=1000.0)


def test_one_word_of_the_relay_begins_the_silence_anew(route):
    route.unheard(10.0)
    route.heard()

    assert not route.is_silent(5, now=100.0)
    assert route.unheard(100.0) is True


def test_a_relay_is_not_silent_while_its_reply_is_awaited(route):
    route.unheard(10.0)
    route.on_the_wire = 1

    assert not route.is_silent(5, now=100.0)


def fail(route, *, times=FAULTS):
    for _ in range(times):
        route.breaker.fault("line", now=0.0, first=10, longest=10)


def test_a_route_without_limits_is_free_until_its_relay_is_left_alone(route):
    assert route.is_free
    assert route.rests("line", now=0.0) == 0

    fail(route)
    assert [route.is_free, route.is_going] == [False, False]
    assert route.rests("line", now=4.0) == 6
    assert route.heard() is True
    assert route.heard() is False
    assert route.is_free


def test_a_route_rests_when_its_pace_does():
    slow = Route(relay=object(), connections=1, pace=TokenBucket(0.1))
    assert slow.rests("line", now=0.0) == 0
    slow.pace.take("anna@lakes.example", now=0.0)

    assert not slow.is_free
    assert slow.rests("line", now=0.0) == 9
    assert slow.is_going


def test_a_spare_is_called_while_every_route_that_it_stands_in_for_is_left_alone(route):
    other = Route(relay=object(), connections=1)
    spare = Route(relay=object(), connections=1, stands_in_for=(route, other))
    assert [spare.is_called, spare.is_free, spare.is_going] == [False, False, False]
    assert spare.rests("line", now=0.0) == SPARE_SECONDS

    fail(route)
    assert not spare.is_called
    fail(other)
    assert spare.is_called
    assert spare.is_going
    assert spare.rests("line", now=0.0) == 0
    route.heard()
    assert not spare.is_called


def test_nothing_is_to_be_had_of_a_route_that_rests_for_longer_than_the_patience():
    slow = Route(relay=object(), connections=1, pace=TokenBucket(0.01))
    slow.pace.take("anna@lakes.example", now=0.0)

    assert slow.is_out(60, now=0.0)
    assert not slow.is_out(600, now=0.0)
    slow.on_the_wire = 1
    assert not slow.is_out(60, now=0.0)


def test_a_spare_is_waited_for_only_where_it_is_going_to_be_called(route):
    spare = Route(relay=object(), connections=1, stands_in_for=(route,))
    assert spare.is_out(5, now=0.0), "what it stands in for is heard, or only out of quota"

    route.unheard(0.0)
    assert not spare.is_out(5, now=10.0), "it will be called as soon as there were enough faults"
    fail(route)
    assert not spare.is_out(5, now=10.0), "it has not been tried"
    spare.unheard(10.0)
    assert spare.is_out(5, now=20.0)


def test_the_first_connection_that_is_missed_is_news_even_where_nothing_was_heard_before(route):
    route.unheard(0.0)

    assert [route.missed(1.0), route.missed(2.0)] == [True, False]
    assert route.is_silent(5, now=6.0)
    route.heard()
    assert route.missed(7.0)
    assert not route.is_silent(5, now=8.0)
