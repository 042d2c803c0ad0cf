"""Tables of dispatch: attempts, append-only."""

import datetime as dt

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from newsletter.dispatch.outcome import Fault, Verdict
from subscribers.columns import Base, enum_column, identity, instant, reference


class AttemptRow(Base, table=True):
    """
    One try at a delivery over a relay; written once, when it has ended, and never changed.

    `phase` is how far it came (`Phase`), `code`, `enhanced` and `text` what the relay said, addresses masked.
    """

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number", name="uq_attempt_delivery_number"),)

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
