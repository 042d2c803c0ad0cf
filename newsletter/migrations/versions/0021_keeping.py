"""Backups that were made, and the fingerprints of the keys in use."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    instant = subscribers.columns.UTCDateTime
    op.create_table(
        "backup_entry",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("at", instant(timezone=True), nullable=False),
        sa.Column("octets", number, autoincrement=False, nullable=False),
        sa.Column("rows", number, autoincrement=False, nullable=False),
        sa.Column("operator", text(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_entry")),
    )
    op.create_index(op.f("ix_backup_entry_at"), "backup_entry", ["at"])
    op.create_table(
        "known_key",
        sa.Column("name", text(length=20), nullable=False),
        sa.Column("fingerprint", text(length=64), nullable=False),
        sa.Column("since", instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_known_key")),
    )


def downgrade() -> None:
    op.drop_table("known_key")
    op.drop_table("backup_entry")
