"""
A relay that is a folder: every message becomes a file in a Maildir, for trials and for relays that pick up files.

The file's name is the delivery's own, so that a message written again after a crash replaces itself.
"""

from pathlib import Path

from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.dispatch.relay import Envelope, RelayDown, Turn


class MaildirRelay:
    """Writes messages into `folder`/new, which any mail reader opens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder."""
        return f"maildir:{self._folder}"

    async def open(self) -> "MaildirConnection":
        """Make the folder; raises RelayDown where that is not allowed."""
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RelayDown(_unsent(Phase.CONNECT, error)) from error
        return MaildirConnection(self._folder)


class MaildirConnection:
    """An open Maildir: it takes every envelope, and what it cannot write is certainly not sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failure: OSError | None = None

    async def turn(self, content: Envelope | None, following: Envelope | None) -> Turn:
        """One turn; see `relay.Connection`."""
        outcome = self._written(content) if content else None
        if self._failure:
            missed = _unsent(Phase.MAIL, self._failure) if following else None
            return Turn(content=outcome, envelope=missed, closed=True)
        return Turn(content=outcome, is_open=following is not None)

    async def close(self, *, at_once: bool = False) -> None:
        """Nothing is open."""

    def _written(self, envelope: Envelope) -> Outcome:
        """Write the message whole, then move it to its place."""
        draft = self._folder / "tmp" / f"{envelope.name}.eml"
        headers = f"Return-Path: <{envelope.sender}>\r\nDelivered-To: {envelope.recipient}\r\n".encode()
        try:
            if self._failure:
                raise self._failure
            draft.write_bytes(headers + envelope.data)
            draft.replace(self._folder / "new" / draft.name)
        except OSError as error:
            self._failure = error
            return _unsent(Phase.CONTENT, error)
        answer = Reply(code=250, enhanced="2.0.0", text=f"2.0.0 {draft.name}")
        return Outcome(verdict=Verdict.ACCEPTED, phase=Phase.CONTENT, reply=answer)


def _unsent(phase: Phase, error: OSError) -> Outcome:
    note = f"{type(error).__name__}: {error.strerror}"
    return Outcome(verdict=Verdict.NOT_SENT, phase=phase, fault=Fault.RELAY, note=note, closes=True)
