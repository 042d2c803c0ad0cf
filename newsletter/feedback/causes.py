"""
Why something came back, and what that means: one table for refusals at SMTP time and for bounces.

Takes a reply in the form of `dispatch.outcome.Reply`, with what a report adds to it, and yields kind and cause. Whose
fault it is is decided where the dispatcher decides it, by `outcome.classify`; here the recipient's faults are told
apart. Where words and codes disagree it is never the subscriber who pays: many servers write 5.1.1 on every refusal.
Pure.
"""

import re
from typing import Final, NamedTuple

from newsletter.dispatch.outcome import Fault, Phase, Reply, classify, reply
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.tongues import in_english


class Judgement(NamedTuple):
    """What a refusal means."""

    kind: Kind
    cause: Cause


_NO_MAILBOX: Final = frozenset({"x.1.1", "x.1.2", "x.1.3", "x.1.6", "x.1.10"})
"""The address is wrong or gone (RFC 3463 §3.2, RFC 7505 §4.1); permanent once is enough."""

_NOT_WELL: Final = frozenset({"x.2.0", "x.2.1", "x.4.4", "x.4.310", "x.4.312"})
"""A mailbox or a domain that is not there today: disabled, or not found in the DNS."""

_FULL_CODES: Final = frozenset({"x.2.2"})

_GONE_CODES: Final = frozenset({551, 553})
"""Not local, name not allowed (RFC 5321 §4.2.3)."""

_FULL: Final = re.compile(
    r"\bfull\b|quota|over ?limit|storage allocation|exceeded storage|out of storage",
    re.IGNORECASE,
)
_DISABLED: Final = re.compile(
    r"disabled|inactiv|suspend|\blocked\b|deactivated|not active|temporarily (closed|unavailable)|expired",
    re.IGNORECASE,
)
_GONE: Final = re.compile(
    r"(user|recipient|mailbox|account|address|alias|login|person|addressee)\b.{0,40}?\b(unknown|not (be )?(found"
    r"|known|exist|recogni[sz]ed)"
    r"|(does|did|do) ?(not|n.t) exist|no longer (exists?|valid|available|in use)|has been (deleted|removed"
    r"|terminated)"
    r"|(was|were) ?(not|n.t) found|could ?(not|n.t) be found|invalid|is not (a )?(valid|known))"
    r"|\b(unknown|no such|invalid|non-?existent|unrouteable|undeliverable|bad) (local |virtual |destination "
    r"|email |e-mail "
    r"|recipient |rcpt )?(user|recipient|mailbox|account|address|addressee|alias|person|part|domain|login)"
    r"|(does ?n.t|do(es)? not) have an? .{0,40}account|no (mailbox|account|user)\b.{0,30}(here|by that name|name)?"
    r"|not our customer|not (listed|found) in\b.{0,40}(directory|address book)|user_?unknown|recipnotfound"
    r"|recipientnotfound",
    re.IGNORECASE,
)
_US: Final = re.compile(
    r"\bspam|blacklist|blocklist|block list|\brbl\b|dnsbl|reputation|\bspf\b|\bdkim\b|\bdmarc\b|unsolicited|\bvirus\b"
    r"|sender (address )?(rejected|verif|denied|unknown)|your (ip|host|server|domain|message|email) (is|was"
    r"|has been)?"
    r" ?(blocked|listed|rejected)|listed (at|by|on|in)\b|greylist|graylist|rate limit|too many (messages"
    r"|connections)|relaying denied|:blocked\b",
    re.IGNORECASE,
)
_AT_END: Final = re.compile(
    r"end of data|in reply to (end of )?data|after (end of )?data|message content|content (rejected|refused)",
    re.IGNORECASE,
)
_OUR_ADDRESS: Final = re.compile(
    r"(sender|callback|callout|return path)\b.{0,20}\b(verif|unknown|invalid)|verif\w+ failed",
    re.IGNORECASE,
)
"""Said of the address that we sent from: whatever else the words say is about that one too."""

_ON_THE_WAY: Final = re.compile(
    r"(connection|conversation|operation|session|message|lookup) (has )?timed? ?out|connection (was )?(refused"
    r"|reset|dropped|lost)"
    r"|network (is )?unreachable|no route to host|name ?server (timeout|failure)|could ?n.t connect|unable to connect"
    r"|(host|server) (is )?(not responding|down|unreachable)|too many hops|hop count|mail loop|routing loop",
    re.IGNORECASE,
)
_NAMES: Final = re.compile(r"<[^<>\s]*>|[^\s<>@]+@[\w.-]+|https?://\S+")


