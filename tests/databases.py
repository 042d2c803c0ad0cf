"""
The databases of the tests: SQLite files, or databases on a PostgreSQL server of our own that stand in for such files.

Takes the path that a database's file has or would have, yields the database's address. `NEWSLETTER_TESTS_DATABASE`
says which kind tests use that are about neither (sqlite, postgresql); a few run on both in any case.
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

import psycopg
import pytest
from faults.postgres import Postgres
from sqlalchemy import Engine, Pool, event

import newsletter.tables  # noqa: F401  registers every table
from newsletter import queue_schema
from subscribers.columns import Base

CHOSEN = os.environ.get("NEWSLETTER_TESTS_DATABASE", "sqlite")
KINDS = ("sqlite", "postgresql") if CHOSEN == "sqlite" else (CHOSEN,)
"""What tests that are about both run on: in the pass over PostgreSQL, the files have had their turn."""

BOTH = pytest.mark.parametrize("kind", KINDS, indirect=True)
"""Of tests that run on both: what differs most between the two is in their way."""

CONNECTIONS = 300
"""What the tests of one process may leave open together."""


UNCOPIED = shutil.ignore_patterns("*-shm", "*-wal", "*.err", "*.out", "zygote")
"""What processes leave behind, and what `settle` makes superfluous."""


class Databases(Protocol):
    """Databases of one kind, known by the paths of files."""

    name: str

    def address(self, file: Path) -> str:
        """The URL of a database, which may be one that the program is still to make."""

    def copy(self, file: Path, to: Path) -> None:
        """Make a database that holds what another holds, in place of what there was."""

    def copy_folder(self, folder: Path, to: Path) -> Path:
        """Copy an installation: its files, and the databases that are known by paths in its folder."""

    def settle(self, file: Path) -> None:
        """Leave nothing aside that a copy would miss."""

    def rows(self, file: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Look into a database, or change it, behind the program's back; values stand for `?`."""

    def drop_below(self, folder: Path) -> None:
        """Give up the databases of a folder that is done with."""


class Files:
    """SQLite's."""

    name = "sqlite"

    def address(self, file: Path) -> str:
        return f"sqlite:///{file}"

    def copy(self, file: Path, to: Path) -> None:
        shutil.copy(file, to)

    def copy_folder(self, folder: Path, to: Path) -> Path:
        return shutil.copytree(folder, to, dirs_exist_ok=True, ignore=UNCOPIED)

    def settle(self, file: Path) -> None:
        self.rows(file, "PRAGMA wal_checkpoint(TRUNCATE)")
        for name in ("-shm", "-wal"):
            Path(f"{file}{name}").unlink(missing_ok=True)

    def rows(self, file: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(file, timeout=30)) as connection, connection:
            return connection.execute(query, values).fetchall()

    def drop_below(self, folder: Path) -> None:
        """Files go with their folder."""


class Served:
    """PostgreSQL's, on a server that starts when the first is asked for."""

    name = "postgresql"

    def __init__(self) -> None:
        self._server: Postgres | None = None
        self._made: dict[Path, str] = {}
        self._opened: WeakSet[psycopg.Connection] = WeakSet()
        event.listen(Pool, "connect", self._note)

    @property
    def server(self) -> Postgres:
        if self._server is None:
            self._server = Postgres(connections=CONNECTIONS)
        return self._server

    def address(self, file: Path) -> str:
        if file not in self._made:
            self._create(file)
        return self.server.url(self._made[file])

    def copy(self, file: Path, to: Path) -> None:
        if to in self._made:
            self._drop(to)
        source = self._made[file]
        self._hang_up(source)
        self.server.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'")
        self._create(to, template=source)

    def copy_folder(self, folder: Path, to: Path) -> Path:
        for file in [file for file in self._made if file.is_relative_to(folder)]:
            self.copy(file, to / file.relative_to(folder))
        return shutil.copytree(folder, to, dirs_exist_ok=True, ignore=UNCOPIED)

    def settle(self, file: Path) -> None:
        """Every commit is where a copy finds it."""

    def rows(self, file: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address(file), autocommit=True) as connection:
            found = connection.execute(query.replace("%", "%%").replace("?", "%s"), values)
            return found.fetchall() if found.description else []

    def drop_below(self, folder: Path) -> None:
        for file in [file for file in self._made if file.is_relative_to(folder)]:
            self._drop(file)

    def close(self) -> None:
        """End the server, if it was needed."""
        self._hang_up()
        if self._server is not None:
            self._server.close()

    def _create(self, file: Path, template: str = "template0") -> None:
        name = f"n{hashlib.sha256(str(file).encode()).hexdigest()[:20]}"
        self.server.do(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made[file] = name

    def _drop(self, file: Path) -> None:
        name = self._made.pop(file)
        self._hang_up(name)
        self.server.do(f"DROP DATABASE {name} WITH (FORCE)")

    def _note(self, connection: object, _record: object) -> None:
        if isinstance(connection, psycopg.Connection):
            self._opened.add(connection)

    def _hang_up(self, name: str | None = None) -> None:
        """Close what engines that nobody has closed have left open; nobody uses it any more."""
        for connection in list(self._opened):
            if not connection.closed and name in {None, connection.info.dbname}:
                connection.close()


FILES = Files()
SERVED = Served()


def databases(kind: str = CHOSEN) -> Databases:
    """The databases of a kind."""
    return {"sqlite": FILES, "postgresql": SERVED}[kind]


def tables_in(engine: Engine) -> None:
    """Make the tables as the code describes them, those of jobs too, in a moment and without a migration's history."""
    Base.metadata.create_all(engine)
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            queue_schema.bring_up_to_date(connection)


def url_of(file: Path) -> str:
    """The URL of a database of the kind that is chosen."""
    return databases().address(file)


def copy_of(file: Path, to: Path) -> str:
    """Copy a database of the kind that is chosen; returns the URL of the copy."""
    databases().copy(file, to)
    return url_of(to)
