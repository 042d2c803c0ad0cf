"""
Tables of content: newsletters, topics, entries with their texts, sittings, history and drafts, pictures.

Takes values that Pydantic has checked (a table checks none itself); yields rows; promises that a key is unique in its
newsletter and that a document comes back with its keys in the order in which they were stored.
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from newsletter.content.entry import Kind, Status
from newsletter.content.sheet import Act
from newsletter.database import keeps_author
from subscribers.columns import Base, enum_column, identity, instant, reference


def _document() -> Any:
    # Plain JSON on PostgreSQL as well: JSONB forgets the order of keys, and a text in none of the wanted languages is
    # shown in the first language it has. Nothing searches inside these documents.
    return Field(sa_column=Column(JSON(), nullable=False))


class NewsletterRow(Base, table=True):
    """A newsletter with its settings."""

    __tablename__ = "newsletter"

    id: int | None = identity()
    slug: str = Field(max_length=80, unique=True)
    settings: dict[str, Any] = _document()
    created: dt.datetime = instant()
    changed: dt.datetime = instant()


class TopicRow(Base, table=True):
    """A topic of a newsletter."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("newsletter_id", "key"),)

    id: int | None = identity()
    newsletter_id: int = reference("newsletter.id")
    key: str = Field(max_length=80)
    position: int
    document: dict[str, Any] = _document()


class EntryRow(Base, table=True):
    """
    What an entry says in every language.

    `document` holds tags, topic, languages, repeat, image and place; `last_day` is the last day of its last sitting, by
    which an issue finds what is not over; `revision` counts the changes; `author` made the last of
    them, at `written`.
    `source_digest` is that of the present source text, by which a translation is known to be stale; `meant` repeats
    `languages` between blanks, for queries.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("newsletter_id", "key"),
        Index("ix_entry_newsletter_id_published_id", "newsletter_id", "published", "id"),
    )

    id: int | None = identity()
    newsletter_id: int = reference("newsletter.id")
    key: str = Field(max_length=80)
    kind: Kind = enum_column(Kind, "kind")
    section: str = Field(max_length=80)
    status: Status = enum_column(Status, "status", default=Status.PUBLISHED)
    published: dt.date = Field(index=True)
    priority: int = 0
    source: str = Field(max_length=35)
    document: dict[str, Any] = _document()
    last_day: dt.date | None = Field(default=None, index=True)
    created: dt.datetime = instant()
    changed: dt.datetime = instant()
    revision: int = 0
    author: str = Field(default="", max_length=80, sa_column_kwargs={"server_default": ""})
    written: dt.datetime | None = instant(nullable=True)
    source_digest: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    meant: str = Field(default="", max_length=500, sa_column_kwargs={"server_default": ""})


keeps_author(EntryRow)


class EntryWords(Base, table=True):
    """What an entry is found by: key, topic, tags and texts, one a line, in small letters without accents."""

    __tablename__ = "entry_words"

    entry_id: int = reference("entry.id", primary_key=True)
    words: str = Field(sa_column=Column(Text(), nullable=False))


class RevisionRow(Base, table=True):
    """
    An entry as somebody left it, or the words that somebody did not get in.

    `number` is the entry's `revision` (for words set aside: the one they were written on), `sheet` all its fields (see
    `content.sheet`), `fields` the names of those that differ from the revision before. `source_digest` is that of the
    source text then, by which the text that a translation was made from is found.
    """

    __tablename__ = "entry_revision"
    __table_args__ = (Index("ix_entry_revision_entry_id_number", "entry_id", "number"),)

    id: int | None = identity()
    entry_id: int = reference("entry.id")
    number: int
    act: Act = enum_column(Act, "act")
    at: dt.datetime = instant()
    operator: str = Field(default="", max_length=80)
    fields: list[Any] = _document()
    sheet: dict[str, Any] = _document()
    source_digest: str = Field(default="", max_length=64)


class DraftRow(Base, table=True):
    """
    What an operator is writing of an entry and has not saved; `base` is the revision that they began with.

    `form` holds the fields of the form as they were sent, for what cannot be read yet.
    """

    __tablename__ = "entry_draft"

    entry_id: int = reference("entry.id", primary_key=True)
    operator: str = Field(primary_key=True, max_length=80)
    base: int
    sheet: dict[str, Any] = _document()
    form: dict[str, Any] = _document()
    saved: dt.datetime = instant()


class EntryText(Base, table=True):
    """What an entry says in one language; `source_digest` names the source text that a translation was made from."""

    __tablename__ = "entry_text"

    entry_id: int = reference("entry.id", primary_key=True)
    language: str = Field(primary_key=True, max_length=35)
    title: str = Field(max_length=500)
    body: str
    links: list[Any] = _document()
    source_digest: str | None = Field(default=None, max_length=64)
    changed: dt.datetime = instant()


class SittingRow(Base, table=True):
    """
    One sitting of an entry.

    `sequence` is that of its calendar entry (RFC 5545 §3.8.7.4): one more whenever `fingerprint` changes.
    """

    __tablename__ = "sitting"
    __table_args__ = (UniqueConstraint("entry_id", "key"),)

    id: int | None = identity()
    entry_id: int = reference("entry.id")
    key: str = Field(max_length=80)
    position: int
    document: dict[str, Any] = _document()
    sequence: int = 0
    fingerprint: str = Field(max_length=64)


class PictureRow(Base, table=True):
    """A picture, named by the digest of its bytes."""

    __tablename__ = "picture"
    __table_args__ = (CheckConstraint("width > 0 AND height > 0", name="size"),)

    name: str = Field(primary_key=True, max_length=40)
    media_type: str = Field(max_length=40)
    width: int
    height: int
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
