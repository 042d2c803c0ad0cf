"""Files of people that wait for being imported, and indexes by which people are found by name, language and tag."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAMES = ("last_name", "first_name")
STATES = ("staged", "checking", "checked", "running", "finished", "stopped", "failed")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "import_run",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("list_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("plan", subscribers.columns.json_type(), nullable=False),
        sa.Column("report", subscribers.columns.json_type(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("problem", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=False),
        sa.Column("operator", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("created", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("changed", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("key", name=op.f("uq_import_run_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_subscriber_tag_tag_subscriber_id"), "subscriber_tag", ["tag", "subscriber_id"])
    op.create_index(op.f("ix_subscriber_language"), "subscriber", ["language"])
    _index_texts()


def _index_texts() -> None:
    """By code points on both databases: PostgreSQL finds a beginning by no other order."""
    collated = ""
    if op.get_bind().dialect.name == "postgresql":
        op.execute('CREATE INDEX ix_subscriber_beginning ON subscriber (address_key COLLATE "C")')
        collated = ' COLLATE "C"'
    for name in NAMES:
        op.execute(f"CREATE INDEX ix_subscriber_{name} ON subscriber (lower({name}){collated})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_subscriber_beginning", table_name="subscriber")
    for name in NAMES:
        op.drop_index(f"ix_subscriber_{name}", table_name="subscriber")
    op.drop_index("ix_subscriber_language", table_name="subscriber")
    op.drop_index("ix_subscriber_tag_tag_subscriber_id", table_name="subscriber_tag")
    op.drop_table("import_run")
