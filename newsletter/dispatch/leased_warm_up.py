"""
Warming up with several workers: they share the number of a day, see `warm_up`.

Each leases a part of what is left, smaller and smaller parts towards the end, and what the relay did not take goes back
to that part. Days are those of the database's clock. Pure.
"""

from typing import Final, NamedTuple

from newsletter.dispatch.leasing import Leased
from newsletter.dispatch.outcome import Outcome
from newsletter.dispatch.warm_up import TAKEN

MOST: Final = 250
"""The largest part of a day's number that a worker holds."""

HELD_SECONDS: Final = 1.0
"""How soon it is asked again where nothing is left but what others hold."""

SPENT_SECONDS: Final = 60.0
"""How soon, where all is used: a worker may still give back or die."""

A_MOMENT: Final = 3600.0
"""Ends of a day that differ by less, in seconds, are those of the same day."""


class Share(NamedTuple):
    """
    A part of a day's number; None: that day has none, and no later one.

    The day ends in `ends_in` seconds. `is_spent` says that nobody holds anything that they have not used.
    """

    number: int | None
    ends_in: float
    is_spent: bool = False


class LeasedWarmUp(Leased):
    """The share of one worker in a relay's number for each day."""

    def __init__(self) -> None:
        super().__init__(most=MOST)
        self._left = 0
        self._latest = 0
        self._ends = float("inf")
        self._is_free = self._is_spent = False
        self._under_way: set[str] = set()

    def rests(self, *, now: float) -> float:
        """Until the next lease; until midnight where the number of the day is used up."""
        if self._is_free:
            return 0.0
        if now >= self._ends:
            self._begin()
        if 2 * self._left <= self._latest:
            self._request(now)
        if self._left:
            return 0.0
        wait = self._awaits(now)
        return self._ends - now if self._is_spent else wait

    def take(self, recipient: str, *, now: float) -> float:  # noqa: ARG002  the port's, here and below
        """Count one; called only where `rests` has said at the same time that there is one."""
        if not self._is_free:
            self._left -= 1
            self._under_way.add(recipient)
        return 0.0

    def forgo(self, recipient: str, *, now: float) -> None:  # noqa: ARG002
        """Count one less, if it was taken for the same day."""
        if recipient in self._under_way:
            self._under_way.remove(recipient)
            self._left += 1

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Count one less where the relay has certainly not taken it."""
        if recipient is None:
            return
        if outcome.verdict in TAKEN:
            self._under_way.discard(recipient)
        else:
            self.forgo(recipient, now=now)

    def answered(self, share: Share, *, now: float) -> None:
        """Take a part."""
        self._has_answer(now)
        ends = now + share.ends_in
        if ends - self._ends > A_MOMENT:
            self._begin()
        if share.number is None:
            self._is_free = True
            return
        self._left += share.number
        self._latest = share.number
        self._ends = ends
        self._is_spent = not self._left and share.is_spent
        if not share.number:
            self._not_before = now + (SPENT_SECONDS if share.is_spent else HELD_SECONDS)

    def give_up(self) -> int:
        """Hand over what is not used."""
        number, self._left = self._left, 0
        return number

    def _begin(self) -> None:
        """Another day: what was leased for the last one is worth nothing."""
        self._left, self._latest, self._ends = 0, 0, float("inf")
        self._is_spent, self._not_before = False, float("-inf")
        self._under_way.clear()
