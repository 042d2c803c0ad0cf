"""
The verbs about tokens of the API.

Takes an operator and what a program of theirs may do; yields a token once. Promises that no token is allowed more than
its operator's role, and that the audit log says when it was made and revoked.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from newsletter.accounts import team, tokens
from newsletter.accounts.models import Deed
from newsletter.accounts.operator import OperatorId
from newsletter.accounts.problems import LABEL_WANTED, LONGEST_NAME, SCOPES_TOO_WIDE, SCOPES_WANTED, FieldRefused
from newsletter.accounts.store import note_deed
from newsletter.accounts.tokens import ALLOWED, ApiToken, Scope, TokenHolder
from newsletter.database import reading
from newsletter.errors import NotFound
from newsletter.pipeline.parts import Parts


class ApiTokens:
    """The verbs about tokens of the API."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def all(self, operator_id: OperatorId) -> Sequence[ApiToken]:
        """The tokens of an operator, the newest first."""
        with reading(self._parts.engine) as session:
            return tokens.tokens_of(session, operator_id)

    def make(
        self, operator_id: OperatorId, name: str, *, scopes: Collection[Scope], expires: dt.datetime | None
    ) -> str:
        """Make a token and return it, for the one time. Raises FieldRefused, NotFound."""
        label = " ".join(name.split())
        if not 0 < len(label) <= LONGEST_NAME:
            raise FieldRefused("label", LABEL_WANTED)
        if not scopes:
            raise FieldRefused("scopes", SCOPES_WANTED)
        with self._parts.sessions() as session:
            row = team.by_id(session, operator_id)
            if row is None:
                raise NotFound("operator", str(operator_id))
            if not set(scopes) <= ALLOWED[row.role]:
                raise FieldRefused("scopes", SCOPES_TOO_WIDE)
            now = self._parts.now()
            token = tokens.issue(session, operator_id, name=label, scopes=scopes, expires=expires, now=now)
            may = ", ".join(scope for scope in Scope if scope in scopes)
            until = f"until {expires:%Y-%m-%d}" if expires else "for good"
            note_deed(
                session,
                Deed.TOKEN_MADE,
                operator=self._parts.operator,
                at=now,
                about=f"{row.name}: {label}; {may}; {until}",
            )
            session.commit()
        return token

    def revoke(self, operator_id: OperatorId, token_id: int) -> None:
        """Revoke a token of an operator at once. Raises NotFound where it is none of theirs."""
        with self._parts.sessions() as session:
            named = {token.id: token.name for token in tokens.tokens_of(session, operator_id)}
            if token_id not in named or not tokens.revoke(session, operator_id, token_id):
                raise NotFound("token", str(token_id))
            told = named[token_id]
            note_deed(session, Deed.TOKEN_REVOKED, operator=self._parts.operator, at=self._parts.now(), about=told)
            session.commit()

    def find(self, token: str) -> TokenHolder | None:
        """Say whom a token stands for, and note now and then that it is used; None where it is not good."""
        now = self._parts.now()
        with reading(self._parts.engine) as session:
            found = tokens.find(session, token, now=now)
        if found is not None and found.is_stale:
            with self._parts.sessions() as session:
                tokens.touch(session, found.token_id, now=now)
                session.commit()
        return found
