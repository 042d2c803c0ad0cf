"""Second factors, recovery codes, API tokens, setup links, identities at a provider, and how the audit log is read."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NAMED = "email <> ''"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    instant = subscribers.columns.UTCDateTime

    def owner(table: str, **given: object) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
        name = op.f(f"fk_{table}_operator_id_operator")
        return (
            sa.Column("operator_id", number, autoincrement=False, nullable=False, **given),
            sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=name, ondelete="CASCADE"),
        )

    op.create_table(
        "second_factor",
        *owner("second_factor"),
        sa.Column("nonce", text(length=64), nullable=False),
        sa.Column("confirmed", instant(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", number, autoincrement=True, nullable=False),
        *owner("recovery_code"),
        sa.Column("digest", text(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_recovery_code_digest")),
    )
    op.create_index(op.f("ix_recovery_code_operator_id"), "recovery_code", ["operator_id"])
    op.create_table(
        "api_token",
        sa.Column("id", number, autoincrement=True, nullable=False),
        *owner("api_token"),
        sa.Column("name", text(length=80), nullable=False),
        sa.Column("digest", text(length=64), nullable=False),
        sa.Column("scopes", text(length=80), nullable=False),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.Column("expires", instant(timezone=True), nullable=True),
        sa.Column("seen", instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_index(op.f("ix_api_token_operator_id"), "api_token", ["operator_id"])
    op.create_table(
        "setup_link",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("operator_id", number, autoincrement=False, nullable=True),
        sa.Column("digest", text(length=64), nullable=False),
        sa.Column("email", text(length=320), nullable=False),
        sa.Column(
            "role",
            sa.Enum("viewer", "officer", "admin", name="role", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("made_by", text(length=80), nullable=False),
        sa.Column("created", instant(timezone=True), nullable=False),
        sa.Column("expires", instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_setup_link_operator_id_operator"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setup_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_setup_link_digest")),
    )
    op.create_index(op.f("ix_setup_link_operator_id"), "setup_link", ["operator_id"])
    op.create_table(
        "operator_identity",
        sa.Column("id", number, autoincrement=True, nullable=False),
        *owner("operator_identity"),
        sa.Column("issuer", text(length=500), nullable=False),
        sa.Column("subject", text(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_operator_identity_issuer_subject")),
    )
    op.create_index(op.f("ix_operator_identity_operator_id"), "operator_identity", ["operator_id"])
    op.add_column("operator_session", sa.Column("provider", text(length=200), nullable=False, server_default=""))
    op.drop_index(op.f("ix_operator_email"), table_name="operator")
    named = {"sqlite_where": sa.text(NAMED), "postgresql_where": sa.text(NAMED)}
    op.create_index("ix_operator_email", "operator", ["email"], unique=True, **named)
    op.create_index("ix_audit_entry_of_operator", "audit_entry", ["operator", "id"])
    op.create_index("ix_audit_entry_of_action", "audit_entry", ["action", "id"])
    op.create_index("ix_audit_entry_of_both", "audit_entry", ["operator", "action", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_entry_of_both", table_name="audit_entry")
    op.drop_index("ix_audit_entry_of_action", table_name="audit_entry")
    op.drop_index("ix_audit_entry_of_operator", table_name="audit_entry")
    op.drop_index("ix_operator_email", table_name="operator")
    op.create_index(op.f("ix_operator_email"), "operator", ["email"])
    op.drop_column("operator_session", "provider")
    for table in ("operator_identity", "setup_link", "api_token", "recovery_code", "second_factor"):
        op.drop_table(table)
