"""
Reading what came by mail: whatever it is, it becomes one `Report`.

Takes a message as octets and the addresses that it was delivered to, yields what it says and which deliveries it names.
Promises to change nothing and to believe nothing: whether a name is genuine is for those to say who hold the key and
the delivery. Pure.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from newsletter.dispatch.names import BOUNCE, LEAVE, Name, read_name
from newsletter.feedback import bounces, complaints, prose, reactions
from newsletter.feedback.bounces import Returned
from newsletter.feedback.causes import Judgement
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.opened import Closed, Fields, Opened, open_message

MOST_NAMES: Final = 20
"""Names that are looked up at most: a message of ours has one."""

_ENVELOPE: Final = (
    "x-original-to",
    "delivered-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "x-rcpt-to",
    "x-forwarded-to",
    "apparently-to",
    "to",
    "cc",
    "resent-to",
)
"""Fields in which servers keep the address that a message was delivered to; what they say is proven by its code."""

_HEX: Final = r"([1-9a-f][0-9a-f]{0,15}-[0-9a-f]{20})"
_NAMED: Final = re.compile(rf"(?<![\w.+-]){_HEX}@", re.IGNORECASE)
_ADDRESSED: Final = re.compile(rf"(?<![\w.+-])({BOUNCE}|{LEAVE})\+{_HEX}@", re.IGNORECASE)
_FOR: Final = re.compile(r"\bfor <([^<>\s]{1,200})>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What a message from outside says.

    Attributes:
        kind: what happened; None where nothing did, or where it is not understood.
        is_read: whether it was understood: a note that a message was handed on is, though nothing follows from it.
        names: deliveries that it names, the most certain first.
        returned: what came back, by recipient, for those kinds that come back.
        why: for people, why it is not understood.
    """

    kind: Kind | None = None
    is_read: bool = True
    names: tuple[Name, ...] = ()
    returned: tuple[Returned, ...] = ()
    why: str = ""

    def about(self, is_ours: Callable[[str], bool]) -> Returned | None:
        """
        What it says of our recipient; `is_ours` says of an address whether it is the one that we wrote to.

        Of another one it says that ours leads on to it: what is wrong there is never more than a trouble on the way.
        """
        ours = [one for one in self.returned if not one.addresses or any(map(is_ours, one.addresses))]
        if ours:
            return bounces.worst(ours)
        theirs = bounces.worst(list(self.returned))
        if theirs is None or theirs.judgement is None or theirs.judgement.kind is Kind.BLOCKED:
            return theirs
        forwarded = Judgement(Kind.SOFT, Cause.FORWARDED)
        return Returned(judgement=forwarded, status=theirs.status, text=theirs.text, addresses=theirs.addresses)


def read(octets: bytes, *, recipients: Iterable[str] = ()) -> Report:
    """Read a message; `recipients` are the addresses of its envelope, where they are known."""
    message = open_message(octets)
    if isinstance(message, Closed):
        return Report(is_read=False, why=message.value)
    addressed = list(_addressed(message, recipients))
    names = _distinct((*(name for _, name in addressed), *_named(message)))
    if complaints.is_feedback(message) or complaints.complaint_in(message):
        return Report(kind=complaints.complaint_in(message), names=names)
    returned = bounces.returned_by(message)
    if returned:
        return _bounce(returned, names)
    return _letter(message, names, leaving=[name for word, name in addressed if word == LEAVE])


def _letter(message: Opened, names: tuple[Name, ...], *, leaving: list[Name]) -> Report:
    """What is no report: an answer of a program comes first, for it may speak of anything."""
    from_daemon, looks_returned = reactions.is_from_daemon(message.fields), reactions.looks_returned(message.fields)
    # Nobody asks the address for farewells whether we are human, but somebody may write there in words like these.
    answers = reactions.is_answer(message) or (not leaving and reactions.is_challenge(message))
    if answers and not (from_daemon and looks_returned):
        return Report(kind=Kind.AUTO_REPLY, names=names)
    if from_daemon or looks_returned:
        letter = prose.returned_in(message)
        return _bounce([letter], names) if letter else Report(is_read=False, names=names, why="a bounce without reason")
    if leaving:
        return Report(kind=Kind.UNSUBSCRIBE, names=_distinct(leaving))
    return Report(is_read=False, names=names, why="neither a bounce nor anything else that programs write")


def _bounce(returned: list[Returned], names: tuple[Name, ...]) -> Report:
    """What has come back is told by recipient; until ours is known the worst of them stands for all."""
    worst = bounces.worst(returned)
    return Report(kind=worst.kind if worst else None, names=names, returned=tuple(returned))


def _addressed(message: Opened, recipients: Iterable[str]) -> Iterator[tuple[str, Name]]:
    """Names in the addresses that the message was delivered to, with what they are for."""
    fields = message.fields
    passed = (found[1] for value in fields.all("received") for found in _FOR.finditer(value))
    texts = (*recipients, *fields.all(*_ENVELOPE), *passed)
    pairs = ((found[1].lower(), read_name(found[2])) for text in texts for found in _ADDRESSED.finditer(text))
    return ((word, name) for word, name in pairs if name)


def _named(message: Opened) -> Iterator[Name]:
    """Names within: in what was returned, and in the fields that refer to it."""
    texts, patterns = tuple(_mentions(message)), ((_ADDRESSED, 2), (_NAMED, 1))
    found = (read_name(one[at]) for text in texts for pattern, at in patterns for one in pattern.finditer(text))
    return filter(None, found)


def _mentions(message: Opened) -> Iterator[str]:
    yield from complaints.named_in(message)
    for head in (*message.returned, *prose.quoted_heads(message)):
        yield from _identifying(head)
    yield from message.fields.all("in-reply-to", "references", "original-message-id", "x-original-message-id")


def _identifying(head: Fields) -> Iterator[str]:
    return head.all("return-path", "x-envelope-from", "message-id", "x-original-message-id", "list-unsubscribe")


def _distinct(names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(names))[:MOST_NAMES]
