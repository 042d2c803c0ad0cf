"""
The verbs of one's own account: what the desk knows of its operator, their password, device and sessions.

Takes the id of the operator who acts; never touches what is another's. Promises that what protects the account changes
only for who knows the present password, and that a new password ends every session but the one it is changed in, which
goes on under a new token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from newsletter.accounts import factors, sessions, team
from newsletter.accounts.models import Deed, OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.passwords import hashed, matches
from newsletter.accounts.problems import (
    CODE_WRONG,
    SECOND_FACTOR_NEEDED,
    WAIT,
    WRONG_PRESENT,
    FieldRefused,
    email_of,
    ensure_password,
    full_name_of,
    language_of,
    timezone_of,
)
from newsletter.accounts.sessions import OpenSession
from newsletter.accounts.store import note_deed
from newsletter.accounts.team import Member
from newsletter.accounts.totp import address, new_nonce, picture, recovery_codes, secret_of, step_of
from newsletter.database import reading
from newsletter.errors import NotFound, WrongState
from newsletter.pipeline import attempts
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.profiles import change_profile, put_password


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondStep:
    """How it stands with an operator's device: whether it counts, and until then its `secret`; codes that are left."""

    is_on: bool
    secret: str | None
    codes_left: int
    is_needed: bool


class Account:
    """The verbs of one's own account."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def look(self, operator_id: OperatorId) -> Member:
        """The account as it stands now."""
        with reading(self._parts.engine) as session:
            found = team.member(session, _row(session, operator_id).name)
        if found is None:
            raise NotFound("operator", str(operator_id))
        return found

    def change(self, operator_id: OperatorId, *, full_name: str, email: str, language: str, timezone: str) -> None:
        """Change what the desk knows of the operator. Raises FieldRefused."""
        values: dict[str, Any] = {
            "full_name": full_name_of(full_name),
            "email": email_of(email),
            "language": language_of(language),
            "timezone": timezone_of(timezone),
        }
        with self._parts.sessions() as session:
            row = _row(session, operator_id)
            change_profile(session, row, values, operator=row.name, now=self._parts.now())
            session.commit()

    def change_password(self, operator_id: OperatorId, *, present: str, new: str, agent: str) -> str:
        """Change the password, end all sessions, and return the token of a new one. Raises FieldRefused."""
        row = self._proved(operator_id, present)
        ensure_password(new, name=row.name)
        known = hashed(new)
        with self._parts.sessions() as session:
            put_password(session, operator_id, known)
            token = sessions.begin(session, operator_id, agent=agent, now=self._parts.now())
            self._note(session, Deed.PASSWORD_CHANGED, row)
            session.commit()
        return token

    def second_step(self, operator_id: OperatorId) -> SecondStep:
        """How it stands with the device."""
        with reading(self._parts.engine) as session:
            row = _row(session, operator_id)
            factor = factors.factor_of(session, operator_id)
            left = factors.count_codes(session, operator_id)
            is_on = factor is not None and factor.confirmed is not None
            secret = None if factor is None or is_on else self._secret(factor.nonce)
            return SecondStep(is_on=is_on, secret=secret, codes_left=left, is_needed=self._is_needed(row))

    def second_picture(self, operator_id: OperatorId, *, site: str) -> bytes:
        """The QR code for a device that is being set up, as SVG. Raises NotFound where none is."""
        with reading(self._parts.engine) as session:
            row = _row(session, operator_id)
            factor = factors.factor_of(session, operator_id)
            if factor is None or factor.confirmed is not None:
                raise NotFound("device", row.name)
            told = address(self._secret(factor.nonce), name=row.name, site=site)
        return picture(told)

    def begin_second(self, operator_id: OperatorId) -> None:
        """Begin to set up a device. Raises WrongState where one counts already."""
        with self._parts.sessions() as session:
            factor = factors.factor_of(session, operator_id)
            if factor is not None and factor.confirmed is not None:
                raise WrongState("there is a device already: remove it first")
            factors.begin(session, operator_id, nonce=new_nonce())
            session.commit()

    def confirm_second(self, operator_id: OperatorId, code: str) -> list[str]:
        """Have the device count, whose first code this is; returns the recovery codes. Raises FieldRefused."""
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = _row(session, operator_id)
            factor = factors.factor_of(session, operator_id)
            if factor is None or factor.confirmed is not None:
                raise WrongState("no device is being set up: begin again")
            step = step_of(self._secret(factor.nonce), code, now=now, after=None)
            if step is None or not factors.confirm(session, operator_id, step=step, now=now):
                raise FieldRefused("code", CODE_WRONG)
            codes = recovery_codes()
            factors.replace_codes(session, operator_id, codes)
            self._note(session, Deed.SECOND_FACTOR_ADDED, row)
            session.commit()
        return codes

    def remove_second(self, operator_id: OperatorId, *, present: str) -> None:
        """Sign in without a device from now on. Raises FieldRefused where the role needs one."""
        row = self._proved(operator_id, present)
        if self._is_needed(row):
            raise FieldRefused("present", SECOND_FACTOR_NEEDED)
        with self._parts.sessions() as session:
            if factors.remove(session, operator_id):
                self._note(session, Deed.SECOND_FACTOR_REMOVED, row)
            session.commit()

    def new_codes(self, operator_id: OperatorId, *, present: str) -> list[str]:
        """Make new recovery codes; the old ones are void. Raises FieldRefused, WrongState without a device."""
        row = self._proved(operator_id, present)
        codes = recovery_codes()
        with self._parts.sessions() as session:
            factor = factors.factor_of(session, operator_id)
            if factor is None or factor.confirmed is None:
                raise WrongState("there is no device: set one up first")
            factors.replace_codes(session, operator_id, codes)
            self._note(session, Deed.RECOVERY_CODES_MADE, row)
            session.commit()
        return codes

    def sessions(self, operator_id: OperatorId) -> Sequence[OpenSession]:
        """Where the operator has signed in, the session used last first."""
        with reading(self._parts.engine) as session:
            return sessions.sessions_of(session, operator_id, now=self._parts.now())

    def end_session(self, operator_id: OperatorId, session_id: int) -> None:
        """End one session. Raises NotFound where it is none of the operator's."""
        with self._parts.sessions() as session:
            row = _row(session, operator_id)
            if not sessions.end_own(session, operator_id, session_id):
                raise NotFound("session", str(session_id))
            self._note(session, Deed.SESSIONS_ENDED, row, "1")
            session.commit()

    def end_others(self, operator_id: OperatorId, *, but: int) -> int:
        """End every session except one; returns how many."""
        with self._parts.sessions() as session:
            row = _row(session, operator_id)
            ended = sessions.end_all(session, operator_id, but=but)
            if ended:
                self._note(session, Deed.SESSIONS_ENDED, row, str(ended))
            session.commit()
        return ended

    def _proved(self, operator_id: OperatorId, present: str) -> OperatorRow:
        """The operator, who knows their password; whoever has none is known by their provider, and proves nothing."""
        key, now = f"desk-own:{operator_id}", self._parts.now()
        with self._parts.sessions() as session:
            row = _row(session, operator_id)
            attempts.begin(session)
            if attempts.wait_of(session, key, now=now):
                raise FieldRefused("present", WAIT)
            attempts.count(session, key, now=now)
            session.commit()
        if row.password is not None and not matches(row.password, present):
            raise FieldRefused("present", WRONG_PRESENT)
        with self._parts.sessions() as session:
            attempts.forgive(session, key)
            session.commit()
        return row

    def _secret(self, nonce: str) -> str:
        return secret_of(self._parts.keys.suppression, nonce)

    def _is_needed(self, row: OperatorRow) -> bool:
        least = self._parts.settings.desk.second_factor
        return least is not None and row.role.covers(Role(least))

    def _note(self, session: Session, deed: Deed, row: OperatorRow, about: str = "") -> None:
        note_deed(session, deed, operator=row.name, at=self._parts.now(), about=about or row.name)


def _row(session: Session, operator_id: OperatorId) -> OperatorRow:
    found = team.by_id(session, operator_id)
    if found is None:
        raise NotFound("operator", str(operator_id))
    return found
