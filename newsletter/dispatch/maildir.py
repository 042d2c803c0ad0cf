"""
A relay that is a folder: every message becomes a file in a Maildir, for trials and for relays that pick up files.

The file's name is the delivery's own, so that a message written again after a crash replaces itself.
"""

from pathlib import Path

from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.dispatch.relay import Envelope, Mark, RelayDown


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
            raise RelayDown(_unsent(error)) from error
        return MaildirConnection(self._folder)


class MaildirConnection:
    """An open Maildir."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, envelope: Envelope, mark: Mark) -> Outcome | None:
        """Write the message whole, then move it to its place; see `relay.Connection`."""
        if not await mark():
            return None
        draft = self._folder / "tmp" / f"{envelope.name}.eml"
        headers = f"Return-Path: <{envelope.sender}>\r\nDelivered-To: {envelope.recipient}\r\n".encode()
        try:
            draft.write_bytes(headers + envelope.data)
            draft.replace(self._folder / "new" / draft.name)
        except OSError as error:
            return _unsent(error)
        answer = Reply(code=250, enhanced="2.0.0", text=f"2.0.0 {draft.name}")
        return Outcome(verdict=Verdict.ACCEPTED, phase=Phase.CONTENT, reply=answer)

    async def close(self) -> None:
        """Nothing is open."""


def _unsent(error: OSError) -> Outcome:
    note = f"{type(error).__name__}: {error.strerror}"
    return Outcome(verdict=Verdict.NOT_SENT, phase=Phase.CONNECT, fault=Fault.RELAY, note=note, closes=True)
