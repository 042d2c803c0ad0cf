"""
The port through which messages leave: what the dispatcher needs of a relay, whatever it is made of.

A connection works in turns. One turn writes the content of the message whose envelope the relay has taken, and the
envelope of the message that follows it, and reads what the relay says to both; over a pipelining relay that is one
write and one round trip (RFC 2920 §3.1). Between two turns the dispatcher commits the result of the one message and the
mark of the other, so that a connection never has more than one message in doubt.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from newsletter.dispatch.outcome import Outcome


class Envelope(NamedTuple):
    """
    One message with its SMTP envelope (RFC 5321 §2.3.1).

    `pieces`, one after the other, are what follows DATA: CRLF line ends, 7-bit, no line that begins with a dot, a line
    end at its end. Most of them all messages of an edition share, so they are put together when they are written and no
    sooner: then the octets lie in the processor's cache, and the memory holds them once. `name` is unique to the
    delivery and the same at every attempt.
    """

    sender: str
    recipient: str
    needs_smtputf8: bool
    name: str
    pieces: Sequence[bytes]

    @property
    def size(self) -> int:
        """Octets of the content."""
        return sum(map(len, self.pieces))

    @property
    def data(self) -> bytes:
        """The content as a whole."""
        return b"".join(self.pieces)


class Turn(NamedTuple):
    """
    What one turn came to.

    `content` is the outcome of the content that was written, None where none was. `envelope` is the outcome of the
    envelope that followed where the relay did not take it; None where there was none, or where the relay waits for its
    content now. `is_open` says that it waits. `closed` says that the connection has come to its end: it takes no
    further turn, and whatever was not answered is told as not sent or uncertain in the outcomes.
    """

    content: Outcome | None = None
    envelope: Outcome | None = None
    is_open: bool = False
    closed: bool = False


class Connection(Protocol):
    """An open way to the relay."""

    async def turn(self, content: Envelope | None, following: Envelope | None) -> Turn:
        """
        Write the content that the relay waits for and the envelope that follows; at least one of them.

        `content` is given exactly if the turn before left the connection open for it, and its mark is committed. Never
        raises for what the relay or the network does.
        """
        ...

    async def close(self, *, at_once: bool = False) -> None:
        """
        Part politely, or `at_once`, without a word, where the relay waits for content that will not come.

        Never raises. Neither of them can deliver an empty message: a lone dot is not written. From another task it cuts
        a turn short, which then tells what is known of its messages.
        """
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
