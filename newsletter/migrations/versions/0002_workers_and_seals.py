"""Workers and their heartbeats; the seals of attempts; the Date of single messages."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("connections", sa.Integer(), nullable=True),
        sa.Column("started", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("heartbeat", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("ended", subscribers.columns.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    # Columns are added in place: a batch would write a table of millions of rows anew.
    op.add_column("delivery", sa.Column("dated", subscribers.columns.UTCDateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.add_column("attempt", sa.Column("began", subscribers.columns.UTCDateTime(timezone=True), nullable=True))
    op.add_column("attempt", sa.Column("seal", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempt", "seal")
    op.drop_column("attempt", "began")
    op.drop_column("delivery", "seal")
    op.drop_column("delivery", "dated")
    op.drop_table("worker")
