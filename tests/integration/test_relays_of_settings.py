"""The routes that a dispatcher gets from the settings, and what it knows of today when it starts."""

import datetime as dt

import pytest

from newsletter.bootstrap import build
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.outcome import Phase, classify, reply
from newsletter.dispatch.pace import Unlimited
from newsletter.dispatchers import build_dispatcher
from newsletter.settings import Uncertain, load

ANNA = "anna@lakes.example"


@pytest.fixture
def routes_of(sqlite_engine):
    """A function that gives the routes of settings."""
    url = sqlite_engine.url.render_as_string()

    def make(**settings):
        pipeline = build(load(database={"url": url}, **settings), migrated=False)
        return build_dispatcher(pipeline, wakes=False).routes

    return make


def test_one_relay_is_one_route_without_limits(routes_of):
    (route,) = routes_of(smtp={"host": "relay.example", "connections": 3})

    assert (route.relay.name, route.connections, type(route.pace)) == ("relay.example:25", 3, Unlimited)
    assert route.is_free


def test_each_relay_is_a_route_and_the_spares_stand_in_for_the_primaries(routes_of):
    relays = [
        {"name": "rescue", "role": "spare"},
        {"name": "north", "connections": 5},
        {"name": "south", "rate": 0.5, "groups": True},
    ]

    north, south, rescue = routes_of(relays=relays)

    assert [route.relay.name for route in (north, south, rescue)] == ["north", "south", "rescue"]
    assert (north.is_free, south.is_free, rescue.is_free) == (True, False, False)
    assert rescue.stands_in_for == (north, south)
    assert [south.pace.take(ANNA, now=0.0) for _ in range(2)] == [0, 2]
    for _ in range(3):
        south.pace.take(ANNA, now=0.0)
    assert south.pace.holds(ANNA, now=0.0) > 0, "five at once are what a group begins with"


def test_a_maildir_takes_the_place_of_all_relays(routes_of, tmp_path):
    (route,) = routes_of(relays=[{"name": "north"}], dispatch={"maildir": tmp_path / "mail"})

    assert route.relay.name == f"maildir:{tmp_path / 'mail'}"


def test_what_a_relay_has_taken_today_counts_for_its_warming_up(routes_of, sqlite_rows):
    now = dt.datetime.now(dt.UTC)
    taken = classify(Phase.CONTENT, reply(250, "2.0.0 Ok"))
    sqlite_rows.run(4)
    ledger = Ledger(sqlite_rows.sessions, worker="host:1", uncertain=Uncertain.SKIP, hold=dt.timedelta(0))
    for claim, days, relay in zip(
        ledger.claim(4, now), (2, 0, 0, 0), ("north", "north", "north", "south"), strict=True
    ):
        at = now - dt.timedelta(days=days)
        ledger.commit([Mark(claim=claim)], at)
        ledger.commit([Result(claim=claim, outcome=taken, marked=True, relay=relay)], at)

    (route,) = routes_of(relays=[{"name": "north", "warm_up": [3, 3, 3], "warm_up_start": now.date()}])

    assert route.pace.take(ANNA, now=0.0) == 0, "the third of three"
    assert route.pace.rests(now=0.0) > 0
