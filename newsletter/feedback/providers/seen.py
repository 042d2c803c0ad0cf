"""
Requests of providers that were heard: the proof against being told the same twice by somebody who has overheard it.

Takes what only one request has; keeps a digest of it for as long as a signature could still be taken for fresh, and a
good while longer. Each function takes a session and commits nothing.
"""

import datetime as dt
from hashlib import sha256
from typing import Final

from sqlalchemy import delete
from sqlmodel import Field, Session, col

from newsletter.database import changed_rows
from subscribers.columns import Base, insert_into, instant
from subscribers.models import CLUSTERED

KEPT: Final = dt.timedelta(days=7)
"""Signed requests are refused as stale long before."""


class SeenRow(Base, table=True):
    """A request that was heard; `digest` is that of the provider and of what only this request has."""

    __tablename__ = "hook_seen"
    __table_args__ = CLUSTERED

    digest: str = Field(primary_key=True, max_length=64)
    at: dt.datetime = instant(index=True)


def has_heard(session: Session, provider: str, once: str) -> bool:
    """Whether this request was heard before."""
    return session.get(SeenRow, _digest(provider, once)) is not None


def remember(session: Session, provider: str, once: str, *, now: dt.datetime) -> None:
    """Keep that a request was heard."""
    heard = insert_into(session, SeenRow).values(digest=_digest(provider, once), at=now)
    session.execute(heard.on_conflict_do_nothing())


def forget(session: Session, *, now: dt.datetime) -> int:
    """Forget what is of no use any more; returns how many."""
    return changed_rows(session, delete(SeenRow).where(col(SeenRow.at) < now - KEPT))


def _digest(provider: str, once: str) -> str:
    return sha256(f"{provider}\0{once}".encode("utf-8", "surrogatepass")).hexdigest()
