"""Corrections after sending, and runs for the readers of an issue."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("issue_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("operator", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_correction_issue_id_issue"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("issue_id", "number", name=op.f("uq_correction_issue_id_number")),
    )
    op.create_table(
        "corrected",
        sa.Column("correction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(length=35), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("changed", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["correction.id"], name=op.f("fk_corrected_correction_id_correction"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["digest"], ["artifact.digest"], name=op.f("fk_corrected_digest_artifact"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("correction_id", "language", name=op.f("pk_corrected")),
    )
    op.create_index(op.f("ix_corrected_digest"), "corrected", ["digest"])
    op.add_column("run", sa.Column("readers_of", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True))
    op.add_column("run", sa.Column("edition", sqlmodel.sql.sqltypes.AutoString(length=35), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "edition")
    op.drop_column("run", "readers_of")
    op.drop_index(op.f("ix_corrected_digest"), table_name="corrected")
    op.drop_table("corrected")
    op.drop_table("correction")
