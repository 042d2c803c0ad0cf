"""Tables of dispatch: attempts, append-only, the workers that make them, and what these share of a relay."""

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


class RelayPaceRow(Base, table=True):
    """
    What all workers together have taken of a relay's rate and of its number for a day; on PostgreSQL alone.

    `full_at` is when its bucket will be full again, by the database's clock, None where it has no rate. `day` is one of
    UTC and `used` what of its number is used or leased; None and 0 where there is no warm-up.
    """

    __tablename__ = "relay_pace"

    relay: str = Field(primary_key=True, max_length=300)
    full_at: dt.datetime | None = instant(nullable=True)
    day: dt.date | None = None
    used: int = 0


class RelayLeaseRow(Base, table=True):
    """
    How much of a relay's number for a day a worker has leased, used or not, less what it has given back.

    What the relay took of it on that day before counts as leased, so that what it holds is this less its attempts.
    """

    __tablename__ = "relay_lease"

    relay: str = Field(primary_key=True, max_length=300)
    worker: str = Field(primary_key=True, max_length=64)
    day: dt.date
    leased: int
