"""
What the desk knows of its operators: changed by themselves, or by an administrator.

Takes a session, a row and new values; promises that two operators never share an address, that the audit log says from
what to what, and that a new password ends every session.
"""

import datetime as dt
from typing import Any

from sqlmodel import Session

from newsletter.accounts import sessions, setup_links, team
from newsletter.accounts.models import Deed, OperatorRow
from newsletter.accounts.operator import OperatorId
from newsletter.accounts.problems import EMAIL_TAKEN, FieldRefused
from newsletter.accounts.store import note_deed


def change_profile(
    session: Session, row: OperatorRow, values: dict[str, Any], *, operator: str, now: dt.datetime
) -> None:
    """Set those of the `values` that are not None and differ; the log says from what to what."""
    new = {field: value for field, value in values.items() if value is not None and value != getattr(row, field)}
    if new.get("email"):
        ensure_free(session, new["email"])
    if not new:
        return
    told = "; ".join(
        f"{field.replace('_', ' ')}: {getattr(row, field) or '—'} → {value or '—'}" for field, value in new.items()
    )
    team.change(session, OperatorId(row.id or 0), **new)
    note_deed(session, Deed.OPERATOR_CHANGED, operator=operator, at=now, about=f"{row.name}: {told}")


def ensure_free(session: Session, email: str) -> None:
    """Refuse an address that somebody on the team has. Raises FieldRefused."""
    if team.by_email(session, email) is not None:
        raise FieldRefused("email", EMAIL_TAKEN)


def put_password(session: Session, operator_id: OperatorId, known: str) -> None:
    """Store the hash of a new password; every session of the operator ends, and every link to choose another."""
    team.change(session, operator_id, password=known)
    end_all(session, operator_id)


def end_all(session: Session, operator_id: OperatorId) -> None:
    """End every session of an operator, and every link by which they could choose a password."""
    setup_links.drop_of(session, operator_id)
    sessions.end_all(session, operator_id)
