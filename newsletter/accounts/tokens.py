"""
Tokens of the API: what programs of an operator's sign in with, and what each may do.

Takes a session of the database; yields a token once, and afterwards who it stands for. Promises that no row tells a
token (it holds the digest), that a token ends with its term and with its operator, and that it never may do more than
the operator's role lets them do now.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlmodel import Session, col

from newsletter.accounts.credentials import ApiTokenRow
from newsletter.accounts.models import OperatorRow
from newsletter.accounts.operator import Operator, OperatorId, Role
from newsletter.accounts.sessions import digest_of, operator_of
from newsletter.database import changed_rows

PREFIX: Final = "nl_"
"""By which programs that look for forgotten secrets know ours."""

TOUCHED: Final = dt.timedelta(minutes=5)
"""How exactly it is known when a token was last used: a row is written no more often."""


class Scope(StrEnum):
    """What a token may do."""

    #: Look at everything that a viewer may look at.
    READ = "read"
    #: Write entries, build issues.
    CONTENT = "content"
    #: Approve, schedule, pause and cancel.
    SEND = "send"
    #: Change subscribers, lists and segments.
    PEOPLE = "people"
    #: Change newsletters' settings, erase people.
    ADMIN = "admin"


ALLOWED: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.OFFICER: frozenset(Scope) - {Scope.ADMIN},
    Role.ADMIN: frozenset(Scope),
}
"""What an operator of a role can let a program do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder:
    """Who a token stands for, and what it may do; `is_stale` asks for `touch`."""

    operator: Operator
    scopes: frozenset[Scope]
    token_id: int
    is_stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token as its operator sees it in the list: everything but itself."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created: dt.datetime
    expires: dt.datetime | None
    seen: dt.datetime | None

    def has_ended(self, now: dt.datetime) -> bool:
        """Tell whether its term is over."""
        return self.expires is not None and self.expires <= now


def issue(
    session: Session,
    operator_id: OperatorId,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires: dt.datetime | None,
    now: dt.datetime,
) -> str:
    """Make a token and return it, for the one time: the prefix, and 256 bits in base64url."""
    token = PREFIX + secrets.token_urlsafe(32)
    words = " ".join(scope.value for scope in Scope if scope in set(scopes))
    row = ApiTokenRow(operator_id=operator_id, name=name, digest=digest_of(token), scopes=words, created=now)
    row.expires = expires
    session.add(row)
    session.flush()
    return token


def find(session: Session, token: str, *, now: dt.datetime) -> TokenHolder | None:
    """Whom a token stands for; None where it is not ours, has ended, or its operator is disabled."""
    query = (
        select(ApiTokenRow, OperatorRow)
        .join(OperatorRow, col(OperatorRow.id) == col(ApiTokenRow.operator_id))
        .where(
            col(ApiTokenRow.digest) == digest_of(token),
            or_(col(ApiTokenRow.expires).is_(None), col(ApiTokenRow.expires) > now),
            col(OperatorRow.disabled).is_(None),
        )
    )
    found = session.execute(query).one_or_none() if token.startswith(PREFIX) else None
    if found is None:
        return None
    held, row = found
    return TokenHolder(
        operator=operator_of(row),
        scopes=frozenset(_scopes(held.scopes)) & ALLOWED[row.role],
        token_id=held.id or 0,
        is_stale=held.seen is None or now - held.seen > TOUCHED,
    )


def touch(session: Session, token_id: int, *, now: dt.datetime) -> None:
    """Note that a token is in use."""
    changed_rows(session, update(ApiTokenRow).where(col(ApiTokenRow.id) == token_id).values(seen=now))


def tokens_of(session: Session, operator_id: OperatorId) -> Sequence[ApiToken]:
    """The tokens of an operator, the newest first, those that have ended among them."""
    query = select(ApiTokenRow).where(col(ApiTokenRow.operator_id) == operator_id)
    return [
        ApiToken(
            id=row.id or 0,
            name=row.name,
            scopes=_scopes(row.scopes),
            created=row.created,
            expires=row.expires,
            seen=row.seen,
        )
        for row in session.scalars(query.order_by(col(ApiTokenRow.id).desc()))
    ]


def revoke(session: Session, operator_id: OperatorId, token_id: int) -> bool:
    """Delete a token of an operator; False where there is none of theirs."""
    mine = (col(ApiTokenRow.id) == token_id, col(ApiTokenRow.operator_id) == operator_id)
    return changed_rows(session, delete(ApiTokenRow).where(*mine)) == 1


def _scopes(words: str) -> tuple[Scope, ...]:
    return tuple(Scope(word) for word in words.split())
