"""
What is known of an issue: its plan, its newsletter's settings as they hold for it, its items and their entries.

Takes nothing; yields the frozen values that `selection` makes, `store` keeps and `composition` reads. Touches no
database.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.content.entry import Entry, StoredEntry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Topic
from subscribers.language import parents


class IssueState(StrEnum):
    """Where an issue stands."""

    #: Being made: items, texts and settings may change.
    DRAFT = "draft"
    #: Its editions were looked at and their digests pinned.
    APPROVED = "approved"
    #: A run waits for its time.
    QUEUED = "queued"
    #: A run's deliveries go out.
    SENDING = "sending"
    #: Every delivery of its runs has ended.
    SENT = "sent"
    #: Its run was stopped by an officer and may go on.
    PAUSED = "paused"
    #: Its run was stopped for good.
    CANCELLED = "cancelled"


class Placement(StrEnum):
    """How an entry stands in an issue."""

    #: With title, text and links.
    BLOCK = "block"
    #: With one line for each day on which it has sittings.
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRef:
    """An issue by name, for words such as "already in issue 2026-11 (no. 41)"."""

    slug: str
    number: int | None
    date: dt.date

    def __str__(self) -> str:
        return f"issue {self.slug}" if self.number is None else f"issue {self.slug} (no. {self.number})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedItem:
    """An entry in its place: `position` counts from 0 through the whole issue; `segment` limits who sees it."""

    key: str
    section: str
    position: int
    segment: str | None
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFacts:
    """
    An issue with everything its editions are made of.

    `settings` is the snapshot the issue was assembled with, its own overrides applied. `entries` holds every entry that
    an item names, by key; `pictures` the width and height in pixels of their stored pictures, by name.
    """

    id: int
    newsletter_id: int
    state: IssueState
    revision: int
    plan: IssuePlan
    settings: Newsletter
    topics: tuple[Topic, ...]
    items: tuple[PlacedItem, ...]
    entries: Mapping[str, StoredEntry]
    pictures: Mapping[str, tuple[int, int]]


def stands_in(entry: Entry, language: str) -> bool:
    """Whether the entry may stand in editions of `language`: one that is for `fr` only may stand in `fr-BE` too."""
    return not entry.languages or any(tag in entry.languages for tag in (language, *parents(language)))
