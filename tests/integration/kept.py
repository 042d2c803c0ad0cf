"""What a SQLite database holds, kept to be put back: a hundredth of what making it takes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine


class Kept:
    """The rows of a database as they are now; `put_back` takes back whatever is done to them later."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows = sqlite3.connect(":memory:", check_same_thread=False)
        with self._connected() as database:
            database.backup(self._rows)

    def put_back(self) -> None:
        """Have the database as it was."""
        with self._connected() as database:
            self._rows.backup(database)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        pooled = self._engine.raw_connection()
        assert isinstance(pooled.driver_connection, sqlite3.Connection)
        try:
            yield pooled.driver_connection
        finally:
            pooled.close()
