"""
How sending stands at this moment, for a monitoring that asks again and again.

Takes a session, never commits. Each query keeps to an index or to a table with few rows: what has ended is never
counted here (`totals` has that).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import ColumnClause, func, select, table, text
from sqlalchemy import column as named_column
from sqlmodel import Session, col

from newsletter.dispatch.models import AttemptRow, WorkerRow
from newsletter.dispatch.store import in_state, of_run
from newsletter.dispatch.tallies import open_states
from newsletter.dispatch.workers import SILENCE
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers.columns import UTCDateTime

JOBS: Final = "procrastinate_jobs"
"""Procrastinate's table of jobs; only PostgreSQL has it."""


class Hands(NamedTuple):
    """The workers: how many live and how many connections they have, and how many are silent and not yet buried."""

    alive: int
    connections: int
    silent: int


def runs_by_state(session: Session) -> dict[RunState, int]:
    """How many runs stand in each state."""
    state = col(RunRow.state)
    return dict(session.execute(select(state, func.count()).group_by(state)).all())


def runs_under_way(session: Session) -> dict[int, str]:
    """The mailings of the runs that go out or are paused, by the runs' ids."""
    going = select(col(RunRow.id), col(RunRow.mailing)).where(
        col(RunRow.state).in_([RunState.RUNNING, RunState.PAUSED])
    )
    return dict(session.execute(going).all())


def open_by_run(session: Session, runs: Mapping[int, str]) -> dict[int, dict[DeliveryState, int]]:
    """How many deliveries of these runs stand in each open state."""
    return {run: open_states(session, run) for run in runs}


def open_singles(session: Session) -> dict[DeliveryState, int]:
    """How many single messages stand in each open state."""
    found = {}
    for state in (
        DeliveryState.PLANNED,
        DeliveryState.CLAIMED,
        DeliveryState.SENDING,
        DeliveryState.DEFERRED,
        DeliveryState.UNCERTAIN,
    ):
        these = in_state(state, of_run(None))
        found[state] = session.scalar(select(func.count()).select_from(DeliveryRow).where(these)) or 0
    return found


def latest_start(session: Session, now: dt.datetime) -> float:
    """For how many seconds the oldest run that is due has not been started; 0 where none is."""
    due = select(func.min(RunRow.due_at, type_=UTCDateTime())).where(
        col(RunRow.state) == RunState.SCHEDULED, col(RunRow.held).is_(None), col(RunRow.due_at) <= now
    )
    return _since(session.scalar(due), now)


def oldest_due(session: Session, now: dt.datetime) -> float:
    """For how many seconds the oldest retry, or message with a time of its own, is overdue; 0 where none is."""
    running = session.scalars(select(col(RunRow.id)).where(col(RunRow.state) == RunState.RUNNING)).all()
    at = col(DeliveryRow.next_at)
    found = [
        session.scalar(select(at).where(in_state(state, of_run(run), at <= now)).order_by(at).limit(1))
        for run in (*running, None)
        for state in (DeliveryState.PLANNED, DeliveryState.DEFERRED)
    ]
    return max((_since(each, now) for each in found), default=0.0)


def newest_attempt_age(session: Session, now: dt.datetime) -> float | None:
    """How many seconds ago an attempt was recorded last; None where there is none."""
    newest = session.scalar(select(col(AttemptRow.at)).order_by(col(AttemptRow.id).desc()).limit(1))
    return None if newest is None else _since(newest, now)


def hands(session: Session, now: dt.datetime) -> Hands:
    """The workers that have not ended, by the clock that they beat to."""
    clock = session.scalar(select(func.now())) if session.get_bind().dialect.name == "postgresql" else now
    living = select(col(WorkerRow.heartbeat), col(WorkerRow.connections)).where(col(WorkerRow.ended).is_(None))
    rows = session.execute(living).all()
    alive = [connections or 0 for heartbeat, connections in rows if (clock or now) - heartbeat < SILENCE]
    return Hands(len(alive), sum(alive), len(rows) - len(alive))


def heartbeat_of(session: Session, prefix: str, now: dt.datetime) -> float | None:
    """How many seconds ago a worker whose name begins like this beat last; None where none of them lives."""
    clock = session.scalar(select(func.now())) if session.get_bind().dialect.name == "postgresql" else now
    newest = select(func.max(WorkerRow.heartbeat, type_=UTCDateTime())).where(
        col(WorkerRow.ended).is_(None), col(WorkerRow.name).startswith(prefix, autoescape=True)
    )
    found = session.scalar(newest)
    return None if found is None else _since(found, clock or now)


def jobs_by_state(session: Session) -> dict[str, int] | None:
    """How many jobs Procrastinate has in each state but "succeeded"; None on a database that has no jobs."""
    is_shared = session.get_bind().dialect.name == "postgresql"
    if not is_shared or session.scalar(select(func.to_regclass(JOBS))) is None:
        return None
    status: ColumnClause[str] = named_column("status")
    asked = select(status, func.count()).select_from(table(JOBS)).where(text("status <> 'succeeded'")).group_by(status)
    return {str(state): number for state, number in session.execute(asked)}


def _since(then: dt.datetime | None, now: dt.datetime) -> float:
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())
