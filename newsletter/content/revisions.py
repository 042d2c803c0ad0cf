"""
The history of entries. Takes a session, never commits.

Every change that `store.save_entries` writes leaves a revision here, whoever made it and by whatever way; an entry that
is older than its history gets its former state with its first change. Words that were not taken, because somebody else
had changed the same field, are set aside as a revision of their own: nothing that somebody sent is lost.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from newsletter.content.entry import Entry
from newsletter.content.models import RevisionRow
from newsletter.content.rows import EntryRows, row_id
from newsletter.content.sheet import Act, Sheet, sheet_of, value_in
from newsletter.content.versions import text_digest
from newsletter.database import ACTING

STATUS: Final = "status"
"""What the sheet of a revision has beside the fields of a form."""

_IDS_AT_ONCE: Final = 1000
"""Values in one IN list: drivers and databases limit the parameters of a statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One line of a history; `operator` is empty where nobody knows any more, `fields` for the first state."""

    id: int
    number: int
    act: Act
    at: dt.datetime
    operator: str
    fields: tuple[str, ...]
    sheet: Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What an entry was before a change: None for a new one, with who left it so and when."""

    entry: Entry | None
    author: str
    changed: dt.datetime


def note_revisions(
    session: Session, saved: Sequence[tuple[EntryRows, Entry, Former]], *, act: Act, now: dt.datetime
) -> None:
    """Add what entries say now to their histories; of one without a history, what it said before as well."""
    known = _with_history(session, [row_id(rows.row) for rows, _, former in saved if former.entry is not None])
    operator = str(session.info.get(ACTING, ""))[:80]
    for rows, entry, former in saved:
        number, entry_id = rows.row.revision, row_id(rows.row)
        before = None if former.entry is None else _whole(former.entry)
        if former.entry is not None and entry_id not in known:
            said = _said(entry_id, former.entry, fields=())
            session.add(
                RevisionRow(**said, number=number - 1, act=Act.SAVED, at=former.changed, operator=former.author)
            )
        fields = differing(before, _whole(entry)) if before is not None else ()
        said = _said(entry_id, entry, fields=fields)
        session.add(RevisionRow(**said, number=number, act=act, at=now, operator=operator))


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the fields in which two sheets differ, in the order of the later one."""
    names = dict.fromkeys((*after, *before))
    return tuple(name for name in names if value_in(before, name) != value_in(after, name))


def set_aside(session: Session, entry_id: int, *, sheet: Sheet, base: Revision | None, now: dt.datetime) -> None:
    """Keep words that met somebody else's, unless the very same were kept already."""
    operator = str(session.info.get(ACTING, ""))[:80]
    own = (col(RevisionRow.entry_id) == entry_id, col(RevisionRow.act) == Act.ASIDE)
    mine = select(RevisionRow).where(*own, col(RevisionRow.operator) == operator)
    last = session.scalars(mine.order_by(col(RevisionRow.id).desc()).limit(1)).first()
    if last is not None and last.sheet == sheet:
        return
    fields = [name for name in differing(base.sheet, sheet) if name in sheet] if base else []
    number = base.number if base else 0
    row = RevisionRow(
        entry_id=entry_id, number=number, act=Act.ASIDE, at=now, operator=operator, sheet=sheet, fields=fields
    )
    session.add(row)
    session.flush()


def revision_numbered(session: Session, entry_id: int, number: int) -> Revision | None:
    """What the entry was in the revision of that number, or None where that is not known."""
    own = (col(RevisionRow.entry_id) == entry_id, col(RevisionRow.number) == number)
    query = select(RevisionRow).where(*own, col(RevisionRow.act) != Act.ASIDE)
    row = session.scalars(query.limit(1)).first()
    return None if row is None else _revision(row)


def get_revision(session: Session, entry_id: int, revision_id: int) -> Revision | None:
    """A line of the history of an entry by its id, or None where it has no such line."""
    row = session.get(RevisionRow, revision_id)
    return None if row is None or row.entry_id != entry_id else _revision(row)


def before(session: Session, entry_id: int, revision: Revision) -> Revision | None:
    """What a revision is compared with: for words set aside the one they were written on, else the one before."""
    number = revision.number if revision.act is Act.ASIDE else revision.number - 1
    return revision_numbered(session, entry_id, number)


def history(session: Session, entry_id: int, *, limit: int, older_than: int | None = None) -> list[Revision]:
    """The history of an entry, latest first; `older_than` is the id of the last line that was shown."""
    own = [col(RevisionRow.entry_id) == entry_id]
    if older_than is not None:
        own.append(col(RevisionRow.id) < older_than)
    rows = session.scalars(select(RevisionRow).where(*own).order_by(col(RevisionRow.id).desc()).limit(limit))
    return [_revision(row) for row in rows]


def made_from(session: Session, entry_id: int, digest: str) -> Revision | None:
    """The latest revision whose source text has that digest: what a translation was made from."""
    own = (col(RevisionRow.entry_id) == entry_id, col(RevisionRow.source_digest) == digest)
    row = session.scalars(select(RevisionRow).where(*own).order_by(col(RevisionRow.id).desc()).limit(1)).first()
    return None if row is None else _revision(row)


def _with_history(session: Session, ids: Sequence[int]) -> Collection[int]:
    found: set[int] = set()
    for start in range(0, len(ids), _IDS_AT_ONCE):
        chunk = ids[start : start + _IDS_AT_ONCE]
        saved = (col(RevisionRow.entry_id).in_(chunk), col(RevisionRow.act) != Act.ASIDE)
        found.update(session.scalars(select(col(RevisionRow.entry_id)).where(*saved).distinct()))
    return found


def _whole(entry: Entry) -> Sheet:
    # Whether it is published is no field of the form, and yet part of what happened.
    return {**sheet_of(entry), STATUS: entry.status.value}


def _said(entry_id: int, entry: Entry, *, fields: Sequence[str]) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "fields": list(fields),
        "sheet": _whole(entry),
        "source_digest": text_digest(entry.texts[entry.source]),
    }


def _revision(row: RevisionRow) -> Revision:
    return Revision(
        id=row_id(row),
        number=row.number,
        act=row.act,
        at=row.at,
        operator=row.operator,
        fields=tuple(row.fields),
        sheet=row.sheet,
    )
