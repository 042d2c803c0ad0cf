"""
Bounces that are reports: delivery status notifications (RFC 3464, and RFC 6533 for addresses outside ASCII).

Takes an opened message, yields what it says of each recipient. Only `Action: failed` is a bounce; `delayed` is news,
and `delivered`, `relayed` and `expanded` are none. Servers leave out what they must say, repeat what they may say once,
and call things by names of their own: what cannot be read counts as not said. Pure.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from newsletter.feedback.causes import Judgement, answer_in, judge
from newsletter.feedback.event import Kind
from newsletter.feedback.opened import Fields, Opened, blocks_in

PARTS: Final = ("message/delivery-status", "message/global-delivery-status")


class Action(StrEnum):
    """What became of the message for one recipient (RFC 3464 §2.3.3)."""

    #: It was given up.
    FAILED = "failed"
    #: It was not delivered yet.
    DELAYED = "delayed"
    #: It was delivered.
    DELIVERED = "delivered"
    #: It was handed on to somebody who does not report.
    RELAYED = "relayed"
    #: It was handed on to several addresses.
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """
    What came back for one recipient.

    `judgement` is None where nothing is wrong; `addresses` are those that it was for, in small letters, none where the
    report does not say.
    """

    judgement: Judgement | None
    delayed: bool = False
    status: str = ""
    text: str = ""
    addresses: frozenset[str] = frozenset()

    @property
    def kind(self) -> Kind | None:
        """What happened, None where nothing did that matters."""
        if self.judgement is None:
            return Kind.DELAYED if self.delayed else None
        return self.judgement.kind


def returned_by(message: Opened) -> list[Returned]:
    """What a delivery status notification says of each recipient; nothing where the message is none."""
    blocks = [block for text in message.texts(*PARTS) for block in blocks_in(text)]
    return [said for block in blocks if (said := _returned(block)) is not None]


def _returned(block: Fields) -> Returned | None:
    action = _action(block)
    if action is None:  # the block of the message, or nothing that we know
        return None
    addresses = frozenset(filter(None, map(_address, block.all(*_RECIPIENTS))))
    status, text = _status(block), _diagnostic(block)
    if action is Action.DELAYED:
        return Returned(judgement=None, delayed=True, status=status, text=text, addresses=addresses)
    if action is not Action.FAILED:
        return Returned(judgement=None, status=status, text=text, addresses=addresses)
    answer = answer_in(text, status=status)
    judgement = judge(answer, status=status or None)
    return Returned(judgement=judgement, status=answer.enhanced or status, text=text, addresses=addresses)


_RECIPIENTS: Final = ("final-recipient", "original-recipient", "x-actual-recipient", "x-display-recipient")

_ACTION: Final = re.compile(r"\s*(failed|failure|delayed|delivered|relayed|expanded)\b", re.IGNORECASE)
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_TYPED: Final = re.compile(r"\s*[A-Za-z0-9-]{1,40}\s*;\s*(.*)", re.DOTALL)
_POINT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


def _action(block: Fields) -> Action | None:
    found = _ACTION.match(block.first("action"))
    if found:
        word = found[1].lower()
        return Action.FAILED if word == "failure" else Action(word)
    # Some leave the action out; a status that is final says it as well.
    return Action.FAILED if "final-recipient" in block.values and _status(block).startswith("5") else None


def _status(block: Fields) -> str:
    found = _STATUS.match(block.first("status"))
    return found[1] if found else ""


def _diagnostic(block: Fields) -> str:
    """What the server said, without the type before it; where it said nothing, what else the block explains."""
    said = (_untyped(value) for value in block.all("diagnostic-code", "x-diagnostic-code", "x-supplementary-info"))
    return next(filter(None, said), "")


def _untyped(value: str) -> str:
    found = _TYPED.match(value)
    return (found[1] if found else value).strip()


def _address(value: str) -> str:
    """An address as it is compared: without its type, its quoting (RFC 6533 §3) and its brackets."""
    bare = _POINT.sub(_letter, _untyped(value)).strip().strip("<>").lower()
    return bare if "@" in bare else ""


def _letter(found: re.Match[str]) -> str:
    point = int(found[1], 16)
    return chr(point) if point < 0x110000 and not 0xD800 <= point < 0xE000 else found[0]  # noqa: PLR2004  Unicode's end


def worst(returned: list[Returned]) -> Returned | None:
    """The one of several that says most: failed before delayed before all else, soft before hard."""
    order = {Kind.SOFT: 0, Kind.BLOCKED: 1, Kind.HARD: 2}
    ranked = sorted(returned, key=lambda one: order[one.judgement.kind] if one.judgement else 3 + (not one.delayed))
    return ranked[0] if ranked else None
