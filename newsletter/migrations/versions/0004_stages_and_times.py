"""The manner of a run: in stages, to those who missed the issue, at everybody's own hour."""

import sqlalchemy as sa
from alembic import op

import subscribers.columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("missed", "doubtful", "local"):
        op.add_column("run", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("run", sa.Column("first", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("hold", sa.Integer(), nullable=True))
    # In words of our own: SQLite adds no constraint to a table that exists, but takes one with its column.
    op.execute(
        "ALTER TABLE run ADD COLUMN stage VARCHAR(32)"
        " CONSTRAINT ck_run_stage CHECK (stage IN ('first', 'holding', 'stopped', 'passed'))"
    )
    op.add_column("run", sa.Column("staged", subscribers.columns.UTCDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("staged", "stage", "hold", "first", "local", "doubtful", "missed"):
        op.drop_column("run", name)
