"""Every query about the audit log. Takes a session, never commits."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session, col

from newsletter.accounts.models import AuditRow, Deed
from newsletter.database import changed_rows
from subscribers.address import masked

LONGEST: Final = 500
"""Characters of what a deed is about, and of its reason; the rest is cut off."""


def note_deed(
    session: Session,
    deed: Deed,
    *,
    operator: str,
    at: dt.datetime,
    subscriber_id: int | None = None,
    digest: str | None = None,
    about: str = "",
    reason: str = "",
) -> None:
    """Add one line; addresses in its words are masked."""
    session.add(
        AuditRow(
            at=at,
            operator=operator[:80],
            action=deed.value,
            subscriber_id=subscriber_id,
            digest=digest,
            about=_plain(about),
            reason=_plain(reason),
        )
    )
    session.flush()


def deeds_about(session: Session, *, subscriber_id: int | None, digest: str) -> Sequence[AuditRow]:
    """Lines about a person, oldest first; also after they were erased."""
    forgotten = col(AuditRow.subscriber_id).is_(None) & (col(AuditRow.digest) == digest)
    known = [col(AuditRow.subscriber_id) == subscriber_id] if subscriber_id is not None else []
    return session.scalars(select(AuditRow).where(or_(forgotten, *known)).order_by(col(AuditRow.id))).all()


def forget_words_about(session: Session, subscriber_id: int) -> None:
    """Cut the tie of lines to a person and empty their words; that something was done, by whom and when, stays."""
    mine = update(AuditRow).where(col(AuditRow.subscriber_id) == subscriber_id)
    changed_rows(session, mine.values(subscriber_id=None, about="", reason=""))


def erased_among(session: Session, digests: Collection[str], since: dt.datetime) -> frozenset[str]:
    """Those among digests whose people were erased since an instant."""
    lately = (col(AuditRow.action) == Deed.ERASED.value, col(AuditRow.at) >= since)
    query = select(col(AuditRow.digest)).where(col(AuditRow.digest).in_(digests), *lately)
    return frozenset(digest for digest in session.scalars(query) if digest is not None)


def erased_since(session: Session, since: dt.datetime) -> list[str]:
    """Digests of those who were erased since an instant, in order."""
    erased = (col(AuditRow.action) == Deed.ERASED.value, col(AuditRow.at) >= since, col(AuditRow.digest).is_not(None))
    query = select(col(AuditRow.digest)).where(*erased).distinct().order_by(col(AuditRow.digest))
    return [digest for digest in session.scalars(query) if digest is not None]


def drop_older(session: Session, before: dt.datetime, limit: int) -> int:
    """Delete up to `limit` lines from before an instant; returns how many."""
    old = select(col(AuditRow.id)).where(col(AuditRow.at) < before).order_by(col(AuditRow.at)).limit(limit)
    return changed_rows(session, delete(AuditRow).where(col(AuditRow.id).in_(old)))


def count_older(session: Session, before: dt.datetime) -> int:
    """How many lines `drop_older` would delete in all."""
    return session.scalar(select(func.count()).select_from(AuditRow).where(col(AuditRow.at) < before)) or 0


def _plain(words: str) -> str:
    return "".join(filter(str.isprintable, " ".join(masked(words).split())))[:LONGEST]
