"""
The verbs of setup links: the first account of an installation, invited colleagues, forgotten passwords.

Takes a token; yields what it is for, and makes of it an operator who has signed in. Promises that a link is used once,
that the one of the first run works only while there is nobody, and that the audit log says who came by whose word.
"""

from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts import sessions, setup_links, team
from newsletter.accounts.models import Deed, OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.passwords import hashed
from newsletter.accounts.problems import (
    LINK_ENDED,
    NAME_TAKEN,
    FieldRefused,
    email_of,
    ensure_password,
    full_name_of,
    language_of,
    name_of,
    timezone_of,
)
from newsletter.accounts.setup_links import SetupLink
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.profiles import ensure_free, put_password


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperator:
    """What somebody says about themselves when they make their account."""

    name: str
    full_name: str = ""
    email: str = ""
    language: str = "en"
    timezone: str = "UTC"
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What a link offers: a new account, or, where it names an operator, a new password for them."""

    link: SetupLink
    name: str


class Setup:
    """The verbs of setup links."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def first(self) -> str | None:
        """Make the link of the first run, in place of earlier ones; None where there is an operator already."""
        with self._parts.sessions() as session:
            if team.anybody(session):
                return None
            setup_links.drop_first(session)
            token = setup_links.make(session, role=Role.ADMIN, made_by="", now=self._parts.now())
            session.commit()
        return token

    def look(self, token: str) -> Offered | None:
        """Say what a link is for; None where it was used, withdrawn or has ended."""
        with reading(self._parts.engine) as session:
            return self._offered(session, token)

    def accept(self, token: str, given: NewOperator, *, agent: str) -> str:
        """
        Make the account that a link offers, and return the token of a session of its owner.

        Raises FieldRefused for what cannot be taken; the link is then as good as before.
        """
        name, email = name_of(given.name), email_of(given.email)
        ensure_password(given.password, name=name)
        row = OperatorRow(name=name, role=Role.VIEWER, created=self._parts.now())
        row.full_name, row.email = full_name_of(given.full_name), email
        row.language, row.timezone = language_of(given.language), timezone_of(given.timezone)
        row.password = hashed(given.password)
        with self._parts.sessions() as session:
            offered = self._taken(session, token)
            row.role = offered.link.role
            if team.by_name(session, name) is not None:
                raise FieldRefused("name", NAME_TAKEN)
            ensure_free(session, email)
            operator_id = team.add(session, row)
            self._note(session, Deed.OPERATOR_ADDED, name, f"{name}, {_by(offered.link)}")
            held = sessions.begin(session, operator_id, agent=agent, now=self._parts.now())
            session.commit()
        return held

    def renew(self, token: str, password: str) -> None:
        """Give the operator of a link a new password; all their sessions end. Raises FieldRefused."""
        with self._parts.sessions() as session:
            offered = self._taken(session, token)
            ensure_password(password, name=offered.name)
            operator_id = OperatorId(offered.link.operator_id or 0)
            put_password(session, operator_id, hashed(password))
            self._note(session, Deed.PASSWORD_CHANGED, offered.name, f"{offered.name}, {_by(offered.link)}")
            session.commit()

    def _taken(self, session: Session, token: str) -> Offered:
        offered = self._offered(session, token)
        if offered is None or not setup_links.use(session, offered.link.id):
            raise FieldRefused("", LINK_ENDED)
        return offered

    def _offered(self, session: Session, token: str) -> Offered | None:
        link = setup_links.find(session, token, now=self._parts.now())
        if link is None or (link.is_first and team.anybody(session)):
            return None
        if link.operator_id is None:
            return Offered(link=link, name="")
        row = team.by_id(session, link.operator_id)
        return None if row is None or row.disabled is not None else Offered(link=link, name=row.name)

    def _note(self, session: Session, deed: Deed, name: str, about: str) -> None:
        note_deed(session, deed, operator=name, at=self._parts.now(), about=about)


def _by(link: SetupLink) -> str:
    return f"{link.role}, invited by {link.made_by}" if link.made_by else f"{link.role}, at the first run"
