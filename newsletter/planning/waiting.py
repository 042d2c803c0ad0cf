"""
Queries about deliveries that wait: for the first ones of their run, or for an hour of their own.

Takes a session, never commits. What waits is planned with a `next_at`; a claim passes it over by its index, whatever
the number.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.planning.models import OPEN_DELIVERY, DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.stage import HELD_BACK, Stage
from subscribers.columns import UTCDateTime
from subscribers.models import Subscriber
from subscribers.segments import Condition
from subscribers.store import audience_query


def staged_runs(session: Session) -> Sequence[RunRow]:
    """The running runs of which deliveries wait for the first ones, oldest first."""
    waiting = col(RunRow.stage).in_([Stage.FIRST, Stage.HOLDING])
    running = select(RunRow).where(col(RunRow.state) == RunState.RUNNING, waiting)
    return session.scalars(running.order_by(col(RunRow.id))).all()


def change_stage(session: Session, run: RunRow, *, state: RunState, stage: Stage, **values: object) -> bool:
    """Bring a running run to another stage, unless somebody else has done something about it since it was read."""
    seen = (col(RunRow.state) == RunState.RUNNING, col(RunRow.stage) == run.stage)
    guarded = update(RunRow).where(col(RunRow.id) == run.id, *seen)
    return changed_rows(session, guarded.values(state=state, stage=stage, **values)) == 1


def audience_zones(session: Session, condition: Condition, *, newsletter: str) -> list[str | None]:
    """The time zones of those who would receive a newsletter, each once; None is not known."""
    zone = col(Subscriber.timezone)
    found = audience_query(condition, newsletter=newsletter).with_only_columns(zone).distinct()
    return list(session.scalars(found))


def let_first_go(session: Session, run: RunRow, *, most: int) -> int:
    """
    Let up to `most` more of the first of a staged run go, those with the lowest digests; returns how many.

    None means that the first are complete, or that there is nobody left.
    """
    let = select(func.count()).where(*_planned(run), col(DeliveryRow.next_at).is_(None))
    more = min(most, (run.first or 0) - (session.scalar(let) or 0))
    lowest = (
        select(col(DeliveryRow.id))
        .where(col(DeliveryRow.mailing) == run.mailing, *_planned(run), col(DeliveryRow.next_at) == HELD_BACK)
        .order_by(col(DeliveryRow.digest))
        .limit(max(0, more))
    )
    return changed_rows(session, update(DeliveryRow).where(col(DeliveryRow.id).in_(lowest)).values(next_at=None))


def count_held_back(session: Session, run: RunRow) -> int:
    """How many deliveries of a run wait for its first ones."""
    return session.scalar(select(func.count()).where(*_planned(run), col(DeliveryRow.next_at) == HELD_BACK)) or 0


def own_times(session: Session, run: RunRow) -> tuple[int, dt.datetime | None, dt.datetime | None]:
    """How many planned deliveries of a run wait for an hour of their own, the next such hour and the last."""
    at = col(DeliveryRow.next_at)
    waiting = select(func.count(), *(kind(at, type_=UTCDateTime()) for kind in (func.min, func.max)))
    count, soonest, latest = session.execute(waiting.where(*_planned(run), at.is_not(None), at < HELD_BACK)).one()
    return int(count), soonest, latest


def _planned(run: RunRow) -> tuple[ColumnElement[bool], ...]:
    # In the words of the index of open deliveries, which come last: SQLite looks up the first condition on the state.
    planned = and_(col(DeliveryRow.state) == DeliveryState.PLANNED, text(OPEN_DELIVERY))
    return col(DeliveryRow.run_id) == run.id, planned
