"""
The history of entries, what is being written of them, and what their table is searched and sorted by.

Entries that are there get the digest of their source text and their words to search in, computed as the program of this
version does; their history begins with their next change.
"""

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ENTRY = sa.table(
    "entry",
    sa.column("id", sa.BigInteger),
    sa.column("key", sa.String),
    sa.column("source", sa.String),
    sa.column("document", sa.JSON),
    sa.column("source_digest", sa.String),
    sa.column("meant", sa.String),
)
TEXT = sa.table(
    "entry_text",
    sa.column("entry_id", sa.BigInteger),
    sa.column("language", sa.String),
    sa.column("title", sa.String),
    sa.column("body", sa.String),
    sa.column("links", sa.JSON),
)
WORDS = sa.table("entry_words", sa.column("entry_id", sa.BigInteger), sa.column("words", sa.Text))


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    moment = subscribers.columns.UTCDateTime(timezone=True)
    op.add_column("entry", sa.Column("source_digest", text(length=64), nullable=False, server_default=""))
    op.add_column("entry", sa.Column("meant", text(length=500), nullable=False, server_default=""))
    op.create_index(op.f("ix_entry_newsletter_id_published_id"), "entry", ["newsletter_id", "published", "id"])
    op.create_table(
        "entry_words",
        sa.Column("entry_id", number, autoincrement=False, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_entry_words_entry_id_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry_words")),
    )
    op.create_table(
        "entry_revision",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("entry_id", number, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("operator", text(length=80), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("sheet", sa.JSON(), nullable=False),
        sa.Column("source_digest", text(length=64), nullable=False),
        sa.CheckConstraint("act IN ('saved', 'restored', 'aside')", name=op.f("ck_entry_revision_act")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_entry_revision_entry_id_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_revision")),
    )
    op.create_index(op.f("ix_entry_revision_entry_id_number"), "entry_revision", ["entry_id", "number"])
    op.create_table(
        "entry_draft",
        sa.Column("entry_id", number, autoincrement=False, nullable=False),
        sa.Column("operator", text(length=80), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("saved", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_entry_draft_entry_id_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", "operator", name=op.f("pk_entry_draft")),
    )
    _fill(op.get_bind())


def downgrade() -> None:
    op.drop_table("entry_draft")
    op.drop_table("entry_revision")
    op.drop_table("entry_words")
    op.drop_index(op.f("ix_entry_newsletter_id_published_id"), table_name="entry")
    op.drop_column("entry", "meant")
    op.drop_column("entry", "source_digest")


def _fill(connection: sa.Connection) -> None:
    texts: dict[int, list[Any]] = defaultdict(list)
    for text in connection.execute(sa.select(TEXT)):
        texts[text.entry_id].append(text)
    for entry in connection.execute(sa.select(ENTRY)).all():
        own = texts[entry.id]
        meant = " ".join(entry.document.get("languages") or ())
        digest = next((_digest(text) for text in own if text.language == entry.source), "")
        values = {"source_digest": digest, "meant": f" {meant} " if meant else ""}
        connection.execute(sa.update(ENTRY).where(ENTRY.c.id == entry.id).values(**values))
        connection.execute(sa.insert(WORDS).values(entry_id=entry.id, words="\n".join(_words(entry, own))))


def _digest(text: Any) -> str:
    links = [{"action": link.get("action"), "label": link.get("label"), "url": link["url"]} for link in text.links]
    said = {"title": text.title, "body": text.body, "links": links}
    packed = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(packed.encode()).hexdigest()


def _words(entry: Any, texts: list[Any]) -> Iterator[str]:
    parts = (entry.key, entry.document.get("topic") or "", *(entry.document.get("tags") or ()))
    for part in (*parts, *(words for text in texts for words in (text.title, text.body))):
        spelled = unicodedata.normalize("NFKD", part)
        yield "".join(sign for sign in spelled if not unicodedata.combining(sign)).casefold()
