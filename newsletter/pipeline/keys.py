"""
The verbs of keys: have another one sign, or one be taken no more, and note both in the database.

Takes ids; yields ids, never keys.
"""

import datetime as dt
from pathlib import Path

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.keeping.known_keys import forget_key, note_keys
from newsletter.keyring import key_file, load_keys, prepare, revoke, rotate
from newsletter.pipeline.parts import Parts


class SigningKeys:
    """The verbs of keys; processes that run know of a change when they are started again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def file(self) -> Path:
        """Where the keys lie."""
        return key_file(self._parts.settings)

    def prepare(self) -> str:
        """Make the key that is to sign next; returns its id."""
        return prepare(self._parts.settings)

    def rotate(self) -> str:
        """Have another key sign; machines that lack it are refused from now on. Returns its id."""
        name = rotate(self._parts.settings)
        now: dt.datetime = self._parts.now()
        with self._parts.sessions() as session:
            note_keys(session, load_keys(self._parts.settings), now=now)
            note_deed(session, Deed.KEY_ROTATED, operator=self._parts.operator, at=now, about=name)
            session.commit()
        return name

    def revoke(self, name: str) -> None:
        """Take links that a key has signed no more. Raises NotFound, and WrongState for the key that signs."""
        revoke(self._parts.settings, name)
        with self._parts.sessions() as session:
            forget_key(session, name)
            note_deed(session, Deed.KEY_REVOKED, operator=self._parts.operator, at=self._parts.now(), about=name)
            session.commit()
