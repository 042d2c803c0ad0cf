"""
The port through which a relay is spared: how long a message has to wait before it may go out over it.

A route asks its pace before it offers a message to the relay, and tells it what the relay said, so that a pace can give
way. Pure: the time is handed in (monotonic seconds, never the clock on the wall).
"""

from collections.abc import Sequence
from typing import Protocol

from newsletter.dispatch.outcome import Outcome


class Pace(Protocol):
    """How fast messages may go out over one relay."""

    def rests(self, *, now: float) -> float:
        """How long no message at all may be taken for this relay, in seconds, so that nobody holds one for nothing."""
        ...

    def holds(self, recipient: str, *, now: float) -> float:
        """How long a message to this recipient has to be set aside while others go on, in seconds; 0: not at all."""
        ...

    def take(self, recipient: str, *, now: float) -> float:
        """
        Reserve the right to send one message and return how long it has to wait, in seconds; 0 means at once.

        Whoever has waited so long sends without asking again. `recipient` is the envelope's, for paces that know groups
        of domains; a right that is not used after all is given back by `forgo`, or else by `tell`.
        """
        ...

    def forgo(self, recipient: str, *, now: float) -> None:
        """Give back a right that was taken and not used: nothing of the message went out, and nothing is told of it."""
        ...

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Hear what came of a message, or, with no recipient, of an attempt to open a connection."""
        ...


class Unlimited:
    """As fast as the relay takes it; what a pace that limits one thing leaves to others."""

    def rests(self, *, now: float) -> float:  # noqa: ARG002  the port's, here and below
        """It never rests."""
        return 0.0

    def holds(self, _recipient: str, *, now: float) -> float:  # noqa: ARG002
        """Nobody is set aside."""
        return 0.0

    def take(self, _recipient: str, *, now: float) -> float:  # noqa: ARG002
        """Nothing ever waits."""
        return 0.0

    def forgo(self, recipient: str, *, now: float) -> None:
        """Nothing was reserved."""

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Nothing is learnt."""


class Together:
    """Several limits at once: the strictest of them holds."""

    def __init__(self, paces: Sequence[Pace]) -> None:
        self._paces = tuple(paces)

    def rests(self, *, now: float) -> float:
        """As long as any of them."""
        return max(pace.rests(now=now) for pace in self._paces)

    def holds(self, recipient: str, *, now: float) -> float:
        """As long as any of them."""
        return max(pace.holds(recipient, now=now) for pace in self._paces)

    def take(self, recipient: str, *, now: float) -> float:
        """Reserve with all of them."""
        return max(pace.take(recipient, now=now) for pace in self._paces)

    def forgo(self, recipient: str, *, now: float) -> None:
        """Give back to all of them."""
        for pace in self._paces:
            pace.forgo(recipient, now=now)

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Tell all of them."""
        for pace in self._paces:
            pace.tell(outcome, recipient=recipient, now=now)
