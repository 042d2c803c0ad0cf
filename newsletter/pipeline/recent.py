"""
Answers that are kept for a moment: what takes long to count is counted once for everybody who asks.

Takes a key and how to find its answer; yields the answer, at most so old as was said. Promises that the same is never
counted twice at once, and that no more than `MOST` answers are kept. Safe to use from any number of threads.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

MOST: Final = 200
"""Answers that are kept; the one that was asked for least lately goes."""

Answer = TypeVar("Answer")


@dataclass
class _Place(Generic[Answer]):
    lock: threading.Lock
    known: tuple[Answer, float] | None = None


class Recent(Generic[Answer]):
    """Keeps answers for `seconds`."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._places: OrderedDict[Hashable, _Place[Answer]] = OrderedDict()

    def get(self, key: Hashable, find: Callable[[], Answer]) -> Answer:
        """
        The answer for a key; found now, by `find`, unless it was a moment ago. What `find` raises is not kept.

        While somebody finds an answer anew the others get the old one: only who asks for the first time waits.
        """
        place = self._place(key)
        known = place.known
        if known is not None and self._clock() - known[1] < self._seconds:
            return known[0]
        if known is None:
            place.lock.acquire()
        elif not place.lock.acquire(blocking=False):
            return known[0]
        try:
            if place.known is None or place.known is known:
                place.known = find(), self._clock()
            return place.known[0]
        finally:
            place.lock.release()

    def _place(self, key: Hashable) -> _Place[Answer]:
        with self._lock:
            place = self._places.pop(key, None) or _Place(threading.Lock())
            self._places[key] = place
            if len(self._places) > MOST:
                self._places.popitem(last=False)
            return place
