"""Who leaves while the audience of a run is being frozen."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "withdrawal",
        sa.Column("subscriber_id", number, autoincrement=False, nullable=False),
        sa.Column("run_id", number, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_withdrawal_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_withdrawal_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subscriber_id", "run_id", name=op.f("pk_withdrawal")),
    )


def downgrade() -> None:
    op.drop_table("withdrawal")
