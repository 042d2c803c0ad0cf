"""Events: what comes back after a message has been sent."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = (
    "hard",
    "soft",
    "blocked",
    "complaint",
    "unsubscribe",
    "click",
    "open",
    "not-spam",
    "auto-reply",
    "delayed",
)
CAUSES = ("unknown", "disabled", "full", "forwarded", "other", "greylist", "sender", "content", "relay")
PROOFS = ("mac", "signature", "ledger", "none")

OF_RECIPIENT = sa.text("fault = 'recipient'")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("kind", _enum("kind", KINDS), nullable=False),
        sa.Column("cause", _enum("cause", CAUSES), nullable=True),
        sa.Column("proof", _enum("proof", PROOFS), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("mailing", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(length=512), nullable=False),
        sa.Column("did", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("received", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_event_delivery_id_delivery"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("key", name=op.f("uq_event_key")),
    )
    op.create_index(op.f("ix_event_mailing_kind"), "event", ["mailing", "kind"])
    for column in ("delivery_id", "digest", "received"):
        op.create_index(op.f(f"ix_event_{column}"), "event", [column])
    op.create_table(
        "feedback_place",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feedback_place")),
    )
    op.create_index(
        "ix_attempt_of_recipient", "attempt", ["id"], sqlite_where=OF_RECIPIENT, postgresql_where=OF_RECIPIENT
    )


def downgrade() -> None:
    op.drop_index("ix_attempt_of_recipient", table_name="attempt")
    op.drop_table("feedback_place")
    op.drop_table("event")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
