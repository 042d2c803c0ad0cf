"""
Rows of PostgreSQL: read by COPY in one snapshot, and written by COPY within one transaction.

Takes a connection of SQLAlchemy that is in a transaction; commits nothing. Foreign keys, unique constraints and indexes
are taken away before rows come and made again when all are there: checking them together takes a fraction of the time.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from newsletter.errors import DatabaseFault, WrongState
from newsletter.keeping.lines import fit_for_postgres, portions_of
from newsletter.keeping.shape import Kind, Table

_PLAIN: Final = (
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
"""How values are read and written within the transaction."""


class PostgresRows:
    """The rows of a PostgreSQL database, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        self._again: list[str] = []
        for setting in _PLAIN:
            connection.exec_driver_sql(setting)

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self._one(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name))))

    def read(self, table: Table) -> Iterator[list[bytes]]:
        """The lines of a table, some at a time."""
        columns = sql.SQL(", ").join(_written(column.name, column.kind) for column in table.columns)
        query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, sql.Identifier(table.name))
        with self._driver.cursor() as cursor, cursor.copy(query) as rows:
            yield from portions_of(map(bytes, rows))  # the server sends one row at a time

    def counters(self, tables: Iterable[Table]) -> dict[str, int]:
        """The last number that each table gave a row of its own."""
        found = {}
        for table, sequence in self._sequences(tables):
            number = self._one(
                sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}").format(sql.SQL(sequence))
            )
            highest = self._one(sql.SQL("SELECT max(id) FROM {}").format(sql.Identifier(table)))
            found[table] = max(int(number), int(highest or 0))
        return {name: number for name, number in found.items() if number}

    def begin(self, tables: Iterable[Table]) -> None:
        """Begin to write: the tables are emptied, and stand without indexes, unique constraints and references."""
        names = [table.name for table in tables]
        emptied = sql.SQL(", ").join(map(sql.Identifier, names))
        self._driver.execute(sql.SQL("TRUNCATE {}").format(emptied))
        constraints = self._driver.execute(_CONSTRAINTS, (names,)).fetchall()
        for table, name, _definition in reversed(constraints):  # references rest on what is unique
            gone = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            self._driver.execute(gone.format(sql.Identifier(table), sql.Identifier(name)))
        self._again = [f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {made}' for table, name, made in constraints]
        for name, definition in self._driver.execute(_INDEXES, (names,)).fetchall():
            self._driver.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
            self._again.insert(0, definition)

    def fit(self, table: Table, lines: Iterable[bytes]) -> tuple[list[bytes], int]:
        """The lines as PostgreSQL can hold them, and how many characters that costs: see `lines.fit_for_postgres`."""
        fit = fit_for_postgres(table)
        fitted = [fit(line) for line in lines]
        return [line for line, _ in fitted], sum(lost for _, lost in fitted)

    def write(self, table: Table, lines: Iterable[bytes]) -> None:
        """Add rows. Raises DatabaseFault, naming the table and the column, where a value does not fit."""
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
        try:
            with self._driver.cursor() as cursor, cursor.copy(query) as rows:
                rows.write(b"".join(lines))
        except psycopg.IntegrityError as error:
            raise DatabaseFault(f"the rows of {table.name} do not belong together: {_said(error)}") from error
        except psycopg.DataError as error:
            place = (error.diag.context or f"COPY {table.name}").split(": ")[0]  # what follows may be somebody's
            raise DatabaseFault(f"PostgreSQL does not take a value ({place}): {_said(error)}") from error

    def end(self, counters: Mapping[str, int]) -> None:
        """
        Make indexes and constraints again, which looks at every row, and go on numbering where it was left off.

        Raises DatabaseFault where a row refers to what is not there, or is there twice.
        """
        try:
            for statement in self._again:
                self._driver.execute(statement)
        except psycopg.IntegrityError as error:
            raise DatabaseFault(f"the rows do not belong together: {_said(error)}") from error
        tables = [Table(name, ()) for name in counters]
        for table, sequence in self._sequences(tables):
            self._driver.execute("SELECT setval(%s::regclass, %s)", (sequence, counters[table]))

    def _sequences(self, tables: Iterable[Table]) -> list[tuple[str, str]]:
        names = [table.name for table in tables]
        return self._driver.execute(_SEQUENCES, (names,)).fetchall()

    def _one(self, query: sql.Composed) -> Any:
        row = self._driver.execute(query).fetchone()
        return row[0] if row else None


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or type(error).__name__


def _written(name: str, kind: Kind) -> sql.Composable:
    """How a column is asked for, so that each server and each setting of it gives the same."""
    if kind is Kind.INSTANT:
        return sql.SQL("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')").format(sql.Identifier(name))
    return sql.Identifier(name)


_CONSTRAINTS: Final = """
SELECT t.relname::text, c.conname::text, pg_get_constraintdef(c.oid) FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid AND t.relnamespace = current_schema()::regnamespace
WHERE c.contype IN ('f', 'u') AND t.relname = ANY (%s)
ORDER BY c.contype = 'f', c.conname
"""
"""What refers to other rows, last, and what forbids equal ones."""

_INDEXES: Final = """
SELECT n.relname::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class n ON n.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid AND t.relnamespace = current_schema()::regnamespace
WHERE t.relname = ANY (%s)
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
"""
"""Indexes that are no constraint's own."""

_SEQUENCES: Final = """
WITH identified AS MATERIALIZED (
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (%s)
), numbered AS MATERIALIZED (
    SELECT relname::text AS name, pg_get_serial_sequence(quote_ident(relname), 'id') AS sequence FROM identified
)
SELECT name, sequence FROM numbered WHERE sequence IS NOT NULL
"""

_OTHERS: Final = """
SELECT count(*), min(coalesce(nullif(application_name, ''), 'a program without a name')) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def ensure_alone(connection: Connection) -> None:
    """Raise WrongState where anybody else is connected to the database."""
    others, name = connection.exec_driver_sql(_OTHERS).one()
    if others:
        many = f"{others} other connections are" if others > 1 else "another connection is"
        raise WrongState(
            f"{many} open to {connection.engine.url.render_as_string()} ({name}): end every process that works with it"
        )
