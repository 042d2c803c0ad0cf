"""
Complaints: abuse reports (RFC 5965), and the mail of providers that forward what was reported as spam.

Takes an opened message, yields what a reader did: reported it, wants out, or took it back. Providers take the address
out of what they send, so that the person is known by the names of the delivery alone. Pure.
"""

import re
from collections.abc import Iterator
from typing import Final

from newsletter.feedback.event import Kind
from newsletter.feedback.opened import Fields, Opened, blocks_in

PART: Final = "message/feedback-report"

_KINDS: Final = {
    "abuse": Kind.COMPLAINT,
    "fraud": Kind.COMPLAINT,
    "virus": Kind.COMPLAINT,
    "miscategorized": Kind.COMPLAINT,
    "other": Kind.COMPLAINT,
    "complaint": Kind.COMPLAINT,
    "opt-out": Kind.COMPLAINT,
    "opt-out-list": Kind.COMPLAINT,
    "not-spam": Kind.NOT_SPAM,
}
"""By `Feedback-Type` (RFC 5965 §3.1, §7.3; RFC 6430 for not-spam). Whoever opts out like that wants no mail at all."""

_FORWARDING: Final = re.compile(r"\bstaff@(hotmail|live|outlook|msn)\.com\b", re.IGNORECASE)
"""The junk mail reporting of Outlook.com sends what was reported as an attachment, without a report."""


def complaint_in(message: Opened) -> Kind | None:
    """What a reader did, as a provider reports it; None where the message is no such report."""
    for block in _blocks(message):
        kind = block.first("feedback-type").strip().lower()
        if kind in _KINDS:
            return _KINDS[kind]
        if kind == "auth-failure" or kind.startswith("dmarc"):  # RFC 6591: about a signature, not about a reader
            return None
    forwarded = _FORWARDING.search(message.fields.first("from")) and message.returned
    return Kind.COMPLAINT if forwarded else None


def is_feedback(message: Opened) -> bool:
    """Whether a message is a feedback report, of whatever type."""
    return any(message.texts(PART))


def named_in(message: Opened) -> Iterator[str]:
    """The values of a report that may name the delivery."""
    for block in _blocks(message):
        yield from block.all("original-mail-from", "original-envelope-id", "cfbl-feedback-id", "message-id")


def _blocks(message: Opened) -> Iterator[Fields]:
    for text in message.texts(PART):
        yield from blocks_in(text)[:2]
