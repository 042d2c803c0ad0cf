"""
What operators are writing and have not saved yet. Takes a session, never commits.

A draft belongs to one operator and one entry and holds whatever the form held, taken or not: it is there to be given
back after a crash of the browser or of the server, and goes when its words are saved or thrown away.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from newsletter.content.models import DraftRow
from newsletter.content.sheet import Sheet
from newsletter.database import changed_rows

Form = Mapping[str, Sequence[str]]
"""The values of each field of a form, as they were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A sheet as it was typed, on the revision `base`; `form` has the form's own fields, `saved` is aware, in UTC."""

    base: int
    sheet: Sheet
    form: Form
    saved: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Somebody who has unsaved words in an entry."""

    operator: str
    saved: dt.datetime


def keep_draft(session: Session, entry_id: int, draft: Draft, *, operator: str) -> None:
    """Keep what an operator is writing in place of what was kept before."""
    row = session.get(DraftRow, (entry_id, operator))
    values: dict[str, Any] = {"base": draft.base, "sheet": draft.sheet, "form": dict(draft.form), "saved": draft.saved}
    if row is None:
        session.add(DraftRow(entry_id=entry_id, operator=operator, **values))
    else:
        row.sqlmodel_update(values)
    session.flush()


def draft_of(session: Session, entry_id: int, *, operator: str) -> Draft | None:
    """What an operator was writing, or None."""
    row = session.get(DraftRow, (entry_id, operator))
    return None if row is None else Draft(base=row.base, sheet=row.sheet, form=row.form, saved=row.saved)


def drop_draft(session: Session, entry_id: int, *, operator: str) -> bool:
    """Forget what an operator was writing; returns whether there was anything."""
    own = (col(DraftRow.entry_id) == entry_id, col(DraftRow.operator) == operator)
    return changed_rows(session, delete(DraftRow).where(*own)) == 1


def writers(session: Session, entry_id: int, *, since: dt.datetime) -> Sequence[Writer]:
    """Who has written in an entry since an instant without saving, latest first."""
    recent = (col(DraftRow.entry_id) == entry_id, col(DraftRow.saved) >= since)
    columns = select(col(DraftRow.operator), col(DraftRow.saved)).where(*recent).order_by(col(DraftRow.saved).desc())
    return [Writer(operator=operator, saved=saved) for operator, saved in session.execute(columns)]
