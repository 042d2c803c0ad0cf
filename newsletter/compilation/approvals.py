"""
The log of approvals: who approved an issue, and how that ended.

Takes a session, never commits. The last line of an issue says whether an approval holds; approvals that were given
before there was a log have none.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from newsletter.compilation.models import ApprovalRow

MOST_LINES: Final = 20
"""Of the log of one issue that anybody looks at."""

_REASON: Final = 1000
# As long as the column is.


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """That an issue was approved, or that an approval `ended`: when, by whose doing, and why."""

    at: dt.datetime
    operator: str
    ended: bool
    reason: str


def note(
    session: Session, issue_id: int, *, operator: str, at: dt.datetime, ended: bool = False, reason: str = ""
) -> None:
    """Add a line."""
    row = ApprovalRow(issue_id=issue_id, at=at, operator=operator[:80], ended=ended, reason=reason[:_REASON])
    session.add(row)
    session.flush()


def lines_of(session: Session, issue_id: int) -> tuple[Line, ...]:
    """The last lines of an issue, the newest first."""
    own = select(ApprovalRow).where(col(ApprovalRow.issue_id) == issue_id)
    rows = session.exec(own.order_by(col(ApprovalRow.id).desc()).limit(MOST_LINES))
    return tuple(Line(at=row.at, operator=row.operator, ended=row.ended, reason=row.reason) for row in rows)
