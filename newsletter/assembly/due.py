"""
The times at which a newsletter's cadence was due: tables, and every query about them.

Takes a session, never commits. Promises that a time is taken once, whoever looks at the clock and however often.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import UniqueConstraint, select, update
from sqlmodel import Field, Session, col

from newsletter.database import changed_rows
from subscribers.columns import Base, identity, insert_into, instant, reference


class CadenceRow(Base, table=True):
    """What a newsletter's cadence is, and since when: no time before `since` is due any more."""

    __tablename__ = "cadence"

    newsletter_id: int = reference("newsletter.id", primary_key=True)
    cron: str = Field(max_length=200)
    zone: str = Field(max_length=64)
    since: dt.datetime = instant()


class SlotRow(Base, table=True):
    """A time that was due, and the slug of the draft that is made for it; `done` is None until it is there."""

    __tablename__ = "cadence_slot"
    __table_args__ = (UniqueConstraint("newsletter_id", "at"),)

    id: int | None = identity()
    newsletter_id: int = reference("newsletter.id")
    at: dt.datetime = instant()
    issue: str = Field(max_length=80)
    taken: dt.datetime = instant()
    done: dt.datetime | None = instant(nullable=True)


def known(session: Session) -> dict[int, CadenceRow]:
    """The cadences that were seen before, by newsletter."""
    return {row.newsletter_id: row for row in session.scalars(select(CadenceRow))}


def set_cadence(session: Session, newsletter_id: int, *, cron: str, zone: str, since: dt.datetime) -> None:
    """Note a cadence; what was due under the one before it is due no more."""
    values = {"cron": cron, "zone": zone, "since": since}
    statement = insert_into(session, CadenceRow).values(newsletter_id=newsletter_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["newsletter_id"], set_=values))


def take(session: Session, newsletter_id: int, *, at: dt.datetime, issue: str, now: dt.datetime) -> bool:
    """Take a time that is due; False where somebody has."""
    row = insert_into(session, SlotRow).values(newsletter_id=newsletter_id, at=at, issue=issue, taken=now)
    taken = session.scalar(row.on_conflict_do_nothing().returning(col(SlotRow.id))) is not None
    later = update(CadenceRow).where(col(CadenceRow.newsletter_id) == newsletter_id, col(CadenceRow.since) < at)
    changed_rows(session, later.values(since=at))
    return taken


def unfinished(session: Session, before: dt.datetime) -> Sequence[SlotRow]:
    """Times that were taken before then and whose draft is not there: whoever took them was stopped."""
    left = (col(SlotRow.done).is_(None), col(SlotRow.taken) < before)
    return session.scalars(select(SlotRow).where(*left).order_by(col(SlotRow.id))).all()


def take_over(session: Session, slot: SlotRow, *, now: dt.datetime) -> bool:
    """Take a time over from whoever was stopped; False where somebody else has."""
    mine = (col(SlotRow.id) == slot.id, col(SlotRow.done).is_(None), col(SlotRow.taken) == slot.taken)
    return changed_rows(session, update(SlotRow).where(*mine).values(taken=now)) == 1


def finish(session: Session, newsletter_id: int, *, at: dt.datetime, now: dt.datetime) -> bool:
    """Note that the draft of a time is there; False where that is known."""
    mine = (col(SlotRow.newsletter_id) == newsletter_id, col(SlotRow.at) == at, col(SlotRow.done).is_(None))
    return changed_rows(session, update(SlotRow).where(*mine).values(done=now)) == 1
