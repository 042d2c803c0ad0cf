"""
The circuit breaker of a route: when a relay has failed so often in a row that it is left alone for a while.

    closed ─ FAULTS in a row ─► open ─ its pause is over, one line probes ─► half open ─ the relay has spoken ─► closed
                                 ▲                                              │
                                 └──── twice the pause ◄── the probe failed ────┘

Takes what the lines of a route meet, yields whether one of them may try. A fault is the relay's own: no connection, a
greeting, EHLO, AUTH, MAIL that fails, a connection that is lost before anything was said about a message. Anything that
it says about a message closes the breaker. Pure: the time is handed in (monotonic seconds).
"""

from typing import Final

FAULTS: Final = 5
"""Faults in a row, with nothing said about any message between them, after which a relay is left alone."""

LOOK_SECONDS: Final = 1.0
"""How soon the lines that leave the probe to one of them look whether it has come to something."""


class Breaker:
    """Closed at first; `is_closed` is read for every message, so it is no more than an attribute."""

    def __init__(self) -> None:
        self.is_closed = True
        self._faults = 0
        self._openings = 0
        self._until = 0.0
        self._probe: object | None = None

    def rests(self, line: object, *, now: float) -> float:
        """How long this line has to leave the relay alone, in seconds; 0: it may ask to be admitted."""
        if self.is_closed or self._probe is line:
            return 0.0
        if self._probe is not None:
            return LOOK_SECONDS
        return max(0.0, self._until - now)

    def admits(self, line: object, *, now: float) -> bool:
        """Whether this line may try the relay: once the pause is over the first that asks, which is the probe."""
        if self.is_closed or self._probe is line:
            return True
        if self._probe is not None or now < self._until:
            return False
        self._probe = line
        return True

    def leave(self, line: object) -> None:
        """Give up being the probe without having learnt anything: another line may probe at once."""
        if self._probe is line:
            self._probe = None

    def heard(self) -> bool:
        """Close: the relay has said something about a message; returns whether that is new."""
        self._faults = 0
        if self.is_closed:
            return False
        self.is_closed, self._probe, self._openings = True, None, 0
        return True

    def fault(self, line: object, *, now: float, first: float, longest: float) -> float:
        """
        Count a fault; returns for how long the relay is left alone from now on, 0 where nothing has changed.

        The pause is `first` (seconds) and doubles with each probe that fails, up to `longest`. Faults of lines that
        were still at work when it opened say nothing new.
        """
        if self.is_closed:
            self._faults += 1
            if self._faults < FAULTS:
                return 0.0
        elif self._probe is not line:
            return 0.0
        pause = min(first * 2.0**self._openings, longest)
        self.is_closed, self._probe, self._until = False, None, now + pause
        self._openings = min(self._openings + 1, _MOST_DOUBLINGS)
        return pause


_MOST_DOUBLINGS: Final = 32
"""Beyond any pause there is; a relay may be away for months."""
