"""
The crew: which workers and dispatchers live, and what each of them has.

Takes what every verb needs; yields the lives that have not ended, by the clock that they beat to, and how many shards
are handed out. Reads only.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from newsletter.database import reading
from newsletter.dispatch import workers
from newsletter.dispatch.models import WorkerRow
from newsletter.dispatch.store import in_state
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import DeliveryRow, DeliveryState


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
        if parts.engine.dialect.name == "sqlite":
            return Crew(hands=_hands(session, parts.now()), waiting=None, at_work=None)
        shards = dict(session.execute(_SHARDS).all())
        clock = session.scalar(select(func.now()))
        hands = _hands(session, clock or parts.now())
    return Crew(hands=hands, waiting=shards.get("todo", 0), at_work=shards.get("doing", 0))


def _hands(session: Session, now: dt.datetime) -> tuple[Hand, ...]:
    claimed, sending = (_held(session, state) for state in (DeliveryState.CLAIMED, DeliveryState.SENDING))
    living = select(WorkerRow).where(col(WorkerRow.ended).is_(None)).order_by(col(WorkerRow.started))
    return tuple(
        Hand(
            name=row.name,
            started=row.started,
            heartbeat=row.heartbeat,
            connections=row.connections,
            claimed=claimed.get(row.name, 0),
            sending=sending.get(row.name, 0),
            is_silent=now - row.heartbeat >= workers.SILENCE,
        )
        for row in session.scalars(living)
    )


def _held(session: Session, state: DeliveryState) -> dict[str | None, int]:
    whose = col(DeliveryRow.worker)
    return dict(session.execute(select(whose, func.count()).where(in_state(state)).group_by(whose)).all())


_SHARDS: Final = text(
    "SELECT status::text, count(*) FROM procrastinate_jobs WHERE queue_name = 'shards' AND status IN ('todo', 'doing')"
    " GROUP BY status"
)
