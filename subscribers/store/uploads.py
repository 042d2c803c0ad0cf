"""Queries about files of people that were uploaded for import."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.models import ImportRun, UploadState


def add_upload(session: Session, upload: ImportRun) -> ImportRun:
    """Store a new upload and return it with its id."""
    session.add(upload)
    session.flush()
    return upload


def find_upload(session: Session, key: str) -> ImportRun | None:
    """Return the upload of this key."""
    return session.scalar(select(ImportRun).where(col(ImportRun.key) == key))


def uploads(session: Session, *, limit: int, before: int | None = None) -> Sequence[ImportRun]:
    """Return the next uploads, the newest first; `before` is the id of the last one of the page before."""
    query = select(ImportRun).order_by(col(ImportRun.id).desc()).limit(limit)
    return session.scalars(query if before is None else query.where(col(ImportRun.id) < before)).all()


def change_upload(
    session: Session,
    key: str,
    *,
    expected: Collection[UploadState],
    now: datetime,
    unchanged_since: datetime | None = None,
    **values: Any,
) -> bool:
    """Change an upload that is in one of the expected states; returns whether it was.

    With `unchanged_since` only one that nobody has worked on since then.
    """
    seen = [col(ImportRun.key) == key, col(ImportRun.state).in_(expected)]
    if unchanged_since is not None:
        seen.append(col(ImportRun.changed) < unchanged_since)
    guarded = update(ImportRun).where(*seen).values(changed=now, **values)
    result = session.execute(guarded, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount == 1


def delete_upload(session: Session, key: str) -> None:
    """Delete an upload; its file is the caller's."""
    session.execute(delete(ImportRun).where(col(ImportRun.key) == key))
