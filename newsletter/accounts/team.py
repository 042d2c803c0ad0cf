"""Every query about operators and whom a provider means by them. Takes a session, never commits."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlmodel import Session, col

from newsletter.accounts.credentials import IdentityRow, SecondFactorRow
from newsletter.accounts.models import OperatorRow, OperatorSessionRow
from newsletter.accounts.operator import Operator, OperatorId, Role
from newsletter.accounts.sessions import operator_of
from newsletter.database import changed_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An operator as the team sees them; `seen` is when they last used a session that still lasts."""

    operator: Operator
    disabled: dt.datetime | None
    has_password: bool
    has_second_factor: bool
    seen: dt.datetime | None
    created: dt.datetime


def members(session: Session) -> Sequence[Member]:
    """The whole team by name, those who may not sign in any more among them."""
    rows = session.execute(_members().order_by(col(OperatorRow.name)))
    return [_member(row, seen, is_confirmed=confirmed is not None) for row, seen, confirmed in rows]


def member(session: Session, name: str) -> Member | None:
    """One operator by name."""
    found = session.execute(_members().where(col(OperatorRow.name) == name)).one_or_none()
    return None if found is None else _member(found[0], found[1], is_confirmed=found[2] is not None)


def anybody(session: Session) -> bool:
    """Tell whether there is an operator at all."""
    return session.scalar(select(col(OperatorRow.id)).limit(1)) is not None


def names(session: Session) -> Sequence[str]:
    """The names of all operators, in order."""
    return session.scalars(select(col(OperatorRow.name)).order_by(col(OperatorRow.name))).all()


def called(session: Session) -> dict[str, str]:
    """What to call each operator, by name; those who are disabled as well, for what they did still stands."""
    columns = select(col(OperatorRow.name), col(OperatorRow.full_name))
    return {name: full_name or name for name, full_name in session.execute(columns)}


def by_id(session: Session, operator_id: OperatorId) -> OperatorRow | None:
    """The row of an operator, as it stands now."""
    return session.scalars(select(OperatorRow).where(col(OperatorRow.id) == operator_id)).one_or_none()


def by_name(session: Session, name: str) -> OperatorRow | None:
    """The row of an operator by the name they sign in with."""
    return session.scalars(select(OperatorRow).where(col(OperatorRow.name) == name)).one_or_none()


def by_name_or_email(session: Session, text: str) -> OperatorRow | None:
    """The row of whoever signs in with these words; no name has an at sign, so that they never mean two."""
    asked = text.strip().lower()
    mine = or_(col(OperatorRow.name) == asked, (col(OperatorRow.email) == asked) & (col(OperatorRow.email) != ""))
    return session.scalars(select(OperatorRow).where(mine)).one_or_none()


def by_email(session: Session, email: str) -> OperatorRow | None:
    """The row of the operator with an address in small letters; nobody has the address ""."""
    if not email:
        return None
    return session.scalars(select(OperatorRow).where(col(OperatorRow.email) == email)).one_or_none()


def add(session: Session, row: OperatorRow) -> OperatorId:
    """Add an operator."""
    session.add(row)
    session.flush()
    return OperatorId(row.id or 0)


def change(session: Session, operator_id: OperatorId, **values: Any) -> None:
    """Set columns of an operator."""
    changed_rows(session, update(OperatorRow).where(col(OperatorRow.id) == operator_id).values(**values))


def other_admins(session: Session, operator_id: OperatorId) -> int:
    """How many administrators there are beside one, who may sign in; held until the end of the transaction."""
    others = (
        col(OperatorRow.role) == Role.ADMIN,
        col(OperatorRow.disabled).is_(None),
    )
    # Locked on PostgreSQL, so that two administrators who put down each other wait for one another.
    ids = session.scalars(select(col(OperatorRow.id)).where(*others).order_by(col(OperatorRow.id)).with_for_update())
    return sum(found != operator_id for found in ids)


def identity(session: Session, *, issuer: str, subject: str) -> OperatorRow | None:
    """The operator whom a provider means by a subject."""
    query = (
        select(OperatorRow)
        .join(IdentityRow, col(IdentityRow.operator_id) == col(OperatorRow.id))
        .where(col(IdentityRow.issuer) == issuer, col(IdentityRow.subject) == subject)
    )
    return session.scalars(query).one_or_none()


def has_identity(session: Session, operator_id: OperatorId, *, issuer: str) -> bool:
    """Tell whether a provider means somebody by an operator already."""
    mine = (col(IdentityRow.operator_id) == operator_id, col(IdentityRow.issuer) == issuer)
    return session.scalar(select(col(IdentityRow.id)).where(*mine).limit(1)) is not None


def tie(session: Session, operator_id: OperatorId, *, issuer: str, subject: str) -> None:
    """Note whom a provider means by a subject."""
    session.add(IdentityRow(operator_id=operator_id, issuer=issuer, subject=subject))
    session.flush()


def _members() -> Any:
    seen = select(func.max(col(OperatorSessionRow.seen))).where(
        col(OperatorSessionRow.operator_id) == col(OperatorRow.id)
    )
    return select(OperatorRow, seen.scalar_subquery(), col(SecondFactorRow.confirmed)).outerjoin(
        SecondFactorRow, col(SecondFactorRow.operator_id) == col(OperatorRow.id)
    )


def _member(row: OperatorRow, seen: dt.datetime | None, *, is_confirmed: bool) -> Member:
    return Member(
        operator=operator_of(row),
        disabled=row.disabled,
        has_password=row.password is not None,
        has_second_factor=is_confirmed,
        seen=seen,
        created=row.created,
    )
