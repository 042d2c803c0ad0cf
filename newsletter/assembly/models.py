"""
Tables of assembly: issues, their items and verdicts, what can be undone, and the ledger of published entries.

Takes values that Pydantic has checked (a table checks none itself); yields rows; promises that a slug is unique in its
newsletter and that an entry is recorded once for an issue.
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field

from newsletter.assembly.facts import IssueState, Placement
from newsletter.assembly.selection import Verdict
from newsletter.database import keeps_author
from subscribers.columns import Base, enum_column, identity, instant, reference


def _document(*, nullable: bool = False) -> Any:
    # Plain JSON on PostgreSQL as well, for JSONB forgets the order of keys: see `content.models`.
    column: Column[Any] = Column(JSON(none_as_null=True), nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


class IssueRow(Base, table=True):
    """
    An issue: its plan, and what it was assembled with.

    `plan` is an `IssuePlan`; `settings` a snapshot of the `Newsletter` with the issue's own overrides applied, and
    `topics` one of its topics, both None until the issue is assembled. `revision` counts the changes to any of these
    and to the items; `author` made the last of them, at `written`.
    """

    __tablename__ = "issue"
    __table_args__ = (UniqueConstraint("newsletter_id", "slug"),)

    id: int | None = identity()
    newsletter_id: int = reference("newsletter.id")
    slug: str = Field(max_length=80)
    number: int | None = None
    date: dt.date = Field(index=True)
    period_from: dt.date
    period_to: dt.date
    state: IssueState = enum_column(IssueState, "state", default=IssueState.DRAFT)
    plan: dict[str, Any] = _document()
    settings: dict[str, Any] | None = _document(nullable=True)
    topics: list[Any] | None = _document(nullable=True)
    assembled: dt.datetime | None = instant(nullable=True)
    created: dt.datetime = instant()
    changed: dt.datetime = instant()
    revision: int = 1
    author: str = Field(default="", max_length=80, sa_column_kwargs={"server_default": ""})
    written: dt.datetime | None = instant(nullable=True)


keeps_author(IssueRow)


class ItemRow(Base, table=True):
    """An entry in its place in an issue; `position` counts from 0 through the whole issue."""

    __tablename__ = "item"

    issue_id: int = reference("issue.id", primary_key=True)
    position: int = Field(primary_key=True)
    # An entry that an issue names is withdrawn, never deleted: the issue can be made again.
    entry_id: int = reference("entry.id", ondelete="RESTRICT", index=True)
    entry_key: str = Field(max_length=80)
    section: str = Field(max_length=80)
    segment: str | None = Field(default=None, max_length=80)
    placement: Placement = enum_column(Placement, "placement")


class ArrangementRow(Base, table=True):
    """
    How an issue stood before the last change of its items by hand.

    `document` holds its plan, settings and items of before (see `overview.Before`); `stamp` tells the items that the
    change led to (see `arranging.stamp_of`): while they stand, it can be undone.
    """

    __tablename__ = "arrangement"

    issue_id: int = reference("issue.id", primary_key=True)
    stamp: str = Field(max_length=64)
    document: dict[str, Any] = _document()
    operator: str = Field(max_length=80)
    at: dt.datetime = instant()


class VerdictRow(Base, table=True):
    """What became of an entry when the issue was assembled, in words."""

    __tablename__ = "verdict"

    issue_id: int = reference("issue.id", primary_key=True)
    position: int = Field(primary_key=True)
    entry_key: str = Field(max_length=80)
    title: str = Field(max_length=500)
    code: Verdict = enum_column(Verdict, "code")
    words: str = Field(max_length=1000)
    section: str = Field(max_length=80)


class PublishedRow(Base, table=True):
    """That an entry stood as a block in an issue whose first run has started: the ledger of published entries."""

    __tablename__ = "published"
    __table_args__ = (UniqueConstraint("newsletter_id", "entry_id", "issue_id"),)

    id: int | None = identity()
    newsletter_id: int = reference("newsletter.id")
    entry_id: int = reference("entry.id", ondelete="RESTRICT")
    issue_id: int = reference("issue.id", index=True)
    at: dt.datetime = instant()
