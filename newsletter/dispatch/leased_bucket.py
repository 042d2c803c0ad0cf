"""
A token bucket that several workers share: what goes out over one relay in a second, whatever their number.

The bucket itself is one instant in the database, which each lease moves on by as many intervals as it takes tokens (see
`bucket`): every token has a time of its own, and no two workers have the same. A token that is not used within
`KEEP_SECONDS` of its time is lost; the burst is smaller by what could go out late, so that over any span of time no
more goes out than rate × time + burst. Pure.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from newsletter.dispatch.bucket import AHEAD_SECONDS, LEAST_SECONDS
from newsletter.dispatch.leasing import BRISK_SECONDS, Leased

KEEP_SECONDS: Final = 0.5
"""How long after its time a token may still be used."""


class Rate:
    """
    `per_second` messages, above 0.

    Attributes:
        interval: seconds between two of them.
        tolerance: seconds by which a token may come before its place in the even row, after a quiet time.
        burst: what may go out at once; what goes out in a second, or one message and what a rate below that adds.
    """

    def __init__(self, per_second: float) -> None:
        self.interval = 1 / per_second
        self.tolerance = max(0.0, 1 - KEEP_SECONDS - self.interval)
        self.burst = max(per_second, 1 + per_second * KEEP_SECONDS)

    def waits(self, number: int, *, full_in: float) -> list[float]:
        """How long each token of a lease has to wait, in seconds, where the bucket is full again in `full_in`."""
        first = full_in - number * self.interval - self.tolerance
        return [max(0.0, first + place * self.interval) for place in range(number)]


class LeasedBucket(Leased):
    """The share of one worker in a relay's rate."""

    def __init__(self, rate: Rate) -> None:
        super().__init__(most=max(1, int(BRISK_SECONDS / rate.interval)))
        self._times: deque[float] = deque()
        self._latest = 0

    def rests(self, *, now: float) -> float:
        """Until a second before the next token's time; without one, until the next lease."""
        times = self._times
        while times and times[0] < now - KEEP_SECONDS:
            times.popleft()
        self._top_up(now)
        if not times:
            return self._awaits(now)
        ahead = times[0] - now - AHEAD_SECONDS
        return max(ahead, LEAST_SECONDS) if ahead > 0 else 0.0

    def take(self, _recipient: str, *, now: float) -> float:
        """Use the next token; called only where `rests` has said at the same time that there is one."""
        wait = max(0.0, self._times.popleft() - now)
        self._top_up(now)
        return wait

    def answered(self, times: Sequence[float], *, now: float) -> None:
        """Take the tokens of a lease by their times."""
        self._has_answer(now)
        self._times.extend(times)
        self._latest = len(times)

    def give_up(self) -> int:
        """Hand over what is left of the latest lease; earlier ones are lost."""
        number = min(len(self._times), self._latest)
        self._times.clear()
        return number

    def _top_up(self, now: float) -> None:
        """Ask in time, but for nothing that is far ahead."""
        times = self._times
        if len(times) <= self._latest // 2 and (not times or times[-1] < now + AHEAD_SECONDS):
            self._request(now)
