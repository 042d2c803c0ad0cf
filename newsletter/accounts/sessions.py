"""
Sessions of the desk: who a cookie stands for, for how long.

Takes a session of the database and the token of a cookie; yields the operator. Promises that no row tells a token (it
holds the digest), and that a session ends after `IDLE` without use, `LASTING` after it began, and with its operator.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from newsletter.accounts.credentials import SecondFactorRow
from newsletter.accounts.models import OperatorRow, OperatorSessionRow
from newsletter.accounts.operator import Operator, OperatorId
from newsletter.database import changed_rows

IDLE: Final = dt.timedelta(hours=12)
"""Without a request: a working day with its lunch (OWASP ASVS 5.0 §7.3 asks for a limit)."""

LASTING: Final = dt.timedelta(days=14)
"""From signing in, however busy."""

TOUCHED: Final = dt.timedelta(minutes=5)
"""How exactly it is known when a session was last used: a row is written no more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """
    An operator and the session they act in; `newsletter` is the slug of the one last worked on.

    `provider` is the host that vouched for them, "" where they gave their password.
    """

    operator: Operator
    session_id: int
    newsletter: str | None
    is_stale: bool
    """Whether `touch` has to note that the session is in use."""
    provider: str = ""
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session as its operator sees it in the list; `agent` is what the browser says of itself."""

    id: int
    created: dt.datetime
    seen: dt.datetime
    agent: str
    provider: str


def operator_of(row: OperatorRow) -> Operator:
    """The operator of a row."""
    return Operator(
        id=OperatorId(row.id or 0),
        name=row.name,
        full_name=row.full_name,
        email=row.email,
        role=row.role,
        language=row.language,
        timezone=row.timezone,
    )


def begin(session: Session, operator_id: OperatorId, *, agent: str, now: dt.datetime, provider: str = "") -> str:
    """
    Begin a session and return its token: 256 bits in base64url, for the cookie alone.

    `provider` is the host that vouched for the operator, "" where they gave their password.
    """
    token = secrets.token_urlsafe(32)
    row = OperatorSessionRow(digest=digest_of(token), operator_id=operator_id, created=now, seen=now, agent=agent[:200])
    row.provider = provider
    session.add(row)
    session.flush()
    return token


def find(session: Session, token: str, *, now: dt.datetime) -> Seated | None:
    """The operator whose session has this token; None where it has ended or its operator is disabled."""
    query = (
        select(OperatorSessionRow, OperatorRow, col(SecondFactorRow.confirmed))
        .join(OperatorRow, col(OperatorRow.id) == col(OperatorSessionRow.operator_id))
        .outerjoin(SecondFactorRow, col(SecondFactorRow.operator_id) == col(OperatorRow.id))
        .where(
            col(OperatorSessionRow.digest) == digest_of(token),
            col(OperatorSessionRow.seen) > now - IDLE,
            col(OperatorSessionRow.created) > now - LASTING,
            col(OperatorRow.disabled).is_(None),
        )
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    held, row, confirmed = found
    return Seated(
        operator=operator_of(row),
        session_id=held.id or 0,
        newsletter=held.newsletter,
        is_stale=now - held.seen > TOUCHED,
        provider=held.provider,
        has_second_factor=confirmed is not None,
    )


def sessions_of(session: Session, operator_id: OperatorId, *, now: dt.datetime) -> Sequence[OpenSession]:
    """The sessions of an operator that last, the one used last first."""
    query = select(OperatorSessionRow).where(
        col(OperatorSessionRow.operator_id) == operator_id,
        col(OperatorSessionRow.seen) > now - IDLE,
        col(OperatorSessionRow.created) > now - LASTING,
    )
    rows = session.scalars(query.order_by(col(OperatorSessionRow.seen).desc(), col(OperatorSessionRow.id).desc()))
    return [
        OpenSession(id=row.id or 0, created=row.created, seen=row.seen, agent=row.agent, provider=row.provider)
        for row in rows
    ]


def touch(session: Session, session_id: int, *, newsletter: str | None, now: dt.datetime) -> None:
    """Note that a session is in use, and for which newsletter."""
    mine = update(OperatorSessionRow).where(col(OperatorSessionRow.id) == session_id)
    changed_rows(session, mine.values(seen=now, newsletter=newsletter))


def end(session: Session, session_id: int) -> None:
    """End one session."""
    changed_rows(session, delete(OperatorSessionRow).where(col(OperatorSessionRow.id) == session_id))


def end_own(session: Session, operator_id: OperatorId, session_id: int) -> bool:
    """End one session of an operator; False where it is none of theirs."""
    mine = (col(OperatorSessionRow.id) == session_id, col(OperatorSessionRow.operator_id) == operator_id)
    return changed_rows(session, delete(OperatorSessionRow).where(*mine)) == 1


def end_all(session: Session, operator_id: OperatorId, *, but: int | None = None) -> int:
    """End the sessions of an operator, except the one they act in; returns how many."""
    mine = delete(OperatorSessionRow).where(col(OperatorSessionRow.operator_id) == operator_id)
    return changed_rows(session, mine if but is None else mine.where(col(OperatorSessionRow.id) != but))


def drop_ended(session: Session, now: dt.datetime) -> int:
    """Delete the rows of sessions that have ended by themselves; returns how many."""
    ended = (col(OperatorSessionRow.seen) <= now - IDLE) | (col(OperatorSessionRow.created) <= now - LASTING)
    return changed_rows(session, delete(OperatorSessionRow).where(ended))


def digest_of(token: str) -> str:
    """What a row keeps of a token: enough to find it, not to be it."""
    return hashlib.sha256(token.encode()).hexdigest()
