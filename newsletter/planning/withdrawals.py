"""
Queries about those who leave while the audience of a run is being frozen.

Takes a session, never commits. A freeze looks once at whom its run means, and plans them part by part: whoever leaves
in between has no delivery yet that could be stopped. Who stops deliveries writes down here whom a run in the making
does not mean any more, and each part passes these over.
"""

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, literal, or_, select
from sqlmodel import Session, col

from newsletter.planning.models import RunRow, RunState, WithdrawalRow
from subscribers.columns import insert_into
from subscribers.models import Subscriber

IN_THE_MAKING: Final = (RunState.PLANNING, RunState.PAUSED)
"""Runs of which nobody can say whether all deliveries are there: one may be paused while it is being planned."""


def being_planned(session: Session, runs: Iterable[RunRow]) -> list[int]:
    """
    Ids of those among some runs whose audience is being frozen, or may be.

    On PostgreSQL none of them goes on to its next part, and none begins, before the transaction ends: a part that is
    being written can neither see what is changed here nor be seen from here.
    """
    ids = [run.id for run in runs if run.state in (RunState.SCHEDULED, *IN_THE_MAKING)]
    if not ids:
        return []
    held = select(col(RunRow.id), col(RunRow.state)).where(col(RunRow.id).in_(ids)).order_by(col(RunRow.id))
    found = session.execute(held.with_for_update(read=True))
    return [id_ or 0 for id_, state in found if state in IN_THE_MAKING]


def add_withdrawals(session: Session, run_id: int, digests: Collection[str]) -> None:
    """Have a run that is being planned pass over the people with these digests."""
    people = select(col(Subscriber.id), literal(run_id)).where(col(Subscriber.digest).in_(digests))
    rows = insert_into(session, WithdrawalRow).from_select(["subscriber_id", "run_id"], people)
    session.execute(rows.on_conflict_do_nothing())


def has_withdrawn(run_id: int) -> ColumnElement[bool]:
    """Whether a subscriber is to be passed over by a run."""
    row = (col(WithdrawalRow.subscriber_id) == Subscriber.id, col(WithdrawalRow.run_id) == run_id)
    return exists().where(*row).correlate(Subscriber)


def clear_withdrawals(session: Session, run_id: int) -> None:
    """Forget who withdrew from a run, before or after its audience is frozen, and what a death has left of others."""
    frozen = select(col(RunRow.id)).where(col(RunRow.state) == RunState.PLANNING)
    done = or_(col(WithdrawalRow.run_id) == run_id, col(WithdrawalRow.run_id).not_in(frozen))
    session.execute(delete(WithdrawalRow).where(done))
