"""
A bounce in a provider's word, looked at again with our own table.

Takes what the provider's word means and what the recipient's server said; yields what we take it for. A provider calls
permanent whatever was refused with 5xx, its own reputation included; that never counts against a subscriber here. Pure.
"""

from typing import Final

from newsletter.feedback.causes import Judgement, judge_text
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers.report import Meaning

_UNCLEAR: Final = Judgement(Kind.SOFT, Cause.OTHER)
"""What the table says of words that it does not understand."""

_READ: Final = 2_000
"""Characters of an explanation that are judged: whoever refuses mail writes it, at any length."""

_OPEN: Final = frozenset({Cause.UNKNOWN, Cause.OTHER})
"""Causes that a provider gives for want of a better one."""


def came_back(meaning: Meaning, *, code: str = "", status: str = "", words: str = "") -> Meaning:
    """
    Judge a bounce by the server's code, enhanced code and words, as far as there are any.

    What is temporary to the provider never becomes permanent; what is permanent to it remains so only where the server
    speaks of an address that does not exist, or says nothing that can be understood.
    """
    if meaning.cause not in _OPEN or not (status or words):
        return meaning
    judged = judge_text(f"{code} {words[:_READ]}".strip(), status=status or None)
    if judged == _UNCLEAR or (judged.kind is Kind.HARD and meaning.kind is not Kind.HARD):
        return meaning
    return Meaning(kind=judged.kind, cause=judged.cause)
