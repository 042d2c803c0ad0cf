"""Alerts, who chose which, and the days on which a draft was due."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KINDS = ("draft", "approval", "paused", "finished", "mailbox", "disk", "relay")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    instant = subscribers.columns.UTCDateTime(timezone=True)
    kind = sa.Enum(*KINDS, name="kind", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "alert",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("newsletter", text(length=80), nullable=False),
        sa.Column("matter", text(length=200), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("told", instant, nullable=True),
        sa.Column("ended", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("kind", "newsletter", "matter", name=op.f("uq_alert_kind_newsletter_matter")),
    )
    op.create_index(op.f("ix_alert_ended"), "alert", ["ended"])
    op.create_table(
        "alert_choice",
        sa.Column("operator_id", number, autoincrement=False, nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("newsletter", text(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operator.id"],
            name=op.f("fk_alert_choice_operator_id_operator"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("operator_id", "kind", "newsletter", name=op.f("pk_alert_choice")),
    )
    op.create_table(
        "cadence",
        sa.Column("newsletter_id", number, autoincrement=False, nullable=False),
        sa.Column("cron", text(length=200), nullable=False),
        sa.Column("zone", text(length=64), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletter.id"], name=op.f("fk_cadence_newsletter_id_newsletter"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("newsletter_id", name=op.f("pk_cadence")),
    )
    op.create_table(
        "cadence_slot",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("newsletter_id", number, autoincrement=False, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("issue", text(length=80), nullable=False),
        sa.Column("taken", instant, nullable=False),
        sa.Column("done", instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_cadence_slot_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cadence_slot")),
        sa.UniqueConstraint("newsletter_id", "at", name=op.f("uq_cadence_slot_newsletter_id_at")),
    )


def downgrade() -> None:
    op.drop_table("cadence_slot")
    op.drop_table("cadence")
    op.drop_table("alert_choice")
    op.drop_table("alert")
