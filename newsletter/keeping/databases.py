"""
Databases as sources and as targets: a snapshot that others may write beside, one that stands still, and an empty one.

A snapshot is one transaction, so that its rows belong together whatever is written meanwhile. Into a target everything
goes in one piece: SQLite's file is made beside the old one and takes its place in the end, PostgreSQL's tables are made
and filled in one transaction. Whoever interrupts that leaves the target as it was.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from newsletter.database import MIGRATING, migrate, open_engine, revisions, upgrade
from newsletter.errors import DatabaseFault, WrongState
from newsletter.files import sync
from newsletter.keeping.models import KnownKeyRow
from newsletter.keeping.on_postgres import PostgresRows, ensure_alone
from newsletter.keeping.on_sqlite import SqliteRows, open_alone
from newsletter.keeping.pouring import DatabaseSource, Poured, Progress, Rows, Source, pour
from newsletter.keeping.shape import STAMP, Shape, is_kept, shape_of
from newsletter.queue_schema import JOBS

Finish = Callable[[Session, Poured], None]
"""What is done in the target before anybody sees it, in the same piece."""

_OF_EVERY: Final = frozenset({KnownKeyRow.__tablename__})
"""Tables that hold something as soon as there is a database."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[DatabaseSource]:
    """A database as it stands now; others go on working. Raises DatabaseFault where it is none of this program."""
    _ensure_there(engine.url)
    options = engine.execution_options(sqlite_begin="DEFERRED")
    if engine.dialect.name == "postgresql":
        options = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with options.connect() as connection:
        yield DatabaseSource(_known(shape_of(connection)), _rows(connection))
        connection.rollback()


@contextmanager
def at_rest(engine: Engine) -> Iterator[DatabaseSource]:
    """A database that nobody writes as long as it is read. Raises WrongState where somebody works with it."""
    _ensure_there(engine.url)
    if engine.dialect.name == "sqlite":
        with closing(open_alone(Path(str(engine.url.database)))) as driver, _looked_at(driver) as connection:
            yield DatabaseSource(_known(shape_of(connection)), SqliteRows(driver))
        return
    with engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
        ensure_alone(connection)
        connection.rollback()
        tables = [name for name in inspect(connection).get_table_names() if is_kept(name)]
        connection.rollback()
        if tables:  # before the first question: the snapshot is taken with that
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(map(_quoted, tables))} IN SHARE MODE")
        yield DatabaseSource(_known(shape_of(connection)), PostgresRows(connection))
        connection.rollback()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """
    How a database is filled.

    `finish` is done before anybody sees it, in the same piece. `ask` is called before what is there already is given
    up, and may raise; without it a database that holds something is refused. `mark` ends the name of the old file.
    """

    finish: Finish
    progress: Progress
    mark: str
    ask: Callable[[], None] | None = None


def fill(url: URL, source: Source, filling: Filling) -> tuple[Poured, Path | None]:
    """
    Make the tables of `source` in the database at `url`, fill them, and bring them to this version.

    Returns what was written and, of SQLite, where the file lies that was given up.

    Raises WrongState where the database is not empty or somebody works with it, DatabaseFault where rows are refused or
    are not read as they were written. The database is then as it was.
    """
    if url.get_backend_name() == "sqlite":
        return _fill_file(Path(str(url.database)), source, filling)
    return _fill_server(url, source, filling), None


def _fill_file(file: Path, source: Source, filling: Filling) -> tuple[Poured, Path | None]:
    with ExitStack() as stack:
        old = stack.enter_context(closing(open_alone(file))) if file.exists() else None
        holds = old is not None and _may_be_given_up(old, filling, name=str(file))
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.filling")
        stack.callback(_remove, draft)
        _remove(draft)
        poured = _filled(draft, source, filling)
        aside = None
        if old is None:
            os.link(draft, file)  # somebody else may have made one meanwhile, which is not overwritten
        else:
            old.execute("PRAGMA journal_mode = DELETE")  # its log must not stand beside the new file
            if holds:
                aside = file.with_name(f"{file.name}.before-{filling.mark}")
                os.link(file, aside)
            draft.replace(file)
        sync(file.parent)
    return poured, aside


