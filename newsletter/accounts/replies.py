"""
Answers that were given to requests with an idempotency key, so that a request which comes twice is done once.

Takes a session; yields what became of a key. Promises that two requests with one key never run at once: the key is
claimed by a row before anything is done, and a claim whose process died is free again after `STALE`.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import LargeBinary, UniqueConstraint, delete, select, update
from sqlmodel import Column, Field, Session, col

from newsletter.database import changed_rows
from subscribers.columns import Base, identity, insert_into, instant

KEPT: Final = dt.timedelta(hours=24)
"""How long an answer is given again."""

STALE: Final = dt.timedelta(minutes=2)
"""After that a claim without an answer is one of a process that died."""

_SWEPT: Final = 200
"""Old rows that are deleted at a time."""


class ReplyRow(Base, table=True):
    """
    What was answered to a key of a caller.

    `caller` is the digest of the field that said who called; `fingerprint` that of method, path and body; `status` is 0
    while the request is being done.
    """

    __tablename__ = "api_reply"
    __table_args__ = (UniqueConstraint("caller", "key"),)

    id: int | None = identity()
    caller: str = Field(max_length=64)
    key: str = Field(max_length=255)
    fingerprint: str = Field(max_length=64)
    created: dt.datetime = instant(index=True)
    status: int = 0
    media_type: str = Field(default="", max_length=100)
    body: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What was answered; `status` is 0 where that is still being found out."""

    fingerprint: str
    status: int
    media_type: str
    body: bytes


def claim(session: Session, *, caller: str, key: str, fingerprint: str, now: dt.datetime) -> Reply | None:
    """Claim a key; returns None where it is ours now, else what became of it."""
    _sweep(session, now)
    mine = (col(ReplyRow.caller) == caller, col(ReplyRow.key) == key)
    dead = (col(ReplyRow.status) == 0, col(ReplyRow.created) <= now - STALE)
    changed_rows(session, delete(ReplyRow).where(*mine, *dead))
    row = {"caller": caller, "key": key, "fingerprint": fingerprint, "created": now}
    made = insert_into(session, ReplyRow).values(**row, status=0, media_type="", body=b"").on_conflict_do_nothing()
    if changed_rows(session, made) == 1:
        return None
    found = session.scalars(select(ReplyRow).where(*mine)).one()
    return Reply(fingerprint=found.fingerprint, status=found.status, media_type=found.media_type, body=found.body)


def answer(session: Session, reply: Reply, *, caller: str, key: str) -> None:
    """Keep what was answered to a key that is claimed."""
    mine = (col(ReplyRow.caller) == caller, col(ReplyRow.key) == key, col(ReplyRow.status) == 0)
    values = {"status": reply.status, "media_type": reply.media_type, "body": reply.body}
    changed_rows(session, update(ReplyRow).where(*mine).values(**values))


def release(session: Session, *, caller: str, key: str) -> None:
    """Give a claimed key back: nothing was done, and it may be tried again."""
    mine = (col(ReplyRow.caller) == caller, col(ReplyRow.key) == key, col(ReplyRow.status) == 0)
    changed_rows(session, delete(ReplyRow).where(*mine))


def _sweep(session: Session, now: dt.datetime) -> None:
    old = select(col(ReplyRow.id)).where(col(ReplyRow.created) <= now - KEPT).limit(_SWEPT)
    changed_rows(session, delete(ReplyRow).where(col(ReplyRow.id).in_(old)))
