"""
The verbs of signing in: a password, a code where there is a device, or the word of a provider.

Takes what somebody gives; yields the token of a session, a ticket for the second step, or how long to wait. Promises
that an unknown name and a wrong password are told apart neither by words nor by time, that attempts are limited for
each name and each network, that a code is taken once, and that the audit log says who came in and how.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.accounts import factors, sessions, team
from newsletter.accounts.models import Deed, OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.passwords import hashed, matches, must_be_hashed_again
from newsletter.accounts.store import note_deed
from newsletter.accounts.totp import secret_of, step_of
from newsletter.database import reading
from newsletter.pipeline import attempts, limits
from newsletter.pipeline.parts import Parts
from subscribers.consent import shortened_origin
from subscribers.errors import TokenRefused
from subscribers.tokens import address_digest, sign, verify

TICKET: Final = "desk-second-step"
"""The purpose of the tokens that lead from the password to the code."""

TICKET_SECONDS: Final = 300
"""How long somebody may look for their device."""

_LONGEST_NAME: Final = 320


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody has signed in: the token of their session."""

    token: str


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The password was right, a code is wanted: the ticket for that step."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not right; or, with seconds to `wait`, it was not looked at."""

    wait: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """
    What a provider says about somebody (OpenID Connect Core §5.1); `email` is "" unless the provider has verified it.

    `host` is the provider's, for the list of sessions.
    """

    issuer: str
    subject: str
    email: str
    full_name: str
    host: str


