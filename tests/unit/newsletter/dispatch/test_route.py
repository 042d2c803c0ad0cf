import pytest

from newsletter.dispatch.route import Route


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
