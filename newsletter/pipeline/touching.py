"""
What a change of an entry means for the issues that have it.

Takes the entry and the names of the fields that changed; ends the approvals that contradict it, and yields which, and
which issues keep the bytes that were approved because they are scheduled or on their way.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly.facts import IssueState
from newsletter.assembly.standing import stands_of
from newsletter.pipeline.entries import back_to_draft

_UNSEEN: Final = frozenset({"tags", "priority", "published"})
"""Fields that no edition shows."""

_PINNED: Final = frozenset({IssueState.QUEUED, IssueState.SENDING, IssueState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Issues by their slugs: those whose approval ended, and those that go out as they were approved."""

    voided: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was changed of which entry, and when."""

    entry_id: int
    about: str
    fields: Collection[str]
    now: dt.datetime


def touch_issues(session: Session, change: Change) -> Touched:
    """End approvals that a change contradicts, with a line in the audit log for each."""
    if not set(change.fields) - _UNSEEN:
        return Touched()
    stands = stands_of(session, change.entry_id)
    voided = [stand for stand in stands if stand.state is IssueState.APPROVED]
    for stand in voided:
        back_to_draft(session, stand.id, now=change.now, reason=f"{change.about}: {', '.join(change.fields)}")
    return Touched(
        voided=tuple(stand.slug for stand in voided),
        pinned=tuple(stand.slug for stand in stands if stand.state in _PINNED),
    )
