"""Sign-up: words that were agreed to, what waits for confirmation, limits; and a consent log that cannot be changed."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns
from subscribers.columns import json_type

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# As they stood when this was written: a later version of the tables has triggers of its own.
SQLITE = (
    """
    CREATE TRIGGER consent_entry_stays BEFORE DELETE ON consent_entry WHEN OLD.subscriber_id IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'the consent log is never shortened'); END
    """,
    """
    CREATE TRIGGER consent_entry_holds BEFORE UPDATE OF id, digest, action, list_name, newsletter, wording_version,
        wording_language, source, operator, origin, at, state, asked, mailing ON consent_entry
    BEGIN SELECT RAISE(ABORT, 'the consent log is never changed'); END
    """,
    """
    CREATE TRIGGER consent_entry_lets_go BEFORE UPDATE OF subscriber_id ON consent_entry
        WHEN NEW.subscriber_id IS NOT NULL AND NEW.subscriber_id IS NOT OLD.subscriber_id
    BEGIN SELECT RAISE(ABORT, 'the consent log is never changed'); END
    """,
)
POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION consent_entry_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' AND OLD.subscriber_id IS NULL THEN RETURN OLD; END IF;
        IF TG_OP = 'UPDATE'
            AND (NEW.subscriber_id IS NULL OR NEW.subscriber_id IS NOT DISTINCT FROM OLD.subscriber_id)
            AND to_jsonb(NEW) - 'subscriber_id' = to_jsonb(OLD) - 'subscriber_id' THEN RETURN NEW;
        END IF;
        RAISE EXCEPTION 'the consent log is never changed';
    END $$
    """,
    """
    CREATE TRIGGER consent_entry_is_kept BEFORE UPDATE OR DELETE ON consent_entry
    FOR EACH ROW EXECUTE FUNCTION consent_entry_is_kept()
    """,
)


def _identity() -> sa.Column:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=True, nullable=False)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(length=length), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, subscribers.columns.UTCDateTime(timezone=True), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, json_type(), nullable=False)


def _subscriber(table: str, *, nullable: bool = False) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    column = sa.Column("subscriber_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=nullable)
    name = op.f(f"fk_{table}_subscriber_id_subscriber")
    return column, sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "wording",
        _text("version", 64),
        _text("language", 35),
        _text("text"),
        _instant("since"),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_wording")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asking",
        _identity(),
        sa.Column("kind", sa.String(32), nullable=False),
        *_subscriber("asking", nullable=True),
        _text("newsletter", 100),
        _text("address", 254),
        _text("digest", 64),
        _json("lists"),
        _text("first_name"),
        _text("last_name"),
        _text("language", 35),
        _text("wording_version"),
        _text("wording_language"),
        _text("origin"),
        _instant("at"),
        sa.CheckConstraint("kind IN ('lists', 'address')", name=op.f("ck_asking_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asking")),
    )
    op.create_table(
        "confirmation_request",
        _identity(),
        _text("key", 16),
        sa.Column("kind", sa.String(32), nullable=False),
        *_subscriber("confirmation_request"),
        _text("newsletter", 100),
        _text("mailing", 200),
        _json("lists"),
        _json("given"),
        _text("address", 254, nullable=True),
        _text("language", 35),
        _text("wording_version"),
        _text("wording_language"),
        _text("source"),
        _instant("asked"),
        _instant("confirmed", nullable=True),
        sa.CheckConstraint("kind IN ('lists', 'address')", name=op.f("ck_confirmation_request_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation_request")),
        sa.UniqueConstraint("key", name=op.f("uq_confirmation_request_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_confirmation_request_subscriber_id"), "confirmation_request", ["subscriber_id"])
    op.create_table(
        "former_address",
        _identity(),
        *_subscriber("former_address"),
        _text("digest", 64),
        _instant("until"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_address")),
    )
    op.create_index(op.f("ix_former_address_subscriber_id"), "former_address", ["subscriber_id"])
    op.create_table(
        "tally",
        _identity(),
        _text("key", 120),
        _instant("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    op.create_index(op.f("ix_tally_key_at"), "tally", ["key", "at"])
    for name in ("titles", "descriptions"):
        op.add_column("mailing_list", sa.Column(name, json_type(), nullable=False, server_default="{}"))
    op.add_column("consent_entry", _text("state", 32, nullable=True))
    op.add_column("consent_entry", _instant("asked", nullable=True))
    op.add_column("consent_entry", _text("mailing", 200, nullable=True))
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("stays", "holds", "lets_go"):
            op.execute(f"DROP TRIGGER consent_entry_{name}")
    else:
        op.execute("DROP TRIGGER consent_entry_is_kept ON consent_entry")
        op.execute("DROP FUNCTION consent_entry_is_kept()")
    for name in ("mailing", "asked", "state"):
        op.drop_column("consent_entry", name)
    for name in ("descriptions", "titles"):
        op.drop_column("mailing_list", name)
    for name in ("tally", "former_address", "confirmation_request", "asking", "wording"):
        op.drop_table(name)
