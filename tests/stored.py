"""What is stored: a digest of every table, so that a test can say that nothing has changed."""

import hashlib

from sqlalchemy import Engine, inspect, text


def digests(engine: Engine) -> dict[str, str]:
    """The digest of each table's rows, whatever their order."""
    with engine.connect() as connection:
        return {
            name: hashlib.sha256(
                repr(sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"'))))).encode()
            ).hexdigest()
            for name in inspect(connection).get_table_names()
        }
