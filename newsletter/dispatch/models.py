"""Tables of dispatch: attempts, append-only, and the workers that make them."""

import datetime as dt
from typing import Final

from sqlalchemy import Index, LargeBinary, UniqueConstraint, literal_column
from sqlmodel import Field

from newsletter.dispatch.outcome import Fault, Verdict
from subscribers.columns import Base, enum_column, identity, instant, reference

OF_RECIPIENT: Final = "fault = 'recipient'"
"""
Attempts that failed for their recipient's sake, few among many; a query for them repeats these very words, as those for
open deliveries do (`planning.models.OPEN`).
"""


class AttemptRow(Base, table=True):
    """
    One try at a delivery over a relay; written once, when it has ended, and never changed.

    `phase` is how far it came (`Phase`), `code`, `enhanced` and `text` what the relay said, addresses masked. `began`
    is when its mark was committed, None where nothing of the content went out; `at` is when it ended. `seal` chains it
    to the attempt before it, see `seals`; attempts from before there were seals have none.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("delivery_id", "number", name="uq_attempt_delivery_number"),
        Index(
            "ix_attempt_of_recipient",
            "id",
            sqlite_where=literal_column(OF_RECIPIENT),
            postgresql_where=literal_column(OF_RECIPIENT),
        ),
    )

    id: int | None = identity()
    delivery_id: int = reference("delivery.id")
    number: int
    epoch: int
    worker: str = Field(max_length=64)
    relay: str = Field(max_length=300)
    verdict: Verdict = enum_column(Verdict, "verdict")
    fault: Fault | None = enum_column(Fault, "fault", nullable=True)
    phase: int
    code: int | None = None
    enhanced: str | None = Field(default=None, max_length=12)
    text: str = Field(default="", max_length=500)
    at: dt.datetime = instant()
    began: dt.datetime | None = instant(nullable=True)
    seal: bytes | None = Field(default=None, sa_type=LargeBinary)


class WorkerRow(Base, table=True):
    """
    One life of a dispatcher; its deliveries and attempts name it.

    `connections` is how many messages it may have on the wire at once, where it said so. `ended` is when it signed off
    or was declared dead. On PostgreSQL `heartbeat` is by the database's clock.
    """

    __tablename__ = "worker"

    name: str = Field(primary_key=True, max_length=64)
    connections: int | None = None
    started: dt.datetime = instant()
    heartbeat: dt.datetime = instant()
    ended: dt.datetime | None = instant(nullable=True)
