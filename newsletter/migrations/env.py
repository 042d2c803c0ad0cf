"""Alembic's environment: configured in code (`newsletter.database`), run on the connection it is handed."""

from alembic import context
from sqlalchemy import Connection, create_engine

from newsletter.tables import METADATA


def run(connection: Connection) -> None:
    """Migrate on `connection`."""
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(context.config.attributes["url"]).connect() as opened:
        run(opened)
