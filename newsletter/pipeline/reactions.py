"""
What came back about a person, and what they agreed to: told in a dossier, forgotten with them or when its term is over.

Takes a session, never commits. What came back stands in two tables: events (bounces, complaints, farewells), and who
clicked or opened which mailing first when.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.feedback.clicks.store import count_engagement, drop_engagement, engagement_of
from newsletter.feedback.models import EventRow
from subscribers.models import ConsentEntry
from subscribers.store import wordings

Reaction = dict[str, Any]
"""What came back once: `at`, `kind` and `mailing`; of an event also `source`, `status` and `text`."""

_TOLD = ("at", "kind", "source", "mailing", "status", "text")


def reactions_of(
    session: Session, *, digests: Collection[str], delivery_ids: Collection[int], subscriber_id: int | None
) -> list[Reaction]:
    """Return what came back about somebody, by their deliveries, their addresses and themselves; oldest first."""
    events = session.scalars(select(EventRow).where(_about(digests, delivery_ids)))
    found: list[Reaction] = [{name: getattr(event, name) for name in _TOLD} for event in events]
    if subscriber_id is not None:
        found += [
            {"at": each.first, "kind": each.kind, "mailing": each.mailing}
            for each in engagement_of(session, subscriber_id)
        ]
    return sorted(found, key=lambda each: each["at"])


def words_agreed_to(session: Session, lines: Iterable[ConsentEntry]) -> dict[str, str]:
    """Return the words that lines of the consent log agreed to, by version, where they are kept."""
    found = wordings(session, {line.wording_version for line in lines})
    return {version: wording.text for version, wording in found.items()}


def forget_reactions(session: Session, *, digests: Collection[str], delivery_ids: Collection[int]) -> None:
    """Take the words out of what came back about somebody: a bounce may quote an address or a name."""
    changed_rows(session, update(EventRow).where(_about(digests, delivery_ids)).values(text=""))


def drop_reactions(session: Session, before: dt.datetime, limit: int) -> int:
    """Delete up to `limit` rows of each kind from before an instant; returns how many."""
    old = select(col(EventRow.id)).where(col(EventRow.received) < before).limit(limit)
    dropped = changed_rows(session, delete(EventRow).where(col(EventRow.id).in_(old)))
    return dropped + drop_engagement(session, before, limit)


def count_reactions(session: Session, before: dt.datetime) -> int:
    """How many rows `drop_reactions` would delete in all."""
    events = select(func.count()).select_from(EventRow).where(col(EventRow.received) < before)
    return (session.scalar(events) or 0) + count_engagement(session, before)


def _about(digests: Collection[str], delivery_ids: Collection[int]) -> ColumnElement[bool]:
    return or_(col(EventRow.digest).in_(digests), col(EventRow.delivery_id).in_(delivery_ids))
