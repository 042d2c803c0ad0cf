"""
The port through which messages leave: what the dispatcher needs of a relay, whatever it is made of.

A connection carries one message at a time. It asks `mark` for permission right before the first byte that could
complete a message; where the answer is no, nothing is sent and `send` returns None.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from newsletter.dispatch.outcome import Outcome

Mark = Callable[[], Awaitable[bool]]
"""Commits the mark of the delivery and says whether it still is ours to send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """
    One message with its SMTP envelope (RFC 5321 §2.3.1).

    `data` is what follows DATA: CRLF line ends, 7-bit, no line that begins with a dot, a line end at its end. `name`
    is unique to the delivery and the same at every attempt.
    """

    sender: str
    recipient: str
    needs_smtputf8: bool
    name: str
    data: bytes


class Connection(Protocol):
    """An open way to the relay."""

    async def send(self, envelope: Envelope, mark: Mark) -> Outcome | None:
        """Send one message; never raises for what the relay or the network does."""
        ...

    async def close(self) -> None:
        """Part politely; never raises."""
        ...


class RelayDown(Exception):  # noqa: N818  a state, not a fault of ours
    """The relay cannot be reached or will not have us; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.words)


class Relay(Protocol):
    """Something that takes our mail."""

    @property
    def name(self) -> str:
        """How the relay is called in the ledger, without credentials."""
        ...

    async def open(self) -> Connection:
        """Open a connection, or raise `RelayDown`."""
        ...
