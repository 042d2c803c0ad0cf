"""Alembic's environment: configured in code (`newsletter.database`), run on the connection it is handed."""

from alembic import context
from sqlalchemy import Connection, create_engine

from newsletter.queue_schema import PREFIX
from newsletter.tables import METADATA

BY_HAND = frozenset({"ix_subscriber_beginning", "ix_subscriber_first_name", "ix_subscriber_last_name"})
"""Indexes of expressions, which a migration makes in SQL and no table's description names."""


def run(connection: Connection) -> None:
    """Migrate on `connection`."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        compare_type=True,
        include_name=lambda name, kind, _parents: (
            name not in BY_HAND if kind == "index" else kind != "table" or not str(name).startswith(PREFIX)
        ),
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(context.config.attributes["url"]).connect() as opened:
        run(opened)
