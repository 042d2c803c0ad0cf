"""What all workers together have taken of a relay's rate and of its number for a day."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "relay_pace",
        sa.Column("relay", text(length=300), nullable=False),
        sa.Column("full_at", subscribers.columns.UTCDateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("relay", name=op.f("pk_relay_pace")),
    )
    op.create_table(
        "relay_lease",
        sa.Column("relay", text(length=300), nullable=False),
        sa.Column("worker", text(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("leased", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("relay", "worker", name=op.f("pk_relay_lease")),
    )


def downgrade() -> None:
    op.drop_table("relay_lease")
    op.drop_table("relay_pace")
