"""What a database holds, kept to be put back: a hundredth of what making it takes."""

import contextlib
import sqlite3
from collections.abc import Iterator

import psycopg
from sqlalchemy import Engine

from subscribers.columns import Base


class Kept:
    """The rows of a database as they are now; `put_back` takes back whatever is done to them later."""

    def __init__(self, engine: Engine) -> None:
        self._kept = _File(engine) if engine.dialect.name == "sqlite" else _Served(engine)

    def put_back(self) -> None:
        """Have the database as it was."""
        self._kept.put_back()


class _File:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows = sqlite3.connect(":memory:", check_same_thread=False)
        with _connected(self._engine, sqlite3.Connection) as database:
            database.backup(self._rows)

    def put_back(self) -> None:
        with _connected(self._engine, sqlite3.Connection) as database:
            self._rows.backup(database)


class _Served:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        tables = [table.name for table in Base.metadata.sorted_tables]
        with _connected(engine, psycopg.Connection) as database:
            self._rows = {table: _copied(database, table) for table in tables}
            self._counts = database.execute(
                "SELECT sequencename, coalesce(last_value, 1), last_value IS NOT NULL FROM pg_sequences"
            ).fetchall()
            database.rollback()

    def put_back(self) -> None:
        with _connected(self._engine, psycopg.Connection) as database:
            gone = "; ".join(f"DELETE FROM {table}" for table in self._rows)
            database.execute(f"SET LOCAL lock_timeout = '10s'; SET LOCAL session_replication_role = replica; {gone}")
            for table, rows in self._rows.items():
                if rows:
                    with database.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                        copy.write(rows)
            for count in self._counts:
                database.execute("SELECT setval(%s::regclass, %s, %s)", count)
            database.commit()


def _copied(database: psycopg.Connection, table: str) -> bytes:
    with database.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


@contextlib.contextmanager
def _connected(engine: Engine, kind: type) -> Iterator:
    """A connection of the driver's own."""
    pooled = engine.raw_connection()
    assert isinstance(pooled.driver_connection, kind)
    try:
        yield pooled.driver_connection
    finally:
        pooled.close()
