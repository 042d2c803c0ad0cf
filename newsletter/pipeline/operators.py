"""
The verbs about the team: who may sign in, and as what.

Takes names; yields operators, links and what was changed. Promises that there is always an administrator who may sign
in, that a change of role, password or standing ends every session of the operator, and that the audit log says who did
it, with what stood before and after.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from newsletter.accounts import factors, sessions, setup_links, team
from newsletter.accounts.models import Deed, OperatorRow
from newsletter.accounts.operator import Operator, OperatorId, Role
from newsletter.accounts.passwords import hashed
from newsletter.accounts.problems import (
    LAST_ADMIN,
    NAME_TAKEN,
    FieldRefused,
    email_of,
    ensure_password,
    full_name_of,
    language_of,
    name_of,
    timezone_of,
)
from newsletter.accounts.sessions import operator_of
from newsletter.accounts.setup_links import SetupLink
from newsletter.accounts.store import note_deed
from newsletter.accounts.team import Member
from newsletter.database import reading
from newsletter.errors import NotFound, WrongState
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.profiles import change_profile, end_all, ensure_free, put_password

if TYPE_CHECKING:
    from newsletter.pipeline.account import Account
    from newsletter.pipeline.api_tokens import ApiTokens
    from newsletter.pipeline.deeds import Deeds
    from newsletter.pipeline.login import Login
    from newsletter.pipeline.setup import Setup


class Operators:
    """The verbs about the team."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def login(self) -> "Login":
        """Sign in."""
        from newsletter.pipeline.login import Login

        return Login(self._parts)

    @cached_property
    def setup(self) -> "Setup":
        """Make an account by a link."""
        from newsletter.pipeline.setup import Setup

        return Setup(self._parts)

    @cached_property
    def own(self) -> "Account":
        """What an operator does about their own account."""
        from newsletter.pipeline.account import Account

        return Account(self._parts)

    @cached_property
    def tokens(self) -> "ApiTokens":
        """Tokens of the API."""
        from newsletter.pipeline.api_tokens import ApiTokens

        return ApiTokens(self._parts)

    @cached_property
    def deeds(self) -> "Deeds":
        """The audit log."""
        from newsletter.pipeline.deeds import Deeds

        return Deeds(self._parts)

    def all(self) -> Sequence[Member]:
        """The whole team by name."""
        with reading(self._parts.engine) as session:
            return team.members(session)

    def anybody(self) -> bool:
        """Tell whether there is an operator at all."""
        with reading(self._parts.engine) as session:
            return team.anybody(session)

    def get(self, name: str) -> Member:
        """One operator. Raises NotFound."""
        with reading(self._parts.engine) as session:
            found = team.member(session, name.strip().lower())
            if found is None:
                raise NotFound("operator", name)
        return found

    def invitations(self) -> Sequence[SetupLink]:
        """The invitations that wait, the newest first."""
        with reading(self._parts.engine) as session:
            return setup_links.invitations(session, now=self._parts.now())

    def add(
        self,
        name: str,
        *,
        role: Role,
        email: str = "",
        full_name: str = "",
        language: str = "en",
        timezone: str = "UTC",
        password: str | None = None,
    ) -> Operator:
        """Add an operator, who needs a link where there is no password. Raises FieldRefused."""
        row = OperatorRow(name=name_of(name), role=role, created=self._parts.now())
        row.email, row.full_name = email_of(email), full_name_of(full_name)
        row.language, row.timezone = language_of(language), timezone_of(timezone)
        if password is not None:
            ensure_password(password, name=row.name)
            row.password = hashed(password)
        with self._parts.sessions() as session:
            if team.by_name(session, row.name) is not None:
                raise FieldRefused("name", NAME_TAKEN)
            ensure_free(session, row.email)
            team.add(session, row)
            self._note(session, Deed.OPERATOR_ADDED, f"{row.name}, {role}")
            session.commit()
        return operator_of(row)

    def invite(self, email: str, *, role: Role) -> str:
        """Make a link by which a colleague makes their account, and return its token. Raises FieldRefused."""
        address = email_of(email)
        with self._parts.sessions() as session:
            ensure_free(session, address)
            now = self._parts.now()
            setup_links.drop_ended(session, now)
            setup_links.drop_for(session, address)
            token = setup_links.make(session, role=role, made_by=self._parts.operator, now=now, email=address)
            self._note(session, Deed.OPERATOR_INVITED, f"{address}, {role}" if address else role.value)
            session.commit()
        return token

    def withdraw(self, link_id: int) -> None:
        """Take an invitation back. Raises NotFound where it was used already."""
        with self._parts.sessions() as session:
            waiting = {link.id: link for link in setup_links.invitations(session, now=self._parts.now())}
            if link_id not in waiting or not setup_links.use(session, link_id):
                raise NotFound("invitation", str(link_id))
            link = waiting[link_id]
            self._note(session, Deed.INVITATION_WITHDRAWN, f"{link.email}, {link.role}" if link.email else link.role)
            session.commit()

    def password_link(self, name: str) -> str:
        """Make a link by which an operator chooses a new password, and return its token."""
        with self._parts.sessions() as session:
            row = _row(session, name)
            if row.disabled is not None:
                raise WrongState(f"{row.name} may not sign in: allow it first")
            operator_id, now = OperatorId(row.id or 0), self._parts.now()
            setup_links.drop_ended(session, now)
            setup_links.drop_of(session, operator_id)
            made_by = self._parts.operator
            token = setup_links.make(session, role=row.role, made_by=made_by, now=now, operator_id=operator_id)
            self._note(session, Deed.PASSWORD_LINK_MADE, row.name)
            session.commit()
        return token

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        email: str | None = None,
        full_name: str | None = None,
        language: str | None = None,
        timezone: str | None = None,
    ) -> Operator:
        """Change what is given; another role ends every session. Raises NotFound, FieldRefused."""
        values: dict[str, Any] = {
            "email": None if email is None else email_of(email),
            "full_name": None if full_name is None else full_name_of(full_name),
            "language": None if language is None else language_of(language),
            "timezone": None if timezone is None else timezone_of(timezone),
        }
        with self._parts.sessions() as session:
            row = _row(session, name)
            if role is not None and role is not row.role:
                self._change_role(session, row, role)
            change_profile(session, row, values, operator=self._parts.operator, now=self._parts.now())
            session.commit()
        return self.get(row.name).operator

    def set_password(self, name: str, password: str) -> None:
        """Give an operator another password; all their sessions end. Raises FieldRefused."""
        with self._parts.sessions() as session:
            row = _row(session, name)
            ensure_password(password, name=row.name)
            put_password(session, OperatorId(row.id or 0), hashed(password))
            self._note(session, Deed.PASSWORD_CHANGED, row.name)
            session.commit()

    def disable(self, name: str) -> None:
        """Let an operator sign in no more, and end their sessions; their tokens rest. Raises FieldRefused."""
        with self._parts.sessions() as session:
            row = _row(session, name)
            if row.disabled is None:
                _ensure_admin_left(session, row)
                team.change(session, OperatorId(row.id or 0), disabled=self._parts.now())
                end_all(session, OperatorId(row.id or 0))
                self._note(session, Deed.OPERATOR_DISABLED, row.name)
            session.commit()

    def enable(self, name: str) -> None:
        """Let an operator sign in again."""
        with self._parts.sessions() as session:
            row = _row(session, name)
            if row.disabled is not None:
                team.change(session, OperatorId(row.id or 0), disabled=None)
                self._note(session, Deed.OPERATOR_ENABLED, row.name)
            session.commit()

    def remove_second_factor(self, name: str) -> bool:
        """Let an operator whose device is lost sign in without; False where there was none."""
        with self._parts.sessions() as session:
            row = _row(session, name)
            removed = factors.remove(session, OperatorId(row.id or 0))
            if removed:
                sessions.end_all(session, OperatorId(row.id or 0))
                self._note(session, Deed.SECOND_FACTOR_REMOVED, row.name)
            session.commit()
        return removed

    def _change_role(self, session: Session, row: OperatorRow, role: Role) -> None:
        if role is not Role.ADMIN:
            _ensure_admin_left(session, row)
        self._note(session, Deed.ROLE_CHANGED, f"{row.name}: {row.role} → {role}")
        team.change(session, OperatorId(row.id or 0), role=role)
        sessions.end_all(session, OperatorId(row.id or 0))

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)


def _row(session: Session, name: str) -> OperatorRow:
    found = team.by_name(session, name.strip().lower())
    if found is None:
        raise NotFound("operator", name, near=[])
    return found


def _ensure_admin_left(session: Session, row: OperatorRow) -> None:
    """Refuse to take away the last administrator who may sign in."""
    is_one = row.role is Role.ADMIN and row.disabled is None
    if is_one and not team.other_admins(session, OperatorId(row.id or 0)):
        raise FieldRefused("role", LAST_ADMIN)
