"""Queries about files of people that were uploaded for import."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.models import ImportRun, UploadPart, UploadState


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


def uploads_under_way(session: Session) -> int:
    """Return how many uploads are being looked through or stored."""
    busy = col(ImportRun.state).in_([UploadState.CHECKING, UploadState.RUNNING])
    return session.scalar(select(func.count()).select_from(ImportRun).where(busy)) or 0


def change_upload(
    session: Session,
    key: str,
    *,
    expected: Collection[UploadState],
    now: datetime,
    unchanged_since: datetime | None = None,
    worker: str | None = None,
    **values: Any,
) -> bool:
    """Change an upload that is in one of the expected states; returns whether it was.

    With `unchanged_since` only one that nobody has worked on since then, with `worker` only one that is theirs.
    """
    seen = [col(ImportRun.key) == key, col(ImportRun.state).in_(expected)]
    if worker is not None:
        seen.append(col(ImportRun.taken_by) == worker)
    if unchanged_since is not None:
        seen.append(col(ImportRun.changed) < unchanged_since)
    guarded = update(ImportRun).where(*seen).values(changed=now, **values)
    result = session.execute(guarded, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount == 1


def uploads_left(session: Session, *, states: Collection[UploadState], before: datetime) -> Sequence[ImportRun]:
    """Return the uploads in some states that nobody has worked on since then, the oldest first."""
    left = (col(ImportRun.state).in_(states), col(ImportRun.changed) < before)
    return session.scalars(select(ImportRun).where(*left).order_by(col(ImportRun.id))).all()


def put_upload_parts(session: Session, upload_id: int, parts: Iterable[bytes], *, refused: bool = False) -> None:
    """Keep the octets of an upload, or of its refused rows, instead of those that are kept."""
    drop_upload_parts(session, upload_id, refused=refused)
    for number, octets in enumerate(parts):
        row = {"upload_id": upload_id, "refused": refused, "number": number, "octets": octets}
        session.execute(insert(UploadPart), row)


def upload_parts(session: Session, upload_id: int, *, refused: bool = False) -> Iterator[bytes]:
    """Return the octets of an upload, or of its refused rows, piece by piece; nothing where they are not kept."""
    number = 0
    one = select(col(UploadPart.octets)).where(*_parts(upload_id, refused=refused))
    while (octets := session.scalar(one.where(col(UploadPart.number) == number))) is not None:
        yield octets
        number += 1


def has_upload_parts(session: Session, upload_id: int, *, refused: bool = False) -> bool:
    """Return whether they are kept."""
    return bool(session.scalar(select(exists().where(*_parts(upload_id, refused=refused)))))


def drop_upload_parts(session: Session, upload_id: int, *, refused: bool) -> None:
    """Keep them no longer."""
    session.execute(delete(UploadPart).where(*_parts(upload_id, refused=refused)))


def drop_refused_parts(session: Session) -> None:
    """Keep no refused rows of any upload."""
    session.execute(delete(UploadPart).where(col(UploadPart.refused)))


def drop_old_parts(session: Session, before: datetime) -> None:
    """Keep nothing of uploads that nobody has worked on since then."""
    old = select(col(ImportRun.id)).where(col(ImportRun.changed) < before)
    session.execute(delete(UploadPart).where(col(UploadPart.upload_id).in_(old)))


def _parts(upload_id: int, *, refused: bool) -> tuple[ColumnElement[bool], ...]:
    return col(UploadPart.upload_id) == upload_id, col(UploadPart.refused) == refused


def delete_upload(session: Session, key: str) -> None:
    """Delete an upload; its file is the caller's."""
    session.execute(delete(ImportRun).where(col(ImportRun.key) == key))
