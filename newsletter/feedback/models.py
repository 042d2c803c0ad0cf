"""Tables of feedback: events, append-only, and how far the ledger has been read."""

import datetime as dt
from typing import Final

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from newsletter.feedback.event import LONGEST_ID, LONGEST_TEXT, Cause, Kind, Proof
from subscribers.columns import Base, enum_column, identity, instant, reference

ATTEMPTS: Final = "attempts"
"""The place of the attempts: the id up to which all that failed for their recipient's sake have become events."""


class EventRow(Base, table=True):
    """
    What came back; written once and never changed. Holds no address: `digest` is the keyed one, `text` is masked.

    `key` is the event's own id, so that it is stored once however often it is told. `mailing` and `digest` are the
    delivery's where there is one, and `did` is what it changed, in words: empty where nothing.
    """

    __tablename__ = "event"
    __table_args__ = (Index(None, "mailing", "kind"),)

    id: int | None = identity()
    key: str = Field(max_length=LONGEST_ID, unique=True)
    kind: Kind = enum_column(Kind, "kind")
    cause: Cause | None = enum_column(Cause, "cause", nullable=True)
    proof: Proof = enum_column(Proof, "proof")
    source: str = Field(max_length=40)
    delivery_id: int | None = reference("delivery.id", ondelete="SET NULL", nullable=True, index=True)
    mailing: str | None = Field(default=None, max_length=200)
    digest: str | None = Field(default=None, max_length=64, index=True)
    status: str = Field(default="", max_length=12)
    text: str = Field(default="", max_length=LONGEST_TEXT)
    did: str = Field(default="", max_length=40)
    at: dt.datetime = instant()
    received: dt.datetime = instant(index=True)


class PlaceRow(Base, table=True):
    """How far something that only grows has been read."""

    __tablename__ = "feedback_place"

    name: str = Field(primary_key=True, max_length=40)
    position: int = Field(default=0, sa_type=BigInteger)
