"""
A report: what a provider says became of one message, before it is known whose it was.

Takes what stands in a request; yields values. A report still holds the address, so it is never stored or logged: the
pipeline makes an `Event` of it, which has the digest instead. Pure.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from newsletter.dispatch.names import BOUNCE, Name, read_name
from newsletter.feedback.event import Cause, Kind

TOLERANCE: Final = dt.timedelta(minutes=5)
"""How far the clock of a signed request may be from ours: a request that was overheard is soon of no use."""

_NAMED: Final = re.compile(rf"(?:{BOUNCE}\+)?([0-9a-f]+-[0-9a-f]+)(?:@|$)", re.IGNORECASE)
_LONGEST: Final = 400
"""Characters of a Message-ID or a return path that are looked at."""


class Refusal(StrEnum):
    """Why a request is not listened to."""

    #: Its signature, or the secret that it brings, is wrong or missing.
    FORGED = "forged"
    #: It was signed too long ago, or in the future.
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request as it came: its headers by their names in small letters, its body untouched, when it came."""

    headers: Mapping[str, str]
    body: bytes
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one of a provider's words means in ours."""

    kind: Kind
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What became of one message.

    Attributes:
        id: the same whenever the same happening is told again, see `event.id_of`.
        meaning: what happened.
        at: when, None where the provider does not say.
        address: to whom the message went.
        names: the deliveries that its Message-ID and return path may name; none of them is proven.
        status: enhanced status code (RFC 3463), where there is one.
        text: what the recipient's server said, as it came.
    """

    id: str
    meaning: Meaning
    at: dt.datetime | None
    address: str
    names: tuple[Name, ...] = ()
    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """
    A request whose proof holds.

    `once` is what only this request has, empty where the provider gives it nothing of the kind; `confirm` is the
    address to call for the provider to go on telling us.
    """

    reports: tuple[Report, ...] = ()
    once: str = ""
    confirm: str = ""


class Provider(Protocol):
    """Somebody who tells us things."""

    def hear(self, post: Post) -> Heard | Refusal:
        """Check and read a request; raises InvalidInput where it is proven and cannot be read."""
        ...


def names_in(texts: Iterable[str]) -> tuple[Name, ...]:
    """The deliveries that Message-IDs and return paths may name, each once, in order."""
    found = (_NAMED.match(text.strip(" <>\t")[:_LONGEST]) for text in texts)
    read = (read_name(match[1]) for match in found if match)
    return tuple(dict.fromkeys(name for name in read if name))


def is_fresh(signed: dt.datetime | None, now: dt.datetime, *, past: dt.timedelta = TOLERANCE) -> bool:
    """Whether something signed at that instant may still be listened to."""
    return signed is not None and now - past <= signed <= now + TOLERANCE
