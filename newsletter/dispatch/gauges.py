"""
How sending stands at this moment, for a monitoring that asks again and again.

Takes a session, never commits. Each query keeps to an index or to a table with few rows: what has ended is never
counted here (`totals` has that).
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnClause, ColumnElement, ScalarSelect, func, select, table, text, union_all
from sqlalchemy import column as named_column
from sqlmodel import Session, col

from newsletter.dispatch import workers
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.store import in_state, of_run
from newsletter.dispatch.tallies import open_states
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.store import ENDED_STATES
from newsletter.queue_schema import JOBS
from subscribers.columns import UTCDateTime


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
    """How many single messages stand in each open state, 0 where none do."""
    none = {state: 0 for state in DeliveryState if state not in ENDED_STATES}
    return none | open_states(session, None)


def latest_start(session: Session, now: dt.datetime) -> float:
    """For how many seconds the oldest run that is due has not been started; 0 where none is."""
    due = select(func.min(RunRow.due_at, type_=UTCDateTime())).where(
        col(RunRow.state) == RunState.SCHEDULED, col(RunRow.held).is_(None), col(RunRow.due_at) <= now
    )
    return _since(session.scalar(due), now)


def oldest_due(session: Session, now: dt.datetime) -> float:
    """For how many seconds the oldest retry, or message with a time of its own, is overdue; 0 where none is."""
    running = col(RunRow.state) == RunState.RUNNING
    waits = (DeliveryState.PLANNED, DeliveryState.DEFERRED)
    asked = union_all(
        *(select(_oldest(state, col(DeliveryRow.run_id) == RunRow.id, now)).where(running) for state in waits),
        *(select(_oldest(state, of_run(None), now)) for state in waits),
    )
    return max((_since(each, now) for each in session.scalars(asked)), default=0.0)


def newest_attempt_age(session: Session, now: dt.datetime) -> float | None:
    """How many seconds ago an attempt was recorded last; None where there is none."""
    newest = session.scalar(select(col(AttemptRow.at)).order_by(col(AttemptRow.id).desc()).limit(1))
    return None if newest is None else _since(newest, now)


def hands(session: Session, now: dt.datetime) -> Hands:
    """The workers that have not ended, by the clock that they beat to."""
    clock, rows = workers.clock_of(session, now), workers.living(session)
    alive = [row.connections or 0 for row in rows if not workers.is_silent(row, clock)]
    return Hands(len(alive), sum(alive), len(rows) - len(alive))


def heartbeat_of(session: Session, prefix: str, now: dt.datetime) -> float | None:
    """How many seconds ago a worker whose name begins like this beat last; None where none of them lives."""
    found = workers.newest_beat(session, prefix)
    return None if found is None else _since(found, workers.clock_of(session, now))


def jobs_by_state(session: Session, *, queue: str | None = None) -> dict[str, int] | None:
    """
    How many jobs Procrastinate has, in a queue or in all, in each state but "succeeded".

    None on a database that has no jobs.
    """
    if not workers.are_many(session) or session.scalar(select(func.to_regclass(JOBS))) is None:
        return None
    status: ColumnClause[str] = named_column("status")
    asked = select(status, func.count()).select_from(table(JOBS)).where(text("status <> 'succeeded'")).group_by(status)
    if queue is not None:
        asked = asked.where(named_column("queue_name") == queue)
    return {str(state): number for state, number in session.execute(asked)}


def _oldest(state: DeliveryState, whose: ColumnElement[bool], now: dt.datetime) -> ScalarSelect[dt.datetime | None]:
    """When the first of these was due, by one look into the index of open deliveries."""
    at = col(DeliveryRow.next_at)
    first = select(at).where(in_state(state, whose, at <= now)).order_by(at).limit(1)
    return first.correlate(RunRow).scalar_subquery()


def _since(then: dt.datetime | None, now: dt.datetime) -> float:
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())
