"""
Rows of SQLite: read as lines within one transaction, and written from lines into a file that nobody else has open.

Takes the driver's connection. Rows come in the order of their keys, so constant memory does; they are written without a
journal, as the file is thrown away where that fails, and without indexes, which are made when the rows are there.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from newsletter.errors import DatabaseFault, WrongState
from newsletter.keeping.lines import portions_of, reader_of, writer_of
from newsletter.keeping.shape import Table

_FAST: Final = ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -131072")
_SEQUENCES: Final = "sqlite_sequence"


class SqliteRows:
    """The rows of a SQLite database."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self._indexes: list[str] = []

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self._driver.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608  our tables

    def read(self, table: Table) -> Iterator[list[bytes]]:
        """The lines of a table, some at a time."""
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        rows = self._driver.execute(f'SELECT {columns} FROM "{table.name}"')  # noqa: S608  our tables
        return portions_of(map(writer_of(table), rows))

    def counters(self, tables: Iterable[Table]) -> dict[str, int]:
        """The last number that each table gave a row of its own."""
        given = dict(self._driver.execute("SELECT name, seq FROM sqlite_sequence")) if self._has_sequences() else {}
        found = {}
        for table in tables:
            if table.columns[0].name == "id":
                highest = self._driver.execute(f'SELECT max("id") FROM "{table.name}"').fetchone()[0]  # noqa: S608
                found[table.name] = max(int(highest or 0), int(given.get(table.name, 0)))
        return {name: number for name, number in found.items() if number}

    def begin(self, tables: Iterable[Table]) -> None:
        """Begin to write: the tables are emptied, and stand without indexes."""
        for pragma in _FAST:
            self._driver.execute(f"PRAGMA {pragma}")
        self._driver.execute("BEGIN IMMEDIATE")
        made = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        for name, statement in self._driver.execute(made).fetchall():
            self._indexes.append(statement)
            self._driver.execute(f'DROP INDEX "{name}"')
        for table in tables:
            self._driver.execute(f'DELETE FROM "{table.name}"')  # noqa: S608  our tables

    def fit(self, table: Table, lines: Iterable[bytes]) -> tuple[list[bytes], int]:
        """The lines as SQLite can hold them, which is as they are."""
        del table
        return list(lines), 0

    def write(self, table: Table, lines: Iterable[bytes]) -> None:
        """Add rows."""
        row = reader_of(table)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        marks = ", ".join("?" * len(table.columns))
        self._driver.executemany(
            f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})',  # noqa: S608  our tables
            map(row, lines),
        )

    def end(self, counters: Mapping[str, int]) -> None:
        """
        Make the indexes, go on numbering where it was left off, and look whether every row finds what it refers to.

        Raises DatabaseFault where one does not.
        """
        for statement in self._indexes:
            self._driver.execute(statement)
        if self._has_sequences():
            numbered = {name for (name,) in self._driver.execute(_AUTOINCREMENT)}
            self._driver.execute(f"DELETE FROM {_SEQUENCES}")  # noqa: S608  SQLite's table
            kept = [(name, number) for name, number in counters.items() if name in numbered]
            self._driver.executemany(f"INSERT INTO {_SEQUENCES} (name, seq) VALUES (?, ?)", kept)  # noqa: S608
        lost = self._driver.execute("PRAGMA foreign_key_check").fetchone()
        if lost is not None:
            raise DatabaseFault(f"a row of the table {lost[0]} refers to one of {lost[2]} that is not there")
        self._driver.execute("COMMIT")

    def _has_sequences(self) -> bool:
        found = self._driver.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_SEQUENCES,))
        return found.fetchone() is not None


_AUTOINCREMENT: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"


def open_alone(file: Path) -> sqlite3.Connection:
    """
    Open a database that nobody else may open before it is closed.

    Raises WrongState where a process of the program, or anybody else, has it open.
    """
    driver = sqlite3.connect(file, timeout=1, isolation_level=None)
    try:
        driver.execute("PRAGMA locking_mode = EXCLUSIVE")  # before the first access: then the file is locked whole
        driver.execute("BEGIN EXCLUSIVE")
        driver.execute("COMMIT")  # in this mode the lock stays
    except sqlite3.OperationalError as error:
        driver.close()
        if "locked" not in str(error):
            raise DatabaseFault(f"the database {file} cannot be opened: {error}") from error
        raise WrongState(
            f"{file} is in use: end `newsletter run` and every other process that works with it first"
        ) from error
    except sqlite3.DatabaseError as error:
        driver.close()
        raise DatabaseFault(f"{file} is no database of this program: {error}") from error
    return driver
