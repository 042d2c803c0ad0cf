"""Answers of the API that are given again, and webhooks that call programs."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    instant = subscribers.columns.UTCDateTime
    op.create_table(
        "api_reply",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("caller", text(length=64), nullable=False),
        sa.Column("key", text(length=255), nullable=False),
        sa.Column("fingerprint", text(length=64), nullable=False),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media_type", text(length=100), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_reply")),
        sa.UniqueConstraint("caller", "key", name=op.f("uq_api_reply_caller_key")),
    )
    op.create_index(op.f("ix_api_reply_created"), "api_reply", ["created"])
    op.create_table(
        "webhook",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("url", text(length=2000), nullable=False),
        sa.Column("secret", text(length=100), nullable=False),
        sa.Column("events", text(length=300), nullable=False),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.Column("consent_seen", number, autoincrement=False, nullable=False),
        sa.Column("runs_seen", instant(timezone=True), nullable=False),
        sa.Column("failing_since", instant(timezone=True), nullable=True),
        sa.Column("disabled", instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "webhook_call",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("uid", text(length=40), nullable=False),
        sa.Column("webhook_id", number, autoincrement=False, nullable=False),
        sa.Column("event", text(length=40), nullable=False),
        sa.Column("matter", text(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", instant(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("ended", instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_call_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_call")),
        sa.UniqueConstraint("webhook_id", "event", "matter", name=op.f("uq_webhook_call_webhook_id_event_matter")),
    )
    op.create_index(op.f("ix_webhook_call_due"), "webhook_call", ["due"])


def downgrade() -> None:
    op.drop_table("webhook_call")
    op.drop_table("webhook")
    op.drop_table("api_reply")
