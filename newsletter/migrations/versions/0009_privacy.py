"""The audit log, what retention has done, and an index of single messages."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FORGOTTEN = "subscriber_id IS NULL AND digest IS NOT NULL"
SINGLE = "run_id IS NULL"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_entry",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("operator", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("action", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("subscriber_id", number, autoincrement=False, nullable=True),
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("about", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_audit_entry_subscriber_id_subscriber"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])
    op.create_index(op.f("ix_audit_entry_subscriber_id"), "audit_entry", ["subscriber_id"])
    op.create_index(
        "ix_audit_entry_forgotten",
        "audit_entry",
        ["digest"],
        sqlite_where=sa.text(FORGOTTEN),
        postgresql_where=sa.text(FORGOTTEN),
    )
    op.create_table(
        "retention_entry",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("before", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("operator", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("ended", subscribers.columns.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_entry")),
    )
    op.create_index(op.f("ix_retention_entry_at"), "retention_entry", ["at"])
    op.add_column("run", sa.Column("forgotten", subscribers.columns.UTCDateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_delivery_single",
        "delivery",
        ["digest"],
        sqlite_where=sa.text(SINGLE),
        postgresql_where=sa.text(SINGLE),
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_single", table_name="delivery")
    op.drop_column("run", "forgotten")
    op.drop_table("retention_entry")
    op.drop_table("audit_entry")
