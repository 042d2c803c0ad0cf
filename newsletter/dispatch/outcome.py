"""
An outcome: what one attempt came to, and whose fault it was.

Takes a relay's reply and the phase it came in, yields a frozen `Outcome`. "Accepted" means that the relay took the
message, never that it arrived. Pure.
"""

import re
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

LONGEST_REPLY: Final = 400
"""Characters of a reply that are kept: relays explain themselves at length, and replies are hostile input."""

CREDENTIALS: Final = frozenset({530, 534, 535, 538})
"""RFC 4954 §6: authentication is required, too weak, wrong, or wants encryption."""

ELSEWHERE: Final = frozenset({211, 214, 220, 221, 235})
"""Replies of success that answer another question than the final dot (RFC 5321 §4.2.3, RFC 4954 §6)."""

OUR_MISTAKES: Final = frozenset({500, 502, 503, 504, 555})
"""Unknown commands and parameters, and commands out of order (RFC 5321 §4.2.3)."""


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


class Reply(NamedTuple):
    """A relay's reply: basic code (RFC 5321 §4.2), enhanced code (RFC 3463) where there is one, text."""

    code: int
    enhanced: str | None
    text: str


class Outcome(NamedTuple):
    """What one attempt came to, given by name; `closes` says that the connection is of no more use."""

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

    @property
    def is_greylisting(self) -> bool:
        """Whether the relay takes nothing from strangers at once: worth a longer first wait (RFC 6647 §3)."""
        spoken = self.verdict is Verdict.DEFERRED and self.reply is not None
        return spoken and _GREYLIST.search(self.words) is not None


_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_ENHANCED_AFTER = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)")
"""qmail and what descends from it say the enhanced code last, in brackets."""

_NAMES = re.compile(
    r"<[^<>]*>|\S+@\S+|https?://\S+|\b(?:[\w-]+\.)+[a-z]{2,}\b|\"[^\"\s]+\"|(?<!\w)'[^'\s]+'(?!\w)", re.IGNORECASE
)
"""Addresses, hosts and words in quotes: what somebody is called says nothing about what has happened."""

_PERSON = re.compile(
    r"\b(unknown|no such|invalid|bad) (local |virtual )?(user|recipient|mailbox|account|address|alias|person)\b"
    r"|\b(user|recipient|mailbox|account)\W+(\w+ )?((is|has|was|been) )*"
    r"(unknown|not found|unavailable|disabled|inactive|blocked|suspended|locked|closed|deactivated|terminated)\b",
    re.IGNORECASE,
)
_US = re.compile(r"sender|\byour\b|verif|reverse|policy re", re.IGNORECASE)
_OURS = re.compile(
    r"sender|\b(spf|dkim|dmarc|ptr|helo|ehlo|rbl|dnsbl)\b|reverse|client host|your (ip|host|server)|authenticat"
    r"|reputation|spam|junk|unsolicited|\bblock|blacklist|is listed|listed (at|by|on)\b|denied|policy"
    r"|not verified|your account|relay(ing)? (not|access|prohibited|denied)|rcpthosts",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(user|recipient|mailbox|account|address|domain) unknown|unknown (user|recipient|mailbox|domain|address)"
    r"|no such|does ?n.t (exist|have an? )|does not exist|not found|no mailbox|unrouteable|not a valid|undeliverable"
    r"|not (a )?local|(invalid|bad) (recipient|mailbox|address|user)"
    r"|(mailbox|recipient|user|account) (is )?(unavailable|disabled|inactive)",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(
    r"throttl|\brate\b|too (many|fast|quickly|much)|(sending|daily|hourly|message) (message )?(limit|quota)"
    r"|gr[ea]y.?list|concurren|\bbusy\b|overload",
    re.IGNORECASE,
)
_FULL = re.compile(r"\bfull\b|quota|over ?limit|storage allocation", re.IGNORECASE)
_GREYLIST = re.compile(r"gr[ea]y.?list", re.IGNORECASE)

_BY_ENHANCED: Final = {
    "x.1.7": Fault.SENDER,  # the sender's address is bad
    "x.1.8": Fault.SENDER,
    "x.2.3": Fault.CONTENT,  # too big for the mailbox
    "x.3.x": Fault.RELAY,
    "x.3.4": Fault.CONTENT,  # too big for the system
    "x.4.x": Fault.RELAY,
    "5.4.4": Fault.RECIPIENT,  # the address leads nowhere
    "5.4.310": Fault.RECIPIENT,  # Exchange: its domain does not exist
    "5.4.312": Fault.RECIPIENT,
    "x.5.x": Fault.CONTENT,
    "4.5.3": Fault.RELAY,  # RFC 5321 §4.5.3.1.10: more than it takes at once
    "x.6.x": Fault.CONTENT,
    "x.6.7": Fault.RECIPIENT,  # RFC 6531 §3.5: no way to an address outside ASCII
    "4.7.x": Fault.RELAY,
    "5.7.x": Fault.SENDER,
}
"""
Whose fault an enhanced code is, x standing for any number; subjects 1 and 2, which are not here, are the recipient's
(RFC 3463 §3.2, §3.3).
"""

_BY_CODE_AND_WORDS: Final = (
    ("x.1.0", _US, Fault.SENDER),
    ("x.2.x", _GREYLIST, Fault.RELAY),
    ("5.4.1", re.compile("recipient address rejected", re.IGNORECASE), Fault.RECIPIENT),  # Exchange: nobody's address
    ("5.7.1", re.compile(r"^[\d.\s]*no such user\W*$", re.IGNORECASE), Fault.RECIPIENT),  # Yandex: likewise
)
"""Codes that relays use for two things, told apart by the words."""


def one_line(words: str) -> str:
    """Bring what a relay or a library said into one printable line of bounded length, fit for every database."""
    if words.isprintable() and "  " not in words and words.strip() == words:
        return words[:LONGEST_REPLY]
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())[:LONGEST_REPLY]


