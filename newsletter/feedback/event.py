"""
An event: one thing that came back about one delivery, or about one address.

Takes values, yields a frozen `Event`; promises that its texts are printable, masked and short, so that it can be stored
as it is. Whoever makes one gives it an id that the same happening always has again: told twice, it counts once. Pure.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from subscribers.address import masked

LONGEST_TEXT: Final = 512
"""Octets that are kept of what somebody said (UTF-8): enough to understand it, too few to fill a disk."""

LONGEST_ID: Final = 80
"""Characters of an event's id."""

FROM_ATTEMPT: Final = "attempt:"
"""How the ids of events begin that our own relay's refusals are; the delivery and the attempt's number follow."""

_READ: Final = 4 * LONGEST_TEXT
"""Characters that are looked at: whatever comes after them would be cut off anyway."""


class Kind(StrEnum):
    """What happened."""

    #: It came back for good: the mailbox does not exist.
    HARD = "hard"
    #: It came back, and another one may arrive: full, disabled, unexplained, out of reach.
    SOFT = "soft"
    #: It came back for what we are or say. Never counts against a subscriber.
    BLOCKED = "blocked"
    #: The person reported it as spam.
    COMPLAINT = "complaint"
    #: The person wants no more of this newsletter.
    UNSUBSCRIBE = "unsubscribe"
    #: The person opened a link.
    CLICK = "click"
    #: The person looked at it.
    OPEN = "open"
    #: The person took it out of the spam folder.
    NOT_SPAM = "not-spam"
    #: A program answered: out of office, a receipt, a question whether we are human.
    AUTO_REPLY = "auto-reply"
    #: It is under way still, somebody goes on trying.
    DELAYED = "delayed"


class Cause(StrEnum):
    """Why something came back; `policy` counts by it."""

    #: There is no such mailbox.
    UNKNOWN = "unknown"
    #: The mailbox is disabled (5.2.1) or has trouble of its own (5.2.0), or its domain is not found (5.4.4).
    DISABLED = "disabled"
    #: The mailbox is full.
    FULL = "full"
    #: The address leads on to another one, and that one does not take it.
    FORWARDED = "forwarded"
    #: The recipient's server refuses and does not explain it.
    OTHER = "other"
    #: The recipient's server wants strangers to come back later.
    GREYLIST = "greylist"
    #: Our reputation, authentication or sender.
    SENDER = "sender"
    #: This message: too big, malformed, taken for spam for what it says.
    CONTENT = "content"
    #: A relay, or the way to the recipient's server.
    RELAY = "relay"


class Proof(StrEnum):
    """Why we believe that an event speaks of a message of ours."""

    #: The keyed code in the name of the delivery: only who has seen the message can know it.
    MAC = "mac"
    #: The signature of a provider that we know.
    SIGNATURE = "signature"
    #: It was said to our own dispatcher.
    LEDGER = "ledger"
    #: Nothing: it is kept and counted, and changes nothing.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    What came back.

    Attributes:
        id: the same whenever the same happening is told again; at most `LONGEST_ID` characters, see `id_of`.
        kind: what happened.
        at: when, as far as that is known, else when it was received; aware.
        source: the way it came: `smtp`, `mail`, `listener`, or a provider's name.
        proof: why we believe it.
        delivery: id of the delivery, where it is known.
        digest: keyed digest of the address, needed only where the delivery is not known.
        cause: why it came back, for hard, soft and blocked ones.
        status: enhanced status code (RFC 3463), where there is one.
        text: what was said, see `said`.
    """

    id: str
    kind: Kind
    at: dt.datetime
    source: str
    proof: Proof
    delivery: int | None = None
    digest: str | None = None
    cause: Cause | None = None
    status: str = ""
    text: str = ""

    @classmethod
    def unproven(cls, id_: str, kind: Kind, *, at: dt.datetime, source: str, text: str = "") -> Self:
        """Make an event that changes nothing."""
        return cls(id=id_, kind=kind, at=at, source=source, proof=Proof.NONE, text=text)

    @property
    def is_proven(self) -> bool:
        """Whether it may change anything."""
        return self.proof is not Proof.NONE


def id_of(source: str, *parts: str) -> str:
    """Make an id for what is told with identifiers of any length: the source, and a digest of the parts in order."""
    told = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{source[: LONGEST_ID - 41]}:{told}"


def said(text: str) -> str:
    """Bring what somebody said into one printable line without addresses, of at most `LONGEST_TEXT` octets."""
    words = "".join(char if char.isprintable() else " " for char in text[:_READ])
    line = masked(" ".join(words.split()))
    return line.encode("utf-8", "ignore")[:LONGEST_TEXT].decode("utf-8", "ignore")