def _may_be_given_up(old: sqlite3.Connection, filling: Filling, *, name: str) -> bool:
    """Whether the old file holds anything, once it is said that it may go."""
    with _looked_at(old) as connection:
        holds = _holds_something(connection, SqliteRows(old), name=name)
    _ensure_may_go(holds=holds, ask=filling.ask, name=name)
    return holds


def _filled(draft: Path, source: Source, filling: Filling) -> Poured:
    engine = open_engine(f"sqlite:///{draft}")
    try:
        with engine.connect() as connection:
            upgrade(connection, source.shape.revision)
            connection.commit()
            _ensure_alike(source.shape, shape_of(connection))
        engine.dispose()
        with closing(sqlite3.connect(draft, isolation_level=None)) as driver:
            poured = pour(source, SqliteRows(driver), progress=filling.progress)
            driver.execute("PRAGMA journal_mode = WAL")
        migrate(engine)
        with Session(engine) as session:
            filling.finish(session, poured)
            session.commit()
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        engine.dispose()  # the last one to close it takes its log in
    sync(draft)
    return poured


def _fill_server(url: URL, source: Source, filling: Filling) -> Poured:
    engine, name = open_engine(url.render_as_string(hide_password=False)), url.render_as_string()
    try:
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            ensure_alone(connection)
            rows = PostgresRows(connection)
            _ensure_may_go(holds=_holds_something(connection, rows, name=name), ask=filling.ask, name=name)
            _drop(connection)
            upgrade(connection, source.shape.revision)
            _ensure_alike(source.shape, shape_of(connection))
            poured = pour(source, rows, progress=filling.progress)
            upgrade(connection)
            with Session(connection, join_transaction_mode="rollback_only") as session:
                filling.finish(session, poured)
                session.commit()  # into the transaction that is under way
        migrate(engine)  # the tables of jobs
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        engine.dispose()
    return poured


def _drop(connection: Connection) -> None:
    """Take away the tables of an earlier time; jobs speak of what is no longer there."""
    names = inspect(connection).get_table_names()
    for name in names:
        if is_kept(name) or name == STAMP:
            connection.exec_driver_sql(f"DROP TABLE {_quoted(name)} CASCADE")
    if JOBS in names:
        connection.exec_driver_sql(f"TRUNCATE {JOBS} CASCADE")


def _holds_something(connection: Connection, rows: Rows, *, name: str) -> bool:
    """Whether a database holds rows. Raises DatabaseFault where it is another program's."""
    found = inspect(connection).get_table_names()
    if STAMP not in found:
        if any(is_kept(table) for table in found):
            raise DatabaseFault(f"{name} holds tables of another program: take a database of its own")
        return False
    return any(rows.count(table) for table in shape_of(connection).tables if table.name not in _OF_EVERY)


def _ensure_may_go(*, holds: bool, ask: Callable[[], None] | None, name: str) -> None:
    if not holds:
        return
    if ask is None:
        raise WrongState(f"{name} is not empty: nothing was changed; `restore --replace` gives up what it holds")
    ask()


def _ensure_alike(wanted: Shape, found: Shape) -> None:
    """Raise DatabaseFault unless both have the same tables and columns, in any order."""
    have = {table.name: set(table.columns) for table in found.tables}
    for table in wanted.tables:
        if have.pop(table.name, None) != set(table.columns):
            raise DatabaseFault(f"the table {table.name} is not as revision {wanted.revision} has it")
    if have:
        raise DatabaseFault(f"the tables {', '.join(sorted(have))} of revision {wanted.revision} are missing")


def _known(shape: Shape) -> Shape:
    if shape.revision not in revisions():
        raise DatabaseFault("the database was made by a newer version of this program: upgrade the program")
    return shape


def _rows(connection: Connection) -> Rows:
    if connection.dialect.name == "postgresql":
        return PostgresRows(connection)
    return SqliteRows(cast("sqlite3.Connection", connection.connection.driver_connection))


@contextmanager
def _looked_at(driver: sqlite3.Connection) -> Iterator[Connection]:
    """A connection of SQLAlchemy over one of the driver's, which stays open, and alone, after it."""
    engine = create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool, pool_reset_on_return=None)
    with engine.connect() as connection:
        yield connection


def _ensure_there(url: URL) -> None:
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise DatabaseFault(f"there is no database at {url.database}")


def _remove(draft: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        Path(f"{draft}{end}").unlink(missing_ok=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