def reply(code: int, text: str | bytes) -> Reply:
    """Read a reply: its enhanced code is the first thing in its text, or the last in the manner of qmail: (#5.1.1)."""
    words = one_line(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    match = _ENHANCED.match(words) or _ENHANCED_AFTER.search(words)
    return Reply(code=code, enhanced=match[1] if match else None, text=words)


def classify(phase: Phase, answer: Reply) -> Outcome:
    """
    Say what a reply means for the message and whose fault it is.

    Before RCPT nothing has been said about a recipient, so a refusal there is the relay's, whatever its code; the two
    that speak of the message at MAIL are its size (RFC 1870 §6.1) and an address outside ASCII (RFC 6531 §3.5). From
    RCPT on the enhanced code decides (RFC 3463 §3), and the basic code with the words of the text where there is none
    or it only says "other". A relay that asks for credentials takes nothing from us at all. A reply that is no answer
    to what was asked means that we have lost step with the relay.
    """
    kind = answer.code // 100
    if kind == 2 and phase is Phase.CONTENT and answer.code not in ELSEWHERE:
        return Outcome(verdict=Verdict.ACCEPTED, phase=phase, reply=answer)
    if kind not in {4, 5}:
        verdict = Verdict.UNCERTAIN if phase is Phase.CONTENT else Verdict.NOT_SENT
        return Outcome(verdict=verdict, phase=phase, fault=Fault.RELAY, reply=answer, closes=True)
    closes = answer.code == 421 or phase < Phase.RCPT  # RFC 5321 §3.8: with 421 the relay closes the channel
    if _is_about_the_relay(phase, answer):
        return Outcome(verdict=Verdict.NOT_SENT, phase=phase, fault=Fault.RELAY, reply=answer, closes=True)
    verdict = Verdict.REFUSED if kind == 5 else Verdict.DEFERRED
    return Outcome(verdict=verdict, phase=phase, fault=_fault(phase, answer), reply=answer, closes=closes)


def _is_about_the_relay(phase: Phase, answer: Reply) -> bool:
    """Whether nothing was said about this message, which waits until the relay has recovered."""
    if answer.code in CREDENTIALS:
        return True
    if phase < Phase.RCPT:
        oversize = answer.code == 552 and answer.enhanced != "5.2.2" and not _FULL.search(answer.text)
        return not (phase is Phase.MAIL and (oversize or answer.enhanced in {"5.3.4", "5.6.7"}))
    return answer.code == 421 and phase is not Phase.CONTENT


def _fault(phase: Phase, answer: Reply) -> Fault:
    is_final = answer.code // 100 == 5
    told = _NAMES.sub(" ", answer.text)
    if answer.enhanced and not _is_vague(answer.enhanced):
        return _fault_of_enhanced(answer.enhanced, told, is_final=is_final)
    if answer.code in OUR_MISTAKES:
        return Fault.CONTENT
    fault = _fault_of_words(told)
    if fault is Fault.SENDER and not is_final:
        return Fault.RELAY
    return fault or (_fault_of_code(phase, answer) if is_final else Fault.RELAY)


def _fault_of_words(told: str) -> Fault | None:
    """What the words say; where they say both, it is not the subscriber who pays."""
    if _PERSON.search(told) and not _US.search(told):
        return Fault.RECIPIENT
    if _OURS.search(told):
        return Fault.SENDER
    if _UNKNOWN.search(told):
        return Fault.RECIPIENT
    if _TOO_MUCH.search(told):
        return Fault.RELAY
    return Fault.RECIPIENT if _FULL.search(told) else None


def _fault_of_code(phase: Phase, answer: Reply) -> Fault:
    """What a refusal means that explains nothing."""
    # A recipient that was taken is not what a refusal of the content means; 552 is too much data (RFC 5321 §4.2.3).
    if phase is not Phase.RCPT or answer.code == 552 or (answer.enhanced or "").startswith("5.5."):
        return Fault.CONTENT
    return Fault.RECIPIENT


def _is_vague(code: str) -> bool:
    """Whether an enhanced code says no more than "other": x.0.0, x.3.0, x.5.0 (RFC 3463 §3.1, 3.4, 3.6)."""
    _status, subject, detail = code.split(".")
    return detail == "0" and subject in {"0", "3", "5"}


def _fault_of_enhanced(code: str, told: str, *, is_final: bool) -> Fault:
    """What an enhanced code says; its first digit is the basic code's, whatever some relays write there."""
    kind = "5" if is_final else "4"
    _status, subject, detail = code.split(".")
    keys = (f"{kind}.{subject}.{detail}", f"x.{subject}.{detail}", f"{kind}.{subject}.x", f"x.{subject}.x")
    for key, pattern, fault in _BY_CODE_AND_WORDS:
        if key in keys and pattern.search(told):
            return fault
    return next((_BY_ENHANCED[key] for key in keys if key in _BY_ENHANCED), Fault.RECIPIENT)
