"""
An outcome: what one attempt came to, and whose fault it was.

Takes a relay's reply and the phase it came in, yields a frozen `Outcome`. "Accepted" means that the relay took the
message, never that it arrived. Pure.
"""

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

LONGEST_REPLY: Final = 400
"""Characters of a reply that are kept: relays explain themselves at length, and replies are hostile input."""


class Phase(IntEnum):
    """How far a transaction had come, in order."""

    #: The connection is being made.
    CONNECT = 1
    #: Greeting, EHLO, STARTTLS.
    HELLO = 2
    #: AUTH.
    AUTH = 3
    #: MAIL FROM.
    MAIL = 4
    #: RCPT TO.
    RCPT = 5
    #: DATA, before the relay has said 354.
    DATA = 6
    #: The content and the reply to its final dot.
    CONTENT = 7


class Verdict(StrEnum):
    """What became of the message."""

    #: The relay took it (2xx to the final dot).
    ACCEPTED = "accepted"
    #: The relay wants it later (4xx).
    DEFERRED = "deferred"
    #: The relay never wants it (5xx).
    REFUSED = "refused"
    #: It certainly was not sent, and nothing was said about it.
    NOT_SENT = "not_sent"
    #: The final dot may have been written and no reply came.
    UNCERTAIN = "uncertain"


class Fault(StrEnum):
    """Whose fault a failure is; only the recipient's ever counts against a subscriber."""

    #: The address: unknown, disabled, full.
    RECIPIENT = "recipient"
    #: Our reputation or authentication (5.7.x): the run must pause.
    SENDER = "sender"
    #: This message: too big, malformed.
    CONTENT = "content"
    #: The relay or the way to it: connection, TLS, credentials, overload.
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Reply:
    """A relay's reply: basic code (RFC 5321 §4.2), enhanced code (RFC 3463) where there is one, text."""

    code: int
    enhanced: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt came to; `closes` says that the connection is of no more use."""

    verdict: Verdict
    phase: Phase
    fault: Fault | None = None
    reply: Reply | None = None
    note: str = ""
    closes: bool = False

    @property
    def words(self) -> str:
        """One line for officers and logs."""
        if self.reply:
            return f"{self.reply.code} {self.reply.text}".strip()
        return self.note


_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_OURS = re.compile(
    r"sender|\b(spf|dkim|dmarc|ptr|helo|ehlo|rbl|dnsbl)\b|reverse|client host|your (ip|host|server)|authenticat"
    r"|reputation|spam|junk|unsolicited|block|blacklist|is listed|listed (at|by|on)\b|denied|policy"
    r"|relay(ing)? (not|access|prohibited)",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"unknown|no such|does ?n.t (exist|have an? )|not found|no mailbox|unrouteable|not a valid|undeliverable"
    r"|(invalid|bad) (recipient|mailbox|address|user)"
    r"|(mailbox|recipient|user|account) (is )?(unavailable|disabled|inactive)",
    re.IGNORECASE,
)
_FULL = re.compile(r"\bfull\b|quota|over ?limit|storage allocation", re.IGNORECASE)


def one_line(words: str) -> str:
    """Bring what a relay or a library said into one printable line of bounded length, fit for every database."""
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())[:LONGEST_REPLY]


def reply(code: int, text: str | bytes) -> Reply:
    """Read a reply: its enhanced code is the first thing in its text, where the relay gives one."""
    words = one_line(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    match = _ENHANCED.match(words)
    return Reply(code=code, enhanced=match[1] if match else None, text=words)


def classify(phase: Phase, answer: Reply) -> Outcome:
    """
    Say what a reply means for the message and whose fault it is.

    Before RCPT nothing has been said about a recipient, so a refusal there is the relay's, whatever its code. From RCPT
    on the enhanced code decides (RFC 3463 §3), and the basic code with the words of the text where there is none or it
    only says "other". A reply that is no answer to what was asked means that we have lost step with the relay.
    """
    kind = answer.code // 100
    if kind == 2 and phase is Phase.CONTENT:
        return Outcome(verdict=Verdict.ACCEPTED, phase=phase, reply=answer)
    if kind not in {4, 5}:
        verdict = Verdict.UNCERTAIN if phase is Phase.CONTENT else Verdict.NOT_SENT
        return Outcome(verdict=verdict, phase=phase, fault=Fault.RELAY, reply=answer, closes=True)
    closes = answer.code == 421  # RFC 5321 §3.8: the relay closes the channel
    if phase < Phase.RCPT or (closes and phase is not Phase.CONTENT):
        return Outcome(verdict=Verdict.NOT_SENT, phase=phase, fault=Fault.RELAY, reply=answer, closes=True)
    verdict = Verdict.REFUSED if kind == 5 else Verdict.DEFERRED
    return Outcome(verdict=verdict, phase=phase, fault=_fault(phase, answer), reply=answer, closes=closes)


def _fault(phase: Phase, answer: Reply) -> Fault:
    if answer.code in {530, 534, 535, 538}:  # RFC 4954 §6: credentials
        return Fault.RELAY
    if answer.enhanced and not _is_vague(answer.enhanced):
        return _fault_of_enhanced(answer.enhanced)
    ours = _OURS.search(answer.text)
    if not ours and (_UNKNOWN.search(answer.text) or _FULL.search(answer.text)):
        return Fault.RECIPIENT
    if answer.code // 100 == 4:
        return Fault.RELAY
    if ours:
        return Fault.SENDER
    # 552: RFC 5321 §4.2.3, too much data. And a recipient that was taken is not what a refusal of the content means.
    return Fault.CONTENT if answer.code == 552 or phase is Phase.CONTENT else Fault.RECIPIENT


def _is_vague(code: str) -> bool:
    """Whether an enhanced code says no more than "other": x.0.0, x.3.0, x.5.0 (RFC 3463 §3.1, 3.4, 3.6)."""
    _status, subject, detail = code.split(".")
    return detail == "0" and subject in {"0", "3", "5"}


def _fault_of_enhanced(code: str) -> Fault:
    status, subject, detail = code.split(".")
    if subject == "7":
        return Fault.SENDER if status == "5" else Fault.RELAY
    if (subject, detail) == ("6", "7"):  # RFC 6531 §3.5: no way to an address outside ASCII
        return Fault.RECIPIENT
    if subject in {"5", "6"} or (subject, detail) in {("2", "3"), ("3", "4")}:  # too big for the mailbox, the system
        return Fault.CONTENT
    if subject in {"3", "4"}:
        return Fault.RELAY
    if subject == "1" and detail in {"7", "8"}:  # the sender's address is bad
        return Fault.SENDER
    return Fault.RECIPIENT
