"""
Tables of compilation: artifacts by their digest, what an approval holds for its issue, and corrections after sending.

An approval holds the artifacts, the calendar file and the build record; a log says who gave it, and how it ended. A
correction changes none of them.

An artifact's row is written once and never changed: its name is the digest of its content.
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlmodel import Field

from subscribers.columns import Base, identity, instant, json_column, reference


class ArtifactRow(Base, table=True):
    """A compiled edition; `facts` is what `Artifact.facts` gives."""

    __tablename__ = "artifact"

    digest: str = Field(primary_key=True, max_length=64)
    language: str = Field(max_length=35)
    variant: str = Field(max_length=255)
    subject: str
    mjml: str
    html: str
    text: str
    skeleton: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    facts: dict[str, Any] = json_column()
    created: dt.datetime = instant()


class PinRow(Base, table=True):
    """The artifact that an issue's approval holds for a language and variant."""

    __tablename__ = "pin"

    issue_id: int = reference("issue.id", primary_key=True)
    language: str = Field(primary_key=True, max_length=35)
    variant: str = Field(primary_key=True, max_length=255)
    digest: str = Field(
        sa_column=Column(String(64), ForeignKey("artifact.digest", ondelete="RESTRICT"), nullable=False, index=True)
    )


class BuildRow(Base, table=True):
    """The calendar file and the build record that an issue's approval holds."""

    __tablename__ = "build"

    issue_id: int = reference("issue.id", primary_key=True)
    calendar: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    manifest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ApprovalRow(Base, table=True):
    """That an issue was approved, or that an approval `ended`, by whose doing and why; lines are only ever added."""

    __tablename__ = "approval_entry"

    id: int | None = identity()
    issue_id: int = reference("issue.id", index=True)
    at: dt.datetime = instant()
    operator: str = Field(max_length=80)
    ended: bool
    reason: str = Field(default="", max_length=1000)


class CorrectionRow(Base, table=True):
    """
    That the pages of an issue were corrected after it was sent: when, by whom, why.

    `reasons` is the officer's words by language, in the order in which they were given.
    """

    __tablename__ = "correction"
    __table_args__ = (UniqueConstraint("issue_id", "number"),)

    id: int | None = identity()
    issue_id: int = reference("issue.id")
    number: int
    # Plain JSON on PostgreSQL as well, for JSONB forgets the order of keys.
    reasons: dict[str, str] = Field(sa_column=Column(JSON(none_as_null=True), nullable=False))
    operator: str = Field(max_length=80)
    at: dt.datetime = instant()


class CorrectedRow(Base, table=True):
    """The artifact that a page shows since a correction, and the titles of the entries that it says anew."""

    __tablename__ = "corrected"

    correction_id: int = reference("correction.id", primary_key=True)
    language: str = Field(primary_key=True, max_length=35)
    digest: str = Field(
        sa_column=Column(String(64), ForeignKey("artifact.digest", ondelete="RESTRICT"), nullable=False, index=True)
    )
    changed: list[str] = Field(sa_column=Column(JSON(none_as_null=True), nullable=False))