def judge(answer: Reply, *, phase: Phase = Phase.RCPT, status: str | None = None) -> Judgement:
    """
    Say what a refusal means.

    `answer` is what the server said; `status` the enhanced code that a report adds on its own: many make it up from the
    basic code, so that it counts only where neither the server's own code nor its words say anything else.
    """
    told = in_english(answer.text)
    if _AT_END.search(told) and phase is Phase.RCPT:
        phase = Phase.CONTENT
    answer = Reply(code=answer.code, enhanced=answer.enhanced, text=told)
    outcome = classify(phase, answer)
    if status and not answer.enhanced and outcome.fault not in {Fault.SENDER, Fault.CONTENT}:
        answer = Reply(code=_basic(answer.code, status), enhanced=status, text=told)
        outcome = classify(phase, answer)
    if outcome.is_greylisting:
        return Judgement(Kind.SOFT, Cause.GREYLIST)
    if outcome.fault is Fault.RECIPIENT:
        return _of_recipient(answer, _NAMES.sub(" ", told))
    return _BY_FAULT[outcome.fault or Fault.RELAY]


def judge_text(text: str, *, status: str | None = None) -> Judgement:
    """Say what a refusal means that is told in a sentence: `550 5.1.1 no such user`, `user unknown`, or nothing."""
    answer = answer_in(text, status=status)
    return judge(answer, status=status)


def answer_in(text: str, *, status: str | None = None) -> Reply:
    """Find the reply in what a report quotes; without a code it is that of the status, 550 where there is none."""
    found = _ANSWER.search(text)
    if found is None:
        code = 450 if (status or "").startswith("4") else 550
        enhanced = _ENHANCED.search(text)
        return Reply(code=code, enhanced=enhanced[1] if enhanced else None, text=reply(code, text).text)
    return reply(int(found[1]), f"{found[2] or ''} {text[found.end() :]}".strip())


_ANSWER: Final = re.compile(r"(?<![\d.:/-])([45][0-5]\d)(?:[ -]+#?|#)(?:([245]\.\d{1,3}\.\d{1,3})[ :-]*)?(?![\d.:])")
_ENHANCED: Final = re.compile(r"(?<![\d.])#?([45]\.[0-7]\.\d{1,3})(?![\d.])")


_RELAY: Final = Judgement(Kind.SOFT, Cause.RELAY)
_BY_FAULT: Final = {
    Fault.SENDER: Judgement(Kind.BLOCKED, Cause.SENDER),
    Fault.CONTENT: Judgement(Kind.BLOCKED, Cause.CONTENT),
    Fault.RELAY: _RELAY,
}


def _of_recipient(answer: Reply, told: str) -> Judgement:
    """Tell the recipient's faults apart; only what is final and certain is hard."""
    code = answer.enhanced or ""
    key = f"x{code[1:]}"
    is_final = answer.code // 100 == 5  # noqa: PLR2004  RFC 5321 §4.2.1
    is_gone = _GONE.search(told) is not None
    is_known = key in _NO_MAILBOX or is_gone
    rules = (
        (_OUR_ADDRESS.search(told) is not None, Judgement(Kind.BLOCKED, Cause.SENDER)),
        (key in _FULL_CODES or (not is_gone and _FULL.search(told) is not None), Judgement(Kind.SOFT, Cause.FULL)),
        (not is_gone and _US.search(told) is not None, Judgement(Kind.BLOCKED, Cause.SENDER)),
        (not code and not is_gone and _ON_THE_WAY.search(told) is not None, _RELAY),
        (not is_final, Judgement(Kind.SOFT, Cause.OTHER)),
        (key in _NOT_WELL, Judgement(Kind.SOFT, Cause.DISABLED)),
        (not is_known and _DISABLED.search(told) is not None, Judgement(Kind.SOFT, Cause.DISABLED)),
        (is_known or answer.code in _GONE_CODES, Judgement(Kind.HARD, Cause.UNKNOWN)),
    )
    return next((judgement for applies, judgement in rules if applies), Judgement(Kind.SOFT, Cause.OTHER))


def _basic(code: int, status: str) -> int:
    """A basic code that agrees with the status: whether something is final is what the report says of itself."""
    return code if str(code)[0] == status[0] else int(f"{status[0]}50")
