"""
Counts that were made a moment ago, and names that can be named: asked for again and again while somebody looks.

Takes what makes an answer; yields it again for a minute. Holds no more than a few hundred answers, and none of them for
longer: who changes people sees it a minute later.
"""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

Answer = TypeVar("Answer")

LASTS: Final = dt.timedelta(minutes=1)

MOST: Final = 500
"""Answers: beyond, all of them are asked for anew."""


class Remembered:
    """Answers by what was asked."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[str, tuple[dt.datetime, Any]] = {}

    def known(self, asked: str, make: Callable[[], Answer]) -> Answer:
        """Return the answer of a moment ago, or make it; of two who ask at once, both make it."""
        now = self._now()
        with self._lock:
            at, answer = self._known.get(asked, (None, None))
        if at is not None and now - at < LASTS:
            return cast("Answer", answer)
        answer = make()
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[asked] = now, answer
        return answer
