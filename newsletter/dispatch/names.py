"""
Names of deliveries: what the Message-ID and the return path call them, and what is read back when something returns.

Takes the id of a delivery with its mailing and digest, yields `ID-CODE` in small hexadecimal digits: at most 37
characters, the same at every attempt, read without regard to case (RFC 5321 §2.4). The code is keyed, so that only who
has seen a message can name its delivery: a bounce that does not know it changes nothing. The key never rotates, since
bounces and complaints come back for weeks. Pure.
"""

import hashlib
import hmac
import re
from typing import Final, NamedTuple

from subscribers.tokens import Keys

BOUNCE: Final = "b"
"""What stands before the `+` of a return path (VERP)."""

LEAVE: Final = "leave"
"""What stands before the `+` of the address that a mail program writes to for its reader to leave (RFC 2369 §3.2)."""

_PURPOSE: Final = b"delivery/2"
"""Keeps these codes apart from all else that is made with the same key (RFC 7693 calls it personalisation)."""

_CODE_OCTETS: Final = 10
"""80 bits: guessing one takes longer than any mailbox would stand."""

_NAME: Final = re.compile(r"([1-9a-f][0-9a-f]{0,15})-([0-9a-f]{20})", re.ASCII)


class Name(NamedTuple):
    """A name as it was read: it says which delivery is meant, and has yet to prove it (see `Names.is_genuine`)."""

    delivery: int
    code: str


class Names:
    """Makes and checks the names of one installation."""

    __slots__ = ("_begun",)

    def __init__(self, keys: Keys) -> None:
        # Keyed BLAKE2 goes on from what all names share in half the time of HMAC; its key has 64 octets at most.
        key = hashlib.sha256(keys.suppression).digest()
        self._begun = hashlib.blake2b(key=key, person=_PURPOSE, digest_size=_CODE_OCTETS)

    def of(self, delivery: int, mailing: str, digest: str) -> str:
        """Name a delivery; `digest` is that of its address."""
        number, code = f"{delivery:x}", self._begun.copy()
        code.update(f"{number}/{mailing}/{digest}".encode())
        return f"{number}-{code.hexdigest()}"

    def is_genuine(self, name: Name, *, mailing: str, digest: str) -> bool:
        """Whether a name that was read is that of its delivery, which belongs to this mailing and this address."""
        expected = self.of(name.delivery, mailing, digest)
        return hmac.compare_digest(expected, f"{name.delivery:x}-{name.code}")


def read_name(text: str) -> Name | None:
    """Read a name, whatever its case; None where the text is none."""
    found = _NAME.fullmatch(text.strip().lower())
    return Name(int(found[1], 16), found[2]) if found else None


def return_path(name: str, domain: str) -> str:
    """The envelope sender of a delivery: what comes back to it tells which one was meant."""
    return f"{BOUNCE}+{name}@{domain}"


def leaving_address(name: str, domain: str) -> str:
    """The address to write to for leaving."""
    return f"{LEAVE}+{name}@{domain}"
