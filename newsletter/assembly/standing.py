"""
In which issues an entry stands. Takes a session, never commits.

An entry that an issue has, or that a plan names, keeps its key and is not deleted: the issue can be made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Text, cast, select
from sqlmodel import Session, col

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow, ItemRow, PublishedRow

_MOST: Final = 200
"""Issues that one entry is looked for in: a repeated note of a weekly, over four years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """An issue that has an entry."""

    id: int
    slug: str
    number: int | None
    state: IssueState


def stands_of(session: Session, entry_id: int) -> Sequence[Stand]:
    """The issues that have an entry, as a block or as lines, latest first."""
    own = select(col(ItemRow.issue_id)).where(col(ItemRow.entry_id) == entry_id)
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc())
    columns = (IssueRow.id, IssueRow.slug, IssueRow.number, IssueRow.state)
    query = select(*map(col, columns)).where(col(IssueRow.id).in_(own)).order_by(*latest).limit(_MOST)
    return [
        Stand(id=issue_id, slug=slug, number=number, state=state)
        for issue_id, slug, number, state in session.execute(query)
    ]


def names(session: Session, newsletter_id: int, *, entry_id: int, key: str) -> Sequence[str]:
    """The slugs of the issues that have an entry, published it or name it in their plan, in order."""
    held = {stand.slug for stand in stands_of(session, entry_id)}
    ledger = select(col(PublishedRow.issue_id)).where(col(PublishedRow.entry_id) == entry_id)
    held.update(session.scalars(select(col(IssueRow.slug)).where(col(IssueRow.id).in_(ledger))))
    # No database searches inside a plan alike, but either finds those that have the key anywhere in their words.
    said = cast(col(IssueRow.plan), Text).contains(f'"{key}"', autoescape=True)
    own = select(col(IssueRow.slug), col(IssueRow.plan)).where(col(IssueRow.newsletter_id) == newsletter_id, said)
    for slug, plan in session.execute(own):
        items = plan.get("items")
        if isinstance(items, list) and any(item.get("key") == key for item in items):
            held.add(slug)
    return sorted(held)
