"""
The crew: which workers and dispatchers live, and what each of them has.

Takes what every verb needs; yields the lives that have not ended, by the clock that they beat to, and how many shards
are handed out. Reads only.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from newsletter.database import reading
from newsletter.dispatch import workers
from newsletter.dispatch.gauges import jobs_by_state
from newsletter.dispatch.store import in_state
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.planning.shards import QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """
    One worker or dispatcher: since when it lives, when it was last heard of, and what it has.

    `connections` is None where it did not say; `claimed` counts what it has made ready and `sending` what is on the
    wire. Others take over from one that is silent (`is_silent`), the next time one of them looks.
    """

    name: str
    started: dt.datetime
    heartbeat: dt.datetime
    connections: int | None
    claimed: int
    sending: int
    is_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """All of them; `waiting` and `at_work` count shards of runs, None on a database without jobs."""

    hands: tuple[Hand, ...]
    waiting: int | None
    at_work: int | None


def crew_of(parts: Parts) -> Crew:
    """Who is at work on the database."""
    with reading(parts.engine) as session:
        shards = jobs_by_state(session, queue=QUEUE)
        hands = _hands(session, workers.clock_of(session, parts.now()))
    if shards is None:
        return Crew(hands=hands, waiting=None, at_work=None)
    return Crew(hands=hands, waiting=shards.get("todo", 0), at_work=shards.get("doing", 0))


def _hands(session: Session, now: dt.datetime) -> tuple[Hand, ...]:
    claimed, sending = (_held(session, state) for state in (DeliveryState.CLAIMED, DeliveryState.SENDING))
    return tuple(
        Hand(
            name=row.name,
            started=row.started,
            heartbeat=row.heartbeat,
            connections=row.connections,
            claimed=claimed.get(row.name, 0),
            sending=sending.get(row.name, 0),
            is_silent=workers.is_silent(row, now),
        )
        for row in workers.living(session)
    )


def _held(session: Session, state: DeliveryState) -> dict[str | None, int]:
    whose = col(DeliveryRow.worker)
    return dict(session.execute(select(whose, func.count()).where(in_state(state)).group_by(whose)).all())
