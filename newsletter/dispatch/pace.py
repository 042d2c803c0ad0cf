"""
The port through which a relay is spared: how long a message has to wait before it may go out over it.

A route asks its pace before it offers a message to the relay, and tells it what the relay said, so that a pace can give
way. Pure: the time is handed in (monotonic seconds, never the clock on the wall).
"""

from typing import Protocol

from newsletter.dispatch.outcome import Outcome


class Pace(Protocol):
    """How fast messages may go out over one relay."""

    def take(self, recipient: str, *, now: float) -> float:
        """
        Reserve the right to send one message and return how long it has to wait, in seconds; 0 means at once.

        Whoever has waited so long sends without asking again. `recipient` is the envelope's, for paces that know groups
        of domains; a right that is not used after all is lost.
        """
        ...

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Hear what came of a message, or, with no recipient, of an attempt to open a connection."""
        ...


class Unlimited:
    """As fast as the relay takes it."""

    def take(self, _recipient: str, *, now: float) -> float:  # noqa: ARG002  the port's
        """Nothing ever waits."""
        return 0.0

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Nothing is learnt."""
