"""
A route: a relay, how many connections may be open to it and at which pace, and whether anything is heard of it.

Its lines share it. Pure: the time is handed in (monotonic seconds).
"""

from dataclasses import dataclass, field

from newsletter.dispatch.pace import Pace, Unlimited
from newsletter.dispatch.relay import Relay


@dataclass(kw_only=True)
class Route:
    """One way out; `open_now` counts its connections, `on_the_wire` the turns that the relay has not answered yet."""

    relay: Relay
    connections: int
    pace: Pace = field(default_factory=Unlimited)
    open_now: int = field(default=0, init=False)
    on_the_wire: int = field(default=0, init=False)
    _unheard_since: float | None = field(default=None, init=False)

    def heard(self) -> None:
        """Note that the relay has had something to say about a message."""
        self._unheard_since = None

    def unheard(self, now: float) -> bool:
        """Note that it had nothing to say about one; returns whether that is new."""
        if self._unheard_since is not None:
            return False
        self._unheard_since = now
        return True

    def is_silent(self, seconds: float, *, now: float) -> bool:
        """Whether the relay has had nothing to say about any message for so long, and none is under way."""
        since = self._unheard_since
        return since is not None and not self.on_the_wire and now - since > seconds
