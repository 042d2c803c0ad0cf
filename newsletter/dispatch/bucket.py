"""
A token bucket: so many messages a second over one relay, evenly, after a burst of one second.

It is reckoned as the generic cell rate algorithm (ITU-T I.371, annex A): one number says when the bucket will be full
again, and whoever comes too early is told how long to wait. Over any span of time it lets through at most rate × time +
burst. Its weakness is every bucket's: the burst after a quiet time goes out at once. Pure.
"""

from typing import Final

from newsletter.dispatch.pace import Unlimited

AHEAD_SECONDS: Final = 1.0
"""How long before its time a line may take a message: what it holds meanwhile no other relay can send."""

LEAST_SECONDS: Final = 0.1
"""The shortest rest: what is reserved already lasts for longer, and two hundred lines shall not wake for each token."""


class TokenBucket(Unlimited):
    """
    `rate` messages a second, above 0; the burst is what goes out in a second, one message at least.

    A token that is taken and not used is lost: others have their times already, and two may not have the same.
    """

    def __init__(self, rate: float) -> None:
        self.burst = max(1.0, rate)
        self._interval = 1 / rate
        self._full_at = float("-inf")

    def rests(self, *, now: float) -> float:
        """Until a second before the next message may go, and then a little: many lines wait for the same token."""
        ahead = self._wait(now) - AHEAD_SECONDS
        return max(ahead, LEAST_SECONDS) if ahead > 0 else 0.0

    def take(self, _recipient: str, *, now: float) -> float:
        """Reserve the next token; those who come at once get their times one after the other."""
        wait = self._wait(now)
        self._full_at = max(self._full_at, now + wait) + self._interval
        return wait

    def _wait(self, now: float) -> float:
        return max(0.0, self._full_at - (self.burst - 1) * self._interval - now)
