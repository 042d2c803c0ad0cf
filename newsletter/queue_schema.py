"""
Procrastinate's tables: which of its migrations a PostgreSQL database has had, and how it comes by the others.

Takes a connection; yields the tables as the installed Procrastinate wants them. Its files are read, it itself is not
imported: every command asks whether they are applied. What was applied stands in `procrastinate_migration`, which like
all tables of that prefix is none of Alembic's.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from newsletter.errors import DatabaseFault

PREFIX: Final = "procrastinate_"
"""What the names of these tables begin with."""

JOBS: Final = f"{PREFIX}jobs"
"""The table of jobs."""

EVENTS: Final = f"{PREFIX}events"
"""What became of them, and when."""

WORKERS: Final = f"{PREFIX}workers"
"""Who does them."""

_APPLIED: Final = f"{PREFIX}migration"
_MADE: Final = (
    f"CREATE TABLE IF NOT EXISTS {_APPLIED} (name text PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"
)
_NOTED: Final = text(f"INSERT INTO {_APPLIED} (name) VALUES (:name)")  # noqa: S608  our own words


def bring_up_to_date(connection: Connection) -> list[str]:
    """
    Apply the files that were not, in order, each in a transaction; returns their names.

    A file is a transaction of its own because a value that one adds to a type cannot be used before it is committed.
    Into an empty database goes the whole schema at once. The caller sees to it that nobody else does so at this moment.

    Raises DatabaseFault where tables of Procrastinate are there that somebody else has made.
    """
    applied = _applied(connection)
    if applied is None and _exists(connection, JOBS):
        raise DatabaseFault("the database holds the jobs of another program: give this one a database of its own")
    connection.execute(text(_MADE))
    missing = [file for file in _files() if file.name not in (applied or ())]
    whole = _folder() / "schema.sql"
    for file in missing if applied else [whole]:
        _driver(connection).execute(file.read_text(encoding="utf-8"))
        names = missing if file is whole else [file]
        connection.execute(_NOTED, [{"name": each.name} for each in names])
        connection.commit()
    connection.commit()
    return [file.name for file in missing]


def ensure_current(connection: Connection) -> None:
    """Raise DatabaseFault, saying what to do, unless the tables are those of the installed Procrastinate."""
    known = {file.name for file in _files()}
    applied = _applied(connection) or set()
    if known - applied:
        raise DatabaseFault("the tables of jobs are missing or of an older version: run `newsletter init`")
    if applied - known:
        raise DatabaseFault("the tables of jobs were made by a newer version: upgrade the program")


def _applied(connection: Connection) -> set[str] | None:
    """The names of what was applied; None where nothing ever was."""
    if not _exists(connection, _APPLIED):
        return None
    return set(connection.scalars(text(f"SELECT name FROM {_APPLIED}")))  # noqa: S608  our own words


def _exists(connection: Connection, table: str) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": table}) is not None


def _driver(connection: Connection) -> Any:
    """The driver's own connection, which takes several statements at once."""
    return connection.connection.driver_connection


def _files() -> list[Path]:
    return sorted((_folder() / "migrations").glob("*.sql"))


@cache
def _folder() -> Path:
    found = find_spec("procrastinate")
    if found is None or not found.submodule_search_locations:
        raise DatabaseFault("Procrastinate is not installed: install the program with what it needs")
    return Path(found.submodule_search_locations[0]) / "sql"
