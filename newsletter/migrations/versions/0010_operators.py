"""Operators and their sessions at the desk."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    instant = subscribers.columns.UTCDateTime
    op.create_table(
        "operator",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("name", text(length=80), nullable=False),
        sa.Column("full_name", text(length=200), nullable=False),
        sa.Column("email", text(length=320), nullable=False),
        sa.Column(
            "role",
            sa.Enum("viewer", "officer", "admin", name="role", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("language", text(length=35), nullable=False),
        sa.Column("timezone", text(length=64), nullable=False),
        sa.Column("password", text(length=300), nullable=True),
        sa.Column("disabled", instant(timezone=True), nullable=True),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("name", name=op.f("uq_operator_name")),
    )
    op.create_index(op.f("ix_operator_email"), "operator", ["email"])
    op.create_table(
        "operator_session",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("digest", text(length=64), nullable=False),
        sa.Column("operator_id", number, autoincrement=False, nullable=False),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.Column("seen", instant(timezone=True), nullable=False),
        sa.Column("agent", text(length=200), nullable=False),
        sa.Column("newsletter", text(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operator.id"],
            name=op.f("fk_operator_session_operator_id_operator"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_operator_session_digest")),
    )
    op.create_index(op.f("ix_operator_session_operator_id"), "operator_session", ["operator_id"])


def downgrade() -> None:
    op.drop_table("operator_session")
    op.drop_table("operator")
