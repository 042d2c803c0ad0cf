"""
Rows in every table of a database as it is, whatever its revision: odd ones that its constraints allow.

Takes a connection and asks the database itself what there is, for the code knows only the newest tables.
"""

import datetime as dt
import re
import warnings
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import SAWarning

ROWS = 2
"""Of each table."""

ODD = "Œ'\"\\%s :x {{é}}\u2028\n"
"""What a text may hold, and no careless statement survives."""

GIVEN = {
    ("entry", "document"): {"languages": ["en", "fr"], "tags": [ODD]},
    ("entry_text", "links"): [{"action": "watch", "url": "https://a.example"}],
    ("entry_text", "language"): "en",
}
"""What a migration reads and therefore has to be as the program wrote it."""

SAMPLES: dict[type, Callable[[Any, int], Any]] = {
    Boolean: lambda _, number: bool(number),
    Integer: lambda _, number: number + 1,
    Numeric: lambda _, number: number + 0.5,
    DateTime: lambda kind, n: dt.datetime(2026, 3, 29, 1, 30, n, 1, tzinfo=dt.UTC if kind.timezone else None),
    Date: lambda _, number: dt.date(2028, 2, 28 + number),
    JSON: lambda _, number: {"odd": ODD, "number": number},
    LargeBinary: lambda _, number: bytes((0, 255, number)),
}
"""What a column of a kind may hold; all others hold texts."""

NO_TABLES_OF_OURS = ("alembic_", "procrastinate_", "sqlite_")


def fill(connection: Connection) -> None:
    """Put rows into each table that has none."""
    metadata = MetaData()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)
        metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name.startswith(NO_TABLES_OF_OURS) or connection.scalar(select(func.count()).select_from(table)):
            continue
        allowed = _allowed(connection, table)
        parents = {column.name: _known(connection, column) for column in table.columns if column.foreign_keys}
        for number in range(ROWS):
            row = {
                column.name: _value(column, number, allowed=allowed, parents=parents)
                for column in table.columns
                if column is not table.autoincrement_column and column.computed is None
            }
            connection.execute(table.insert().values(row))


def everything(connection: Connection) -> dict[str, tuple[tuple[str, ...], list[str]]]:
    """Each table's columns and rows, as the driver gives them."""
    found = {}
    for name in inspect(connection).get_table_names():
        if not name.startswith(NO_TABLES_OF_OURS):
            result = connection.exec_driver_sql(f'SELECT * FROM "{name}"')
            found[name] = tuple(result.keys()), [dict(row._mapping) for row in result]
    return found


def lost(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What stood in a table and a column that are still there, and stands there no more."""
    missing = []
    for name in before.keys() & after.keys():
        (had, rows), (has, rows_now) = before[name], after[name]
        shared = [column for column in had if column in has]
        old, new = ([repr([row[column] for column in shared]) for row in each] for each in (rows, rows_now))
        missing += [f"{name}: {row}" for row in old if row not in new]
    return missing


def _value(column: Column[Any], number: int, *, allowed: dict[str, list[str]], parents: dict[str, list[Any]]) -> Any:
    if (column.table.name, column.name) in GIVEN:
        return GIVEN[column.table.name, column.name]
    if column.name in parents:
        known = parents[column.name]
        return known[number % len(known)] if known else None
    if column.name in allowed:
        return allowed[column.name][number % len(allowed[column.name])]
    for kind, sample in SAMPLES.items():
        if isinstance(column.type, kind):
            return sample(column.type, number)
    return f"{number}{ODD}"[: getattr(column.type, "length", None) or 100]


def _known(connection: Connection, column: Column[Any]) -> list[Any]:
    """What a reference may name; nothing where a table refers to itself."""
    [key] = column.foreign_keys
    if key.column.table is column.table:
        return []
    return list(connection.scalars(select(key.column).order_by(key.column).limit(ROWS)))


def _allowed(connection: Connection, table: Table) -> dict[str, list[str]]:
    """The words that a column's constraint allows, where it lists words."""
    found = {}
    for check in inspect(connection).get_check_constraints(table.name):
        words = re.findall(r"'([^']*)'", check["sqltext"])
        [first] = re.findall(r"^\W*(\w+)", check["sqltext"])
        if words and first in table.columns:
            found[first] = words
    return found
