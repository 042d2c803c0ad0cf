"""
Who wrote an issue: whoever changed its texts, its items or one of its entries last.

Takes a session, never commits. What was written before authors were kept is nobody's.
"""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session, col, select

from newsletter.assembly.models import IssueRow, ItemRow
from newsletter.content.models import EntryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The last change to what an issue says: by whom, and when."""

    author: str
    at: dt.datetime


def last_written(session: Session, issue: IssueRow) -> Written | None:
    """
    Say who changed last what an issue says, None where nobody knows.

    The settings and topics that it was assembled with are its own words.
    """
    named = select(col(ItemRow.entry_id)).where(col(ItemRow.issue_id) == issue.id)
    entry = (
        select(EntryRow.author, EntryRow.written)
        .where(col(EntryRow.id).in_(named), col(EntryRow.written).is_not(None))
        .order_by(col(EntryRow.written).desc(), col(EntryRow.id).desc())
        .limit(1)
    )
    found = [(issue.author, issue.written), *session.exec(entry)]
    known = [Written(author=author, at=at) for author, at in found if at is not None]
    return max(known, key=lambda written: written.at, default=None)
