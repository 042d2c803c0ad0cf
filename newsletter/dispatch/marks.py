"""
Marks: what stands in the addresses by which clicks and opened messages are counted, and what is read back of them.

Takes the digest of an artifact and who gets it; yields signed tokens that name both, or the artifact alone where it is
not wanted to know whose click it is. A test message is nobody's: its links work and are not counted. Pure.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from newsletter.content.newsletter import Tracking
from subscribers.errors import TokenRefused
from subscribers.tokens import Keys, signing, verify

CLICK: Final = "click"
"""Purpose of the tokens in links; their payload is `READER/ARTIFACT`."""

OPEN: Final = "open"
"""Purpose of the token in the picture of one dot; its payload is the same."""

ANYBODY: Final = "-"
"""Stands for the reader where all have the same links."""

TESTER: Final = "test"
"""Stands for the reader of a message that is not counted."""

DIGITS: Final = 16
"""Hexadecimal digits of an artifact's digest: 64 bits tell all editions apart that there will ever be."""

_PAYLOAD: Final = re.compile(r"([0-9A-Za-z-]{1,32})/([0-9a-f]{16})", re.ASCII)
_NUMBERED: Final = re.compile(r"(.+)\.([1-9][0-9]{0,4})", re.ASCII)

_KEPT: Final = 64
"""Pairs of tokens that are the same for all: an issue in thirty-two languages, and their tests."""


class Mark(NamedTuple):
    """What a token says: reader (or `ANYBODY`, or `TESTER`), beginning of the artifact's digest, number of the link."""

    reader: str
    artifact: str
    number: int


class Marks:
    """Makes the tokens of one installation."""

    def __init__(self, keys: Keys) -> None:
        self._click, self._open = signing(keys, CLICK), signing(keys, OPEN)
        self._same = lru_cache(_KEPT)(self._made)

    def of(self, tracking: Tracking, artifact: str, *, reader: str, counted: bool) -> tuple[str, str]:
        """Return what goes into links and into the dot of a message; `reader` is a public id."""
        if tracking is Tracking.OFF:
            return "", ""
        if not counted:
            return self._same(TESTER, artifact)
        return self._made(reader, artifact) if tracking is Tracking.PEOPLE else self._same(ANYBODY, artifact)

    def _made(self, reader: str, artifact: str) -> tuple[str, str]:
        payload = f"{reader}/{artifact[:DIGITS]}"
        return self._click(payload), self._open(payload)


def read_click(keys: Keys, text: str) -> Mark | None:
    """Read what stands in a link, `TOKEN.NUMBER`; None for anything that is no such thing."""
    found = _NUMBERED.fullmatch(text)
    return _read(keys, CLICK, found[1], number=int(found[2])) if found else None


def read_open(keys: Keys, text: str) -> Mark | None:
    """Read what stands in the dot's address; None for anything that is no such thing."""
    return _read(keys, OPEN, text, number=0)


def _read(keys: Keys, purpose: str, token: str, *, number: int) -> Mark | None:
    try:
        payload = verify(keys, purpose, token)
    except TokenRefused:
        return None
    found = _PAYLOAD.fullmatch(payload.decode("ascii", "replace"))
    return Mark(found[1], found[2], number) if found else None
