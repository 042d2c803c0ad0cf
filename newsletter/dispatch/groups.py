"""
Giving way to mailbox providers: how many messages to one of them may be under way at once, and when to leave it alone.

The figures are Postfix's (qmgr: initial_destination_concurrency 5, default_destination_concurrency_limit 20, and its
feedback of 1/N): a group begins with 5 at once and goes up to 20, by 1/N with each message that is taken and down by
1/N with each temporary refusal that speaks of the rate, N being where it stands. Where the provider closes the door
(421, or 4.7.28 in Google's words) it is halved, and the group is left alone for five minutes, twice as long each time
in a row, up to an hour. No group ever hears of another's trouble. Pure.
"""

import re
from dataclasses import dataclass
from typing import Final

from newsletter.dispatch.outcome import Outcome, Phase, Verdict
from newsletter.dispatch.pace import Unlimited
from newsletter.dispatch.providers import group_of

START: Final = 5.0
"""Messages at once to a group that nothing is known of."""

CAP: Final = 20.0
"""Messages at once to a group at most."""

BUSY_SECONDS: Final = 0.25
"""How soon a message is offered again whose group has as many under way as it may."""

FIRST_HOLD: Final = 300.0
"""Seconds for which a group is left alone that has closed its door."""

LONGEST_HOLD: Final = 3600.0
"""The longest such time: each one in a row is twice the one before."""

MOST_GROUPS: Final = 10_000
"""Groups that are remembered before those with nothing to say are forgotten: a list may have any number of domains."""

_TOO_MUCH: Final = re.compile(r"\brate\b|throttl|too (many|much|fast)|slow down", re.IGNORECASE)
_CODES: Final = frozenset({"4.7.28", "4.7.0", "4.2.1"})
_CLOSING: Final = frozenset({"4.7.28"})


@dataclass(slots=True)
class _Group:
    """One provider, or one domain."""

    limit: float = START
    under_way: int = 0
    held_until: float = float("-inf")
    hold: float = FIRST_HOLD


class Groups(Unlimited):
    """What one relay has learnt about the providers behind it."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def holds(self, recipient: str, *, now: float) -> float:
        """For as long as its group is left alone; for a moment where it has enough under way."""
        group = self._group(recipient)
        if now < group.held_until:
            return group.held_until - now
        return BUSY_SECONDS if group.under_way >= int(group.limit) else 0.0

    def take(self, recipient: str, *, now: float) -> float:
        """Count one that is under way."""
        self._forget(now)
        self._groups.setdefault(group_of(recipient), _Group()).under_way += 1
        return 0.0

    def forgo(self, recipient: str, *, now: float) -> None:  # noqa: ARG002  the port's
        """Count one less."""
        group = self._group(recipient)
        group.under_way = max(0, group.under_way - 1)

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Learn from what was said about a message; what was said before its recipient was named is the relay's own."""
        if recipient is None:
            return
        self.forgo(recipient, now=now)
        group = self._group(recipient)
        if outcome.verdict is Verdict.ACCEPTED:
            group.limit = min(CAP, group.limit + 1 / group.limit)
            group.hold = FIRST_HOLD
        elif closes_the_door(outcome):
            if now >= group.held_until:  # replies to what was under way already say nothing new
                group.held_until, group.hold = now + group.hold, min(2 * group.hold, LONGEST_HOLD)
                group.limit = max(1.0, group.limit / 2)
        elif wants_less(outcome):
            group.limit = max(1.0, group.limit - 1 / group.limit)

    def _group(self, recipient: str) -> _Group:
        return self._groups.get(group_of(recipient)) or _Group()

    def _forget(self, now: float) -> None:
        if len(self._groups) >= MOST_GROUPS:
            known = self._groups.items()
            self._groups = {name: group for name, group in known if group.under_way or now < group.held_until}


def wants_less(outcome: Outcome) -> bool:
    """Whether a temporary refusal of a message speaks of how many there are at once, in code or words."""
    said = outcome.reply
    if said is None or said.code // 100 != 4 or outcome.phase < Phase.RCPT:  # noqa: PLR2004  RFC 5321 §4.2.1
        return False
    return said.code == 421 or said.enhanced in _CODES or _TOO_MUCH.search(said.text) is not None  # noqa: PLR2004


def closes_the_door(outcome: Outcome) -> bool:
    """Whether it goes so far that nothing more should be tried for a while."""
    said = outcome.reply
    return wants_less(outcome) and said is not None and (said.code == 421 or said.enhanced in _CLOSING)  # noqa: PLR2004
