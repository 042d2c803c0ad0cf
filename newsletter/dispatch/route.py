"""
A route: a relay, how many connections may be open to it and at which pace, and whether anything is heard of it.

Its lines share it. All routes take from one supply, so that each sends in proportion to its connections and to how fast
its relay is. A spare is a route that stands in for others: it is called while none of them is heard, and not because
they are slow or have used up their quota. Pure: the time is handed in (monotonic seconds).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from newsletter.dispatch.breaker import Breaker
from newsletter.dispatch.pace import Pace, Unlimited
from newsletter.dispatch.relay import Relay

SPARE_SECONDS: Final = 1.0
"""How soon a spare notices that it is called."""


@dataclass(kw_only=True)
class Route:
    """
    One way out; `open_now` counts its connections, `on_the_wire` the turns that the relay has not answered yet.

    `stands_in_for` are the routes for which this one is the spare, none for one that is always used.
    """

    relay: Relay
    connections: int
    pace: Pace = field(default_factory=Unlimited)
    stands_in_for: Sequence["Route"] = ()
    breaker: Breaker = field(default_factory=Breaker, init=False)
    open_now: int = field(default=0, init=False)
    on_the_wire: int = field(default=0, init=False)
    _unheard_since: float | None = field(default=None, init=False)
    _is_missed: bool = field(default=False, init=False)
    _is_plain: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._is_plain = type(self.pace) is Unlimited and not self.stands_in_for

    @property
    def is_free(self) -> bool:
        """Whether there is nothing that a message could have to wait for; asked for every message."""
        return self._is_plain and self.breaker.is_closed

    @property
    def is_called(self) -> bool:
        """Whether it may be used: a spare is while every route that it stands in for is left alone."""
        return not any(route.breaker.is_closed for route in self.stands_in_for)

    @property
    def is_going(self) -> bool:
        """Whether its connections are worth keeping while there is nothing to send."""
        return self.breaker.is_closed and self.is_called

    def rests(self, line: object, *, now: float) -> float:
        """How long this line must take no message, in seconds; 0: it may."""
        if self.is_free:
            return 0.0
        if not self.is_called:
            return SPARE_SECONDS
        # A pace is asked only by who could send: what it would lease for a relay that is left alone would be lost.
        return self.breaker.rests(line, now=now) or self.pace.rests(now=now)

    def heard(self) -> bool:
        """Note that the relay has had something to say about a message; returns whether it was left alone before."""
        self._unheard_since, self._is_missed = None, False
        return self.breaker.heard()

    def unheard(self, now: float) -> bool:
        """Note that it had nothing to say about one; returns whether that is new."""
        if self._unheard_since is not None:
            return False
        self._unheard_since = now
        return True

    def missed(self, now: float) -> bool:
        """Note that no connection could be made; returns whether that is the first time since it was heard."""
        self.unheard(now)
        first, self._is_missed = not self._is_missed, True
        return first

    def is_silent(self, seconds: float, *, now: float) -> bool:
        """Whether the relay has had nothing to say about any message for so long, and none is under way."""
        since = self._unheard_since
        return since is not None and not self.on_the_wire and now - since > seconds

    def is_out(self, seconds: float, *, now: float) -> bool:
        """
        Whether nothing is to be had of it for longer than so many seconds.

        It is silent, or out of quota, or a spare that is not going to be called: what it stands in for is heard.
        """
        if self.on_the_wire:
            return False
        if any(route.breaker.is_closed and not route.is_silent(seconds, now=now) for route in self.stands_in_for):
            return True
        return self.is_silent(seconds, now=now) or self.pace.rests(now=now) > seconds
