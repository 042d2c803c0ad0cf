"""The table of what retention has done: one row a rule and run, its count grown with every chunk."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Field, Session, col

from subscribers.columns import Base, identity, instant


class RetentionRow(Base, table=True):
    """
    What one rule of retention did in one run.

    `before` is the instant that its term reached back to. `count` is committed with what it counts. `ended` is None
    where the run was broken off: the next one goes on.
    """

    __tablename__ = "retention_entry"

    id: int | None = identity()
    at: dt.datetime = instant(index=True)
    rule: str = Field(max_length=40)
    before: dt.datetime = instant()
    count: int = 0
    operator: str = Field(max_length=80)
    ended: dt.datetime | None = instant(nullable=True)


def add_entry(session: Session, row: RetentionRow) -> RetentionRow:
    """Store a row and give it its id."""
    session.add(row)
    session.flush()
    return row


def newest_entries(session: Session, limit: int) -> Sequence[RetentionRow]:
    """The rows of the last runs, newest first."""
    return session.scalars(select(RetentionRow).order_by(col(RetentionRow.id).desc()).limit(limit)).all()
