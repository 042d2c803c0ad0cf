"""
People and programs: who asks for the links of a message.

Takes what is known of a request, yields whether a program made it. Mail filters follow the links of a message before
anybody reads it, mail programs fetch its pictures ahead, and messengers draw previews; none of them is a reader. They
are known by how they ask, by what they call themselves, by when, and by following more links at once than anybody
reads. Pure but for what `Bursts` remembers for a few seconds.
"""

import datetime as dt
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

SOON: Final = dt.timedelta(seconds=2)
"""Nobody reads a message within two seconds of its sending."""

AT_ONCE: Final = dt.timedelta(seconds=5)
"""How long a program takes for the links of a message, and a person for one or two."""

MANY: Final = 4
"""Different links of a message at once that no person follows; a message with fewer is followed whole."""

WATCHED: Final = dt.timedelta(minutes=1)
"""How long somebody who was taken for a program stays one."""

_PROGRAMS: Final = re.compile(
    r"(?<!cu)bot([^a-z]|$)|crawl|spider|slurp|preview|\bscan|prefetch|monitor|validator|link ?check|url ?check"
    r"|headless|phantom"
    # Libraries that people do not read with.
    r"|^(curl|wget|python|go-http|java|ruby|perl|php|libwww|okhttp|axios|node|apache-httpclient|http)\b"
    # Filters of mail, and those who draw previews.
    r"|barracuda|proofpoint|mimecast|forcepoint|fortiguard|sophos|zscaler|trend ?micro|symantec|mcafee|trellix"
    r"|bitdefender|cloudmark|checkpoint|cisco-|ironport|safelinks|google-safety|virustotal|urlscan"
    r"|facebookexternalhit|whatsapp|skypeuri|microsoft office protocol",
    re.IGNORECASE,
)
"""What programs call themselves, as far as they say it."""

_AHEAD: Final = re.compile(r"Mozilla/5\.0")
"""The whole name under which Apple's Mail Privacy Protection fetches every picture, read or not."""

_LONGEST_NAME: Final = 500
"""Characters of that name that are looked at."""

_LONGEST_BURST: Final = 100
"""Requests of one follower that are remembered: somebody who clicks one link again and again fills no memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    A request for a link or the dot.

    Attributes:
        at: when it came.
        agent: what the program calls itself (RFC 9110 §10.1.5).
        for_head: whether it asked for the headers alone (HEAD).
        ahead: whether it says that nobody has asked for it yet (Sec-Purpose).
        who: tells those who ask apart for a few seconds; never stored.
    """

    at: dt.datetime
    agent: str = ""
    for_head: bool = False
    ahead: bool = False
    who: str = ""


def is_program(asked: Asked, *, sent: dt.datetime | None) -> bool:
    """Whether a program asked, as far as one request tells it; `sent` is when the message was, where that is known."""
    agent = asked.agent[:_LONGEST_NAME].strip()
    return (
        asked.for_head
        or asked.ahead
        or not agent
        or _PROGRAMS.search(agent) is not None
        or _AHEAD.fullmatch(agent) is not None
        or (sent is not None and asked.at - sent < SOON)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """
    What the requests of the last seconds tell.

    `mistaken` are the links that were followed before by what is now known for a program, and taken for a person's.
    """

    is_program: bool
    mistaken: tuple[int, ...] = ()


@dataclass(slots=True)
class _Follower:
    """Who follows links: each link of the last seconds, when, and whether it was taken for a person's."""

    follows: list[tuple[int, dt.datetime, bool]] = field(default_factory=list)
    until: dt.datetime | None = None

    def is_over(self, now: dt.datetime) -> bool:
        """Whether nothing is to be remembered any more."""
        return (self.until is None or self.until <= now) and all(now - at >= AT_ONCE for _, at, _ in self.follows)


class Bursts:
    """Remembers for a few seconds who has followed which links of a message; used by one thread at a time."""

    def __init__(self, *, most: int = 10_000) -> None:
        self._most = most
        self._followers: OrderedDict[str, _Follower] = OrderedDict()

    def __len__(self) -> int:
        return len(self._followers)

    def follow(self, who: str, link: int, *, at: dt.datetime, links: int, is_program: bool) -> Caught:
        """
        Say what following a link tells.

        `links` is how many the message has, `is_program` what the request by itself tells.
        """
        self._forget(at)
        follower = self._followers.setdefault(who, _Follower())
        self._followers.move_to_end(who)
        if follower.until and at < follower.until:
            follower.until = at + WATCHED
            return Caught(is_program=True)
        recent = [each for each in follower.follows[-_LONGEST_BURST:] if at - each[1] < AT_ONCE]
        follower.follows = [*recent, (link, at, not is_program)]
        if len({each[0] for each in follower.follows}) < max(2, min(MANY, links)):
            return Caught(is_program=is_program)
        follower.until, follower.follows = at + WATCHED, []
        return Caught(is_program=True, mistaken=tuple(known for known, _, was_person in recent if was_person))

    def _forget(self, now: dt.datetime) -> None:
        while self._followers:
            eldest = next(iter(self._followers.values()))
            if len(self._followers) < self._most and not eldest.is_over(now):
                return
            self._followers.popitem(last=False)
