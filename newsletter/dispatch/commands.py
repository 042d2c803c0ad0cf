"""
The commands that open a transaction, and what a relay has offered that decides about them.

Takes an envelope and the relay's extensions, yields the octets of MAIL, RCPT and DATA, or the outcome of a message that
this relay cannot take, without a word to it. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.dispatch.relay import Envelope

_UNFIT: Final = re.compile(r"[^!-;=?-~]")
"""No control, space, angle bracket or character outside ASCII: none could be told from what follows the address."""

_UNFIT_UTF8: Final = re.compile(r"[\x00- <>\x7f-\x9f\s]")
"""The same where the relay takes UTF-8 (RFC 6531 §3.3)."""


_LIMIT: Final = re.compile(r"[0-9]{1,20}")
"""RFC 1870 §4; zero means that there is no fixed limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """
    What a relay announced in its last EHLO, as far as it matters here.

    `largest` is the largest message it takes, in octets; None where it names none (RFC 1870 §4).
    """

    pipelining: bool = False
    size: bool = False
    largest: int | None = None
    smtputf8: bool = False

    @classmethod
    def announced(cls, extensions: Mapping[str, str]) -> "Extensions":
        """Read the keywords, in small letters, with their parameters."""
        limit = extensions.get("size", "").strip()
        is_limit = _LIMIT.fullmatch(limit) and int(limit) > 0
        return cls(
            pipelining="pipelining" in extensions,
            size="size" in extensions,
            largest=int(limit) if is_limit else None,
            smtputf8="smtputf8" in extensions,
        )


def refusal(envelope: Envelope, extensions: Extensions) -> Outcome | None:
    """Say why this relay cannot take a message, from what it has announced; None where it may."""
    if envelope.needs_smtputf8 and not extensions.smtputf8:
        note = "5.6.7 the relay does not take addresses outside ASCII (RFC 6531 §3.2)"
        return Outcome(verdict=Verdict.REFUSED, phase=Phase.MAIL, fault=Fault.RECIPIENT, note=note)
    if extensions.largest is not None and envelope.size > extensions.largest:
        note = f"5.3.4 the message has {envelope.size} octets, the relay takes {extensions.largest} (RFC 1870 §6.1)"
        return Outcome(verdict=Verdict.REFUSED, phase=Phase.MAIL, fault=Fault.CONTENT, note=note)
    return None


def transaction(envelope: Envelope, extensions: Extensions) -> bytes:
    """
    Write MAIL, RCPT and DATA, one line each (RFC 5321 §3.3).

    Raises ValueError for an address that could be read as anything else, and for content without a line end at its end,
    to which no final dot can be added.
    """
    if not envelope.pieces[-1].endswith(b"\r\n"):
        raise ValueError(f"{envelope.name}: the content does not end with a line end")
    utf8 = envelope.needs_smtputf8
    unfit = (_UNFIT_UTF8 if utf8 else _UNFIT).search
    if not envelope.recipient or unfit(envelope.recipient) or unfit(envelope.sender):
        raise ValueError(f"{envelope.name}: the envelope has an address that cannot be written into a command")
    size = f" SIZE={envelope.size}" if extensions.size else ""
    parameters = f"{size} SMTPUTF8" if utf8 else size
    commands = f"MAIL FROM:<{envelope.sender}>{parameters}\r\nRCPT TO:<{envelope.recipient}>\r\nDATA\r\n"
    return commands.encode("utf-8" if utf8 else "ascii")
