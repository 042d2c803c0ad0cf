"""What was counted of issues whose runs have ended."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "report",
        sa.Column("mailing", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("run_id", number, autoincrement=False, nullable=False),
        sa.Column("made", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("proof", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("proved", subscribers.columns.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_report_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mailing", name=op.f("pk_report")),
    )


def downgrade() -> None:
    op.drop_table("report")
