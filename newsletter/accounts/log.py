"""Reading the audit log as pages. Takes a session, never commits."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from newsletter.accounts.models import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedFilter:
    """Which lines are wanted: by whom, what, from and before an instant; "" and None leave it open."""

    operator: str = ""
    action: str = ""
    since: dt.datetime | None = None
    before: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDeed:
    """A line of the audit log; about a person it has no name, by design."""

    id: int
    at: dt.datetime
    operator: str
    action: str
    about: str
    reason: str
    is_about_person: bool


def page(session: Session, wanted: DeedFilter, *, below: int | None, limit: int) -> Sequence[LoggedDeed]:
    """Up to `limit` lines, the newest first, of those older than the line `below`."""
    query = select(AuditRow).where(*_conditions(session, wanted)).order_by(col(AuditRow.id).desc()).limit(limit)
    rows = session.scalars(query if below is None else query.where(col(AuditRow.id) < below))
    return [_deed(row) for row in rows]


def above(session: Session, wanted: DeedFilter, *, line: int, limit: int) -> Sequence[LoggedDeed]:
    """Up to `limit` lines, the newest first, that come just after a line: the page before."""
    query = select(AuditRow).where(*_conditions(session, wanted), col(AuditRow.id) > line)
    rows = session.scalars(query.order_by(col(AuditRow.id)).limit(limit))
    return [_deed(row) for row in reversed(rows.all())]


def operators(session: Session) -> Sequence[str]:
    """Everybody who ever did something, in order; found by hopping over the index from name to name."""
    found: list[str] = []
    last = ""
    while True:
        name = session.scalar(
            select(col(AuditRow.operator))
            .where(col(AuditRow.operator) > last)
            .order_by(col(AuditRow.operator))
            .limit(1)
        )
        if name is None:
            return found
        found.append(name)
        last = name


def _conditions(session: Session, wanted: DeedFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.operator:
        conditions.append(col(AuditRow.operator) == wanted.operator)
    if wanted.action:
        conditions.append(col(AuditRow.action) == wanted.action)
    # Lines are numbered as time goes by: two look-ups turn a span of time into one of numbers.
    if wanted.since is not None:
        first = _first_from(session, wanted.since)
        conditions.append(col(AuditRow.id) >= first if first is not None else col(AuditRow.id) < 0)
    if wanted.before is not None and (end := _first_from(session, wanted.before)) is not None:
        conditions.append(col(AuditRow.id) < end)
    return conditions


def _first_from(session: Session, instant: dt.datetime) -> int | None:
    query = select(col(AuditRow.id)).where(col(AuditRow.at) >= instant).order_by(col(AuditRow.at), col(AuditRow.id))
    return session.scalar(query.limit(1))


def _deed(row: AuditRow) -> LoggedDeed:
    return LoggedDeed(
        id=row.id or 0,
        at=row.at,
        operator=row.operator,
        action=row.action,
        about=row.about,
        reason=row.reason,
        is_about_person=row.subscriber_id is not None or row.digest is not None,
    )
