"""
The shape of a database: its tables in the order in which rows may come, and what their columns hold.

Takes a connection and asks the database itself, so that one of an earlier version can be kept and restored as it was;
yields frozen values that go into a backup as JSON. Leaves out what is no content: Alembic's mark, and the tables of
Procrastinate, whose jobs are only hints at rows that are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, inspect, text, types

from newsletter.errors import DatabaseFault
from newsletter.queue_schema import PREFIX

STAMP: Final = "alembic_version"
"""Alembic's table with the revision of the others."""


class Kind(StrEnum):
    """What a column holds, the same in both kinds of database."""

    #: A whole number.
    INTEGER = "integer"
    #: A number with a fraction.
    REAL = "real"
    #: True or false.
    BOOLEAN = "boolean"
    #: Characters.
    TEXT = "text"
    #: An instant, in UTC and to the microsecond.
    INSTANT = "instant"
    #: A day.
    DATE = "date"
    #: A structured value.
    JSON = "json"
    #: Octets.
    OCTETS = "octets"


_KINDS: Final[tuple[tuple[type[Any], Kind], ...]] = (
    (types.Boolean, Kind.BOOLEAN),
    (types.Integer, Kind.INTEGER),
    (types.Float, Kind.REAL),
    (types.JSON, Kind.JSON),
    (types.DateTime, Kind.INSTANT),
    (types.Date, Kind.DATE),
    (types.LargeBinary, Kind.OCTETS),
    (types.String, Kind.TEXT),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what it holds."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, in the order in which a line has their values."""

    name: str
    columns: tuple[Column, ...]

    @property
    def has_json(self) -> bool:
        """Whether a column holds structured values, which each database writes in its own way."""
        return any(column.kind is Kind.JSON for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    The tables of a database, referred to before they refer; `revision` is that of the tables.

    `dialect` is the kind of database, `sqlite` or `postgresql`.
    """

    dialect: str
    revision: str
    tables: tuple[Table, ...]

    def to_json(self) -> dict[str, Any]:
        """The shape as plain data."""
        tables = {table.name: {column.name: column.kind.value for column in table.columns} for table in self.tables}
        return {"dialect": self.dialect, "revision": self.revision, "tables": tables}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Shape":
        """Read what `to_json` has made. Raises KeyError, TypeError or ValueError for anything else."""
        tables = (
            Table(str(name), tuple(Column(str(column), Kind(kind)) for column, kind in columns.items()))
            for name, columns in data["tables"].items()
        )
        return cls(dialect=str(data["dialect"]), revision=str(data["revision"]), tables=tuple(tables))


def shape_of(connection: Connection) -> Shape:
    """Ask a database for its shape. Raises DatabaseFault where its tables are not those of this program."""
    looked = inspect(connection)
    names = [name for name in _in_order(looked.get_sorted_table_and_fkc_names()) if is_kept(name)]
    revision = connection.scalar(text("SELECT version_num FROM alembic_version")) if looked.has_table(STAMP) else None
    if revision is None:
        state = "holds tables of another program" if names else "is empty"
        raise DatabaseFault(f"the database {connection.engine.url.render_as_string()} {state}")
    found = looked.get_multi_columns(filter_names=names)
    columns = {name: rows for (_schema, name), rows in found.items()}
    tables = (Table(name, tuple(Column(each["name"], _kind(each["type"])) for each in columns[name])) for name in names)
    return Shape(dialect=connection.dialect.name, revision=str(revision), tables=tuple(tables))


def is_kept(table: str) -> bool:
    """Whether a table holds content."""
    return table != STAMP and not table.startswith(PREFIX)


def _in_order(found: Sequence[tuple[str | None, Any]]) -> list[str]:
    return [name for name, _keys in found if name is not None]


def _kind(found: types.TypeEngine[Any]) -> Kind:
    for known, kind in _KINDS:
        if isinstance(found, known):
            return kind
    raise DatabaseFault(f"the database has a column of the type {found}, which this program does not know")
