"""Tables of planning: runs and deliveries."""

import datetime as dt
from enum import StrEnum
from typing import Final

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from newsletter.planning.stage import Stage
from subscribers.columns import Base, enum_column, identity, instant, reference

OPEN: Final = (
    "(state = 'planned' OR state = 'claimed' OR state = 'sending' OR state = 'deferred' OR state = 'uncertain')"
)
"""
Deliveries that may still change. Every query for some of them repeats these very words: SQLite takes the index over
them for nothing less, and without it each claim reads the whole table. It compares one by one in a third of the time
that it takes for a list, which it fills into a table of its own at each change of a row.
"""

OPEN_DELIVERY: Final = OPEN.replace("state", "delivery.state")
"""The same, in a query of several tables."""

SINGLE: Final = "run_id IS NULL"
"""Single messages: tests, confirmations, notices. As with `OPEN`, a query that wants their index says these words."""


class RunState(StrEnum):
    """Where a run stands."""

    #: Waits for its time.
    SCHEDULED = "scheduled"
    #: Its audience is being frozen.
    PLANNING = "planning"
    #: Its deliveries go out.
    RUNNING = "running"
    #: Stopped by an officer; goes on when resumed.
    PAUSED = "paused"
    #: Every delivery has ended.
    FINISHED = "finished"
    #: Stopped for good.
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """Where a delivery stands; the transitions are the ledger's."""

    #: Nobody works on it.
    PLANNED = "planned"
    #: A dispatcher has taken it; nothing has been sent.
    CLAIMED = "claimed"
    #: Its content may be on the wire.
    SENDING = "sending"
    #: The relay took it.
    ACCEPTED = "accepted"
    #: The relay asked to come back later.
    DEFERRED = "deferred"
    #: The relay refused it for good.
    REFUSED = "refused"
    #: The relay may or may not have taken it.
    UNCERTAIN = "uncertain"
    #: The address left or was suppressed after the audience was frozen.
    SUPPRESSED = "suppressed"
    #: The run was cancelled first.
    CANCELLED = "cancelled"
    #: Deferred for too long.
    EXPIRED = "expired"


class RunRow(Base, table=True):
    """
    One dispatch of an issue to a segment.

    `wall` and `zone` are what the officer said, `due_at` the instant they mean. `due_at` is None where the run waits
    for an officer (`held` says why). `dated` is the Date of every message, set when the run starts. An erratum goes to
    the readers of another issue: `readers_of` is the mailing they got, `edition` the language of theirs (None: whatever
    theirs was), and `expression` that of the segment it went to.

    `missed` and `doubtful`, `local`, `first` and `hold` (seconds) are its manner, see `planning.manner`. `staged` is
    since when its `stage` is what it is; while it holds, since the last of the first was tried.

    `forgotten` is when retention cut the ties of its deliveries to people: nobody can tell since who they were.
    """

    __tablename__ = "run"

    id: int | None = identity()
    issue_id: int = reference("issue.id", index=True)
    mailing: str = Field(max_length=200, index=True)
    segment: str = Field(max_length=80)
    expression: str = Field(max_length=4000)
    readers_of: str | None = Field(default=None, max_length=200)
    edition: str | None = Field(default=None, max_length=35)
    state: RunState = enum_column(RunState, "state", default=RunState.SCHEDULED)
    wall: str | None = Field(default=None, max_length=32)
    zone: str | None = Field(default=None, max_length=64)
    due_at: dt.datetime | None = instant(nullable=True)
    held: str | None = Field(default=None, max_length=300)
    dated: dt.datetime | None = instant(nullable=True)
    operator: str = Field(max_length=80)
    created: dt.datetime = instant()
    started: dt.datetime | None = instant(nullable=True)
    ended: dt.datetime | None = instant(nullable=True)
    total: int = 0
    missed: bool = False
    doubtful: bool = False
    local: bool = False
    first: int | None = None
    hold: int | None = None
    stage: Stage | None = enum_column(Stage, "stage", nullable=True)
    staged: dt.datetime | None = instant(nullable=True)
    forgotten: dt.datetime | None = instant(nullable=True)


class DeliveryRow(Base, table=True):
    """
    One artifact for one subscriber; unique per mailing and address.

    Holds the keyed digest of the address, never the address; `address` is filled only for single messages to people
    who are no subscribers, and emptied when the delivery ends. `worker` and `epoch` fence late writers. A planned one
    with a `next_at` is not sent before (see also `stage.HELD_BACK`). `dated` is the Date of a message that does not
    have its run's: of a single one, and of one that waited for its own time; the same at every attempt. `seal` is that
    of its newest attempt, see `dispatch.seals`.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("mailing", "digest", name="uq_delivery_mailing_digest"),
        Index(
            "ix_delivery_open",
            "run_id",
            "state",
            "next_at",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        # Those of runs are found by mailing and digest; an index over all digests would slow every freeze.
        Index("ix_delivery_single", "digest", sqlite_where=text(SINGLE), postgresql_where=text(SINGLE)),
    )

    id: int | None = identity()
    mailing: str = Field(max_length=200)
    run_id: int | None = reference("run.id", nullable=True)
    subscriber_id: int | None = reference("subscriber.id", ondelete="SET NULL", nullable=True, index=True)
    digest: str = Field(max_length=64)
    address: str | None = Field(default=None, max_length=320)
    language: str = Field(max_length=35)
    artifact: str = Field(max_length=64)
    state: DeliveryState = enum_column(DeliveryState, "state", default=DeliveryState.PLANNED)
    worker: str | None = Field(default=None, max_length=64)
    epoch: int = 0
    attempts: int = 0
    repeats: int = 0
    next_at: dt.datetime | None = instant(nullable=True)
    reason: str | None = Field(default=None, max_length=80)
    changed: dt.datetime = instant()
    dated: dt.datetime | None = instant(nullable=True)
    seal: bytes | None = Field(default=None, sa_type=LargeBinary)


class WithdrawalRow(Base, table=True):
    """
    Somebody whom a run stopped meaning while its audience was being frozen, before they were planned or after.

    Kept until the next run starts or its own goes on, see `planning.withdrawals`.
    """

    __tablename__ = "withdrawal"

    subscriber_id: int = reference("subscriber.id", primary_key=True)
    run_id: int = reference("run.id", primary_key=True)
