"""Seals: each stands for one attempt after one other."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.seals import Tried, seal

AT = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
TRIED = Tried(7, 1, 2, "host:1", "relay.example:25", "accepted", None, 7, 250, "2.0.0", "2.0.0 Ok", AT, AT)

OTHERS = {
    "delivery_id": 8,
    "number": 2,
    "epoch": 3,
    "worker": "host:2",
    "relay": "other.example:25",
    "verdict": "deferred",
    "fault": "relay",
    "phase": 6,
    "code": 251,
    "enhanced": None,
    "text": "2.0.0 Ok\n",
    "began": None,
    "at": AT + dt.timedelta(microseconds=1),
}


def test_a_seal_stands_for_every_field_and_for_what_went_before():
    seals = {seal(None, TRIED), seal(b"x" * 32, TRIED)}
    seals |= {seal(None, TRIED._replace(**{name: value})) for name, value in OTHERS.items()}

    assert len(seals) == len(Tried._fields) + 2
    assert {len(made) for made in seals} == {32}


def test_a_seal_is_the_same_wherever_the_clock_stands():
    there = dt.timezone(dt.timedelta(hours=2))

    assert seal(None, TRIED._replace(at=AT.astimezone(there))) == seal(None, TRIED)


microseconds = st.timedeltas(dt.timedelta(0), dt.timedelta(days=220 * 365))


@given(microseconds, microseconds)
def test_two_instants_are_sealed_alike_only_if_they_are_the_same(one, other):
    assert (seal(None, TRIED._replace(at=AT + one)) == seal(None, TRIED._replace(at=AT + other))) is (one == other)
