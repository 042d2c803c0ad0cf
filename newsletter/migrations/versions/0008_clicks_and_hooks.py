"""Clicks and opened messages, and the webhooks that were heard."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "click_tally",
        sa.Column("artifact", sa.String(length=64), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("programs", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact"], ["artifact.digest"], name=op.f("fk_click_tally_artifact_artifact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("artifact", "link", name=op.f("pk_click_tally")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "engagement",
        sa.Column("mailing", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("clicked", "opened", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("subscriber_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_engagement_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailing", "kind", "subscriber_id", name=op.f("pk_engagement")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_engagement_kind_first"), "engagement", ["kind", "first"])
    op.create_index(op.f("ix_engagement_subscriber_id"), "engagement", ["subscriber_id"])
    op.create_table(
        "hook_seen",
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_hook_seen")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_hook_seen_at"), "hook_seen", ["at"])


def downgrade() -> None:
    op.drop_table("hook_seen")
    op.drop_table("engagement")
    op.drop_table("click_tally")