class Login:
    """The verbs of signing in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def enter(self, called: str, password: str, *, origin: str, agent: str) -> Entered | CodeAsked | Refused:
        """Take a name, or an address, and a password; `origin` is the network address of the sender."""
        asked = called.strip().lower()[:_LONGEST_NAME]
        key = f"desk-name:{address_digest(self._parts.keys, f'desk:{asked}')}"
        if wait := self._take(key, origin, asked=asked):
            return Refused(wait)
        operator_id, known = self._known(asked)
        # Out of any transaction: a hash takes as long as several of them.
        if not matches(known, password):
            return self._failed(origin)
        with self._parts.sessions() as session:
            attempts.forgive(session, key)
            if must_be_hashed_again(known):
                team.change(session, operator_id, password=hashed(password))
            found = self._after_password(session, operator_id, agent=agent)
            session.commit()
        return found

    def confirm(self, ticket: str, code: str, *, origin: str, agent: str) -> Entered | Refused | None:
        """Take the code of a device, or a recovery code; None where the ticket has ended: begin again."""
        operator_id = self._ticketed(ticket)
        if operator_id is None:
            return None
        key = f"desk-code:{operator_id}"
        if wait := self._take(key, origin, asked=""):
            return Refused(wait)
        with self._parts.sessions() as session:
            row = team.by_id(session, operator_id)
            is_right = row is not None and row.disabled is None and self._is_right(session, row, code)
            if row is not None and is_right:
                attempts.forgive(session, key)
                entered = self._begin(session, row, agent=agent)
                session.commit()
                return entered
        return self._failed(origin)

    def enter_by(self, vouched: Vouched, *, agent: str, create: str | None) -> Entered | None:
        """
        Let in whom a provider vouches for: whoever it meant by this subject before, else has this verified address.

        Somebody unknown gets an account of the role `create`, or, without, is refused. So is who is disabled.
        """
        with self._parts.sessions() as session:
            row = team.identity(session, issuer=vouched.issuer, subject=vouched.subject)
            if row is None:
                row = self._tied(session, vouched, create)
            if row is None or row.disabled is not None:
                return None
            entered = self._begin(session, row, agent=agent, provider=vouched.host)
            session.commit()
        return entered

    def needs_device(self, seated: sessions.Seated) -> bool:
        """Tell whether somebody has to set up a device before they may do anything else."""
        least = self._parts.settings.desk.second_factor
        if least is None or seated.provider or seated.has_second_factor:
            return False
        return seated.operator.role.covers(Role(least))

    def _known(self, asked: str) -> tuple[OperatorId, str]:
        """Who signs in with these words, and the hash of their password; "" matches none."""
        with reading(self._parts.engine) as session:
            row = team.by_name_or_email(session, asked)
            if row is None or row.disabled is not None:
                return OperatorId(0), ""
            return OperatorId(row.id or 0), row.password or ""

    def _after_password(
        self, session: Session, operator_id: OperatorId, *, agent: str
    ) -> Entered | CodeAsked | Refused:
        row = team.by_id(session, operator_id)
        if row is None or row.disabled is not None:
            return Refused()
        factor = factors.factor_of(session, operator_id)
        if factor is None or factor.confirmed is None:
            return self._begin(session, row, agent=agent)
        return CodeAsked(self._ticket(row))

    def _is_right(self, session: Session, row: OperatorRow, code: str) -> bool:
        operator_id, now = OperatorId(row.id or 0), self._parts.now()
        factor = factors.factor_of(session, operator_id)
        if factor is None or factor.confirmed is None:
            return False
        secret = secret_of(self._parts.keys.suppression, factor.nonce)
        step = step_of(secret, code, now=now, after=factor.last_step)
        if step is not None:
            return factors.use_step(session, operator_id, step)
        if not factors.use_code(session, operator_id, code):
            return False
        left = factors.count_codes(session, operator_id)
        note_deed(session, Deed.RECOVERY_CODE_USED, operator=row.name, at=now, about=f"{row.name}: {left} left")
        return True

    def _begin(self, session: Session, row: OperatorRow, *, agent: str, provider: str = "") -> Entered:
        now = self._parts.now()
        sessions.drop_ended(session, now)
        token = sessions.begin(session, OperatorId(row.id or 0), agent=agent, now=now, provider=provider)
        note_deed(session, Deed.SIGNED_IN, operator=row.name, at=now, about=provider)
        return Entered(token)

    def _tied(self, session: Session, vouched: Vouched, create: str | None) -> OperatorRow | None:
        """Whoever has the verified address, or somebody new, tied to the subject from now on."""
        now = self._parts.now()
        row = team.by_email(session, vouched.email)
        if row is None and create is not None and vouched.email:
            row = OperatorRow(
                name=_free_name(session, vouched.email),
                full_name=vouched.full_name[:200],
                role=Role(create),
                created=now,
            )
            row.email = vouched.email
            team.add(session, row)
            told = f"{row.name}, {row.role}, by {vouched.host}"
            note_deed(session, Deed.OPERATOR_ADDED, operator=row.name, at=now, about=told)
        if row is None or row.disabled is not None:
            return None
        if team.has_identity(session, OperatorId(row.id or 0), issuer=vouched.issuer):
            return None  # the provider gave the address to somebody else meanwhile
        team.tie(session, OperatorId(row.id or 0), issuer=vouched.issuer, subject=vouched.subject)
        note_deed(session, Deed.IDENTITY_TIED, operator=row.name, at=now, about=vouched.host)
        return row

    def _take(self, key: str, origin: str, *, asked: str) -> int:
        """Count an attempt under a name, or say how long it has to wait for its name's or its network's sake."""
        now = self._parts.now()
        with self._parts.sessions() as session:
            attempts.begin(session)
            wait = attempts.wait_of(session, key, now=now)
            if network := _network(origin):
                wait = max(wait, attempts.wait_of_network(session, network, now=now))
            if not wait and attempts.count(session, key, now=now):
                # What was typed may be anything, a password among it: only a name that exists is written down.
                known = team.by_name_or_email(session, asked)
                named = known.name if known is not None else ""
                note_deed(session, Deed.SIGN_IN_LOCKED, operator=named, at=now, about=named)
            session.commit()
        return wait

    def _failed(self, origin: str) -> Refused:
        if network := _network(origin):
            with self._parts.sessions() as session:
                attempts.count(session, network, now=self._parts.now())
                limits.sweep(session, now=self._parts.now())
                session.commit()
        return Refused()

    def _ticket(self, row: OperatorRow) -> str:
        ends = int(self._parts.now().timestamp()) + TICKET_SECONDS
        return sign(self._parts.keys, TICKET, f"{row.id}/{ends}/{_mark(row)}")

    def _ticketed(self, ticket: str) -> OperatorId | None:
        """Whose ticket it is; None where it has ended, or the password was changed since."""
        try:
            number, ends, mark = verify(self._parts.keys, TICKET, ticket).decode().split("/")
        except (TokenRefused, ValueError):
            return None
        if dt.datetime.fromtimestamp(int(ends), dt.UTC) <= self._parts.now():
            return None
        with reading(self._parts.engine) as session:
            row = team.by_id(session, OperatorId(int(number)))
            return OperatorId(int(number)) if row is not None and _mark(row) == mark else None


def _network(origin: str) -> str:
    found = shortened_origin(origin)
    return f"desk-network:{found}" if found else ""


def _mark(row: OperatorRow) -> str:
    """Something that changes with the password, and tells nothing about it."""
    return hashlib.sha256(f"mark:{row.password}".encode()).hexdigest()[:16]


def _free_name(session: Session, email: str) -> str:
    """A name made of an address that nobody has yet."""
    plain = "".join(
        letter for letter in email.partition("@")[0] if letter.isascii() and (letter.isalnum() or letter in "._-")
    )
    base = (plain.lstrip("0123456789._-") or "operator").ljust(2, "x")[:60]
    number = 1
    while team.by_name(session, base if number == 1 else f"{base}-{number}") is not None:
        number += 1
    return base if number == 1 else f"{base}-{number}"
