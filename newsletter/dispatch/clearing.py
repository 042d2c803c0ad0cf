"""
Clearing up: what dispatchers that have died leave behind, and how a delivery comes out of everybody's hands.

Takes a session, never commits. Promises that nobody is left out and that nothing is lost of what is known: what was
being sent when a dispatcher died has an attempt that says so.
"""

import datetime as dt
from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.dispatch.entries import DIED, lost
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.seals import seal
from newsletter.dispatch.store import in_state
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.planning.shards import Shard, shards_around

_NOBODYS: Final = {"worker": None, "next_at": None}


class Cleared(NamedTuple):
    """How many deliveries were claimed, and how many were being sent; as shards those that can go out again."""

    claimed: int
    sending: int
    freed: list[Shard]


def clear(
    session: Session, whose: ColumnElement[bool], *, repeating: Collection[int | None], now: dt.datetime
) -> Cleared:
    """
    Plan again, or name uncertain, the deliveries of the dead: `whose` says which those are.

    What was being sent is planned again at once in the runs that are `repeating`, None among them for single messages.
    """
    claimed = in_state(DeliveryState.CLAIMED, whose)
    freed: list[tuple[int | None, int]] = []
    dying = session.scalars(select(DeliveryRow).where(in_state(DeliveryState.SENDING, whose)).with_for_update()).all()
    for row in dying:
        repeats = row.run_id in repeating
        _bury(session, row, state=DeliveryState.PLANNED if repeats else DeliveryState.UNCERTAIN, now=now)
        freed += [(row.run_id, row.id or 0)] if repeats else []
    planned = update(DeliveryRow).where(claimed).values(state=DeliveryState.PLANNED, **_NOBODYS, changed=now)
    again = session.execute(
        planned.returning(col(DeliveryRow.run_id), col(DeliveryRow.id)),
        execution_options={"synchronize_session": False},
    ).all()
    return Cleared(len(again), len(dying), shards_around([*freed, *((run_id, id_) for run_id, id_ in again)]))


def move(
    session: Session, condition: ColumnElement[bool], *, state: DeliveryState, now: dt.datetime, **values: object
) -> int:
    """Move deliveries into a state in which nobody has them, at no time of their own; returns how many."""
    moved = update(DeliveryRow).where(condition)
    return changed_rows(session, moved.values(state=state, **_NOBODYS, changed=now, **values))


def _bury(session: Session, row: DeliveryRow, *, state: DeliveryState, now: dt.datetime) -> None:
    """Record the attempt that nobody lived to end."""
    tried = lost(row, at=now)
    sealed = seal(row.seal, tried)
    session.execute(insert(AttemptRow).values(**tried._asdict(), seal=sealed))
    own = and_(col(DeliveryRow.id) == row.id, col(DeliveryRow.epoch) == row.epoch)
    move(session, own, state=state, now=now, reason=DIED, seal=sealed)
