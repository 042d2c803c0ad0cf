"""
Links by which somebody makes their account, or chooses a new password.

Takes a session of the database; yields a token once, and afterwards what it stands for. Promises that a link is used
once, ends after its term, and that no row tells a token (it holds the digest).
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlmodel import Session, col

from newsletter.accounts.credentials import SetupLinkRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.sessions import digest_of
from newsletter.database import changed_rows

LASTING: Final = dt.timedelta(hours=72)
"""A weekend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupLink:
    """
    What a link is for: a new account with a role and an address, or, with `operator_id`, a new password.

    `made_by` is who invited; "" is the program itself, at its first run.
    """

    id: int
    operator_id: OperatorId | None
    email: str
    role: Role
    made_by: str
    created: dt.datetime
    expires: dt.datetime

    @property
    def is_first(self) -> bool:
        """Whether it is that of the first run, good for as long as there are no operators."""
        return not self.made_by


def make(
    session: Session,
    *,
    role: Role,
    made_by: str,
    now: dt.datetime,
    email: str = "",
    operator_id: OperatorId | None = None,
) -> str:
    """Make a link and return its token, for the one time: 256 bits in base64url."""
    token = secrets.token_urlsafe(32)
    row = SetupLinkRow(
        digest=digest_of(token), role=role, email=email, made_by=made_by, created=now, expires=now + LASTING
    )
    row.operator_id = operator_id
    session.add(row)
    session.flush()
    return token


def find(session: Session, token: str, *, now: dt.datetime) -> SetupLink | None:
    """What a token stands for; None where it was used, withdrawn or has ended."""
    open_ = (col(SetupLinkRow.digest) == digest_of(token), col(SetupLinkRow.expires) > now)
    row = session.scalars(select(SetupLinkRow).where(*open_)).one_or_none()
    return None if row is None else _link(row)


def use(session: Session, link_id: int) -> bool:
    """Use up a link, or withdraw it; False where somebody was quicker."""
    return changed_rows(session, delete(SetupLinkRow).where(col(SetupLinkRow.id) == link_id)) == 1


def invitations(session: Session, *, now: dt.datetime) -> Sequence[SetupLink]:
    """The invitations that wait, the newest first."""
    waiting = (
        col(SetupLinkRow.operator_id).is_(None),
        col(SetupLinkRow.made_by) != "",
        col(SetupLinkRow.expires) > now,
    )
    rows = session.scalars(select(SetupLinkRow).where(*waiting).order_by(col(SetupLinkRow.id).desc()))
    return [_link(row) for row in rows]


def drop_of(session: Session, operator_id: OperatorId) -> None:
    """Delete the links that give an operator a new password."""
    changed_rows(session, delete(SetupLinkRow).where(col(SetupLinkRow.operator_id) == operator_id))


def drop_first(session: Session) -> None:
    """Delete the links of the first run."""
    changed_rows(session, delete(SetupLinkRow).where(col(SetupLinkRow.made_by) == ""))


def drop_for(session: Session, email: str) -> None:
    """Delete earlier invitations of the same person."""
    same = (col(SetupLinkRow.operator_id).is_(None), col(SetupLinkRow.email) == email, col(SetupLinkRow.made_by) != "")
    if email:
        changed_rows(session, delete(SetupLinkRow).where(*same))


def drop_ended(session: Session, now: dt.datetime) -> None:
    """Delete links whose term is over."""
    changed_rows(session, delete(SetupLinkRow).where(col(SetupLinkRow.expires) <= now))


def _link(row: SetupLinkRow) -> SetupLink:
    return SetupLink(
        id=row.id or 0,
        operator_id=None if row.operator_id is None else OperatorId(row.operator_id),
        email=row.email,
        role=row.role,
        made_by=row.made_by,
        created=row.created,
        expires=row.expires,
    )
