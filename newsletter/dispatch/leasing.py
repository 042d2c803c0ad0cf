"""
What paces have in common that are shared by several workers: they hold leases, and ask for more before these are used.

A lease is a small part of what all workers may send together, taken from the database ahead of need, since the loop
must not wait for it. One that holds none rests until the answer has come; it asks only while there is something to
send, for as much as was used up lately in a quarter of a second to one, so that what a dead worker held does not count.
Pure: who asks the database is handed in, and calls back in the loop's thread.
"""

from collections.abc import Callable
from typing import Final

from newsletter.dispatch.pace import Unlimited

BRISK_SECONDS: Final = 0.25
"""A lease that is used up sooner is followed by one twice as large."""

SLOW_SECONDS: Final = 0.5
"""One that lasts longer is followed by one half as large."""

FIRST_ANSWER: Final = 0.002
"""How long the first answer is expected to take, and the shortest rest for any, in seconds."""

LONGEST_WAIT: Final = 0.25
"""How long to rest at most before looking again for an answer that is late, in seconds."""

AGAIN_SECONDS: Final = 1.0
"""How soon it is asked again where the database could not answer."""


class Leased(Unlimited):
    """
    A pace that lives on leases of at most `most` at a time.

    `ask` is called with how many more are wanted, and `answered` or `failed` when that has come to its end; `is_wanted`
    says whether there is anything to send.
    """

    def __init__(self, *, most: int) -> None:
        self.ask: Callable[[int], object] = lambda _number: None
        self.is_wanted: Callable[[], bool] = lambda: True
        self._most = most
        self._size = 1
        self._asked: float | None = None
        self._sized = float("-inf")
        self._not_before = float("-inf")
        self._takes = FIRST_ANSWER
        self._error: Exception | None = None

    def give_up(self) -> int:
        """Hand over what is held and can be given back; called while nothing is wanted."""
        return 0

    def failed(self, error: Exception | None, *, now: float) -> None:
        """Hear that the question came to nothing: ask again later, or raise the error to whoever wants to send."""
        self._asked, self._error = None, error
        self._not_before = now + AGAIN_SECONDS

    def _has_answer(self, now: float) -> None:
        if self._asked is not None:
            self._takes = max(FIRST_ANSWER, now - self._asked)
        self._asked = None

    def _request(self, now: float) -> None:
        """Ask for more, unless that is done already, was in vain a moment ago, or nobody would use it."""
        if self._error is not None:
            raise self._error
        if self._asked is not None or now < self._not_before or not self.is_wanted():
            return
        lasted, self._sized = now - self._sized, now
        if lasted < BRISK_SECONDS:
            self._size = min(2 * self._size, self._most)
        elif lasted > SLOW_SECONDS:
            self._size = max(1, self._size // 2)
        self._asked = now
        self.ask(self._size)

    def _awaits(self, now: float) -> float:
        """Ask for more and say how long to rest for the answer, in seconds; 0 where nobody would use it."""
        self._request(now)
        if self._asked is None:
            return max(0.0, self._not_before - now) if self.is_wanted() else 0.0
        waited = now - self._asked
        late = min(LONGEST_WAIT, max(FIRST_ANSWER, waited / 2))
        return max(self._takes - waited, late) if waited < self._takes else late
