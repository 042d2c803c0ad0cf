"""
The database: one engine, one session factory, one writer on SQLite.

SQLite runs in WAL mode with foreign keys on, and every writing transaction takes its lock at the start
(`BEGIN IMMEDIATE`), so that two processes wait for each other instead of failing halfway: deferred transactions gave
thousands of SQLITE_BUSY where immediate ones gave none. Nothing is opened at import.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    PoolProxiedConnection,
    UpdateBase,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import object_session
from sqlmodel import Session, SQLModel

from newsletter import queue_schema
from newsletter.errors import ConfigurationFault, DatabaseAway, DatabaseFault, TooSlow
from newsletter.paths import migrations

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_SECONDS: Final = 30
"""How long a writer waits for the other one: transactions stay under 250 ms, so more means a stuck process."""

CUT_MILLISECONDS: Final = 100
"""How long a checkpoint may wait at a time for those who read, with everybody else waiting for it."""

CUT_TRIES: Final = 5
"""How often it is tried."""

STEPS: Final = 20_000
"""Of SQLite's machine between two looks at the clock: less than a millisecond."""

SERVER: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""
When a server that has vanished without a word is given up (libpq's parameters: seconds, the last milliseconds).

By themselves Linux gives up after 15 minutes and libpq never; a dispatcher has 20 seconds to find another connection.
Whoever knows better says so in the database's address.
"""

PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = NORMAL",  # what was committed survives a killed process; only power loss may take the last moments
    "foreign_keys = ON",
    "secure_delete = ON",  # who is erased is gone from the file too; the ledger's speed does not feel it
    "cache_size = -65536",  # 64 MiB, so that an import's random indexes stay in memory
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",  # what a long import made of the log is given back
)
"""How every connection to SQLite is set up."""

MIGRATING: Final = 0x6E657773_6D696772
"""The number of PostgreSQL's advisory lock that whoever migrates the database holds."""

ACTING: Final = "operator"
"""What a session's `info` calls the one who acts."""

Sessions = Callable[[], Session]
"""Makes sessions; each is one transaction."""


def open_engine(url: str) -> Engine:
    """
    Open the database at `url` (sqlite:///FILE or postgresql+psycopg://…), making the folder of a SQLite file.

    Raises ConfigurationFault where the address cannot be read or names another kind of database.
    """
    try:
        address = make_url(url)
    except Exception as error:
        raise ConfigurationFault(f"NEWSLETTER_DATABASE__URL cannot be read: {error}") from error
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(url, address.database)
    if address.get_backend_name() == "postgresql":
        given = {name: value for name, value in SERVER.items() if name not in address.query}
        server = address.set(drivername="postgresql+psycopg")
        return create_engine(server, connect_args=given, pool_pre_ping=True, hide_parameters=True)
    raise ConfigurationFault(f"the database is {address.get_backend_name()}; it must be sqlite or postgresql")


def _open_sqlite(url: str, file: str | None) -> Engine:
    if file and file != ":memory:":
        folder = Path(file).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationFault(
                f"{folder} cannot be made: {error.strerror}; see NEWSLETTER_DATABASE__URL"
            ) from error
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        level, kind = options.get("sqlite_synchronous", "NORMAL"), options.get("sqlite_begin", "IMMEDIATE")
        begin_on_sqlite(connection.connection, level=level, kind=kind)

    return engine


def begin_on_sqlite(pooled: PoolProxiedConnection, *, level: str, kind: str = "IMMEDIATE") -> None:
    """Begin a transaction at a level of `PRAGMA synchronous`, on a connection of the pool."""
    driver = cast("Any", pooled.driver_connection)
    if pooled.info.get("synchronous", "NORMAL") != level:  # SQLite refuses to change it within a transaction
        driver.execute(f"PRAGMA synchronous = {level}")
        pooled.info["synchronous"] = level
    driver.execute(f"BEGIN {kind}")


def session_factory(engine: Engine, *, operator: str = "") -> Sessions:
    """Make sessions whose objects stay readable after the commit; they know who acts, see `keeps_author`."""
    return lambda: Session(engine, expire_on_commit=False, info={ACTING: operator})


def keeps_author(table: type[SQLModel]) -> None:
    """
    Have a table's columns `author` and `written` say who wrote a row last: whose session flushed a new `changed`.

    A state that is set by a guarded UPDATE is nobody's writing, and leaves both as they are.
    """

    def note(_mapper: object, _connection: Connection, row: Any) -> None:
        session = object_session(row)
        if session is not None and session.info.get(ACTING) and inspect(row).attrs.changed.history.has_changes():
            row.author, row.written = session.info[ACTING][:80], row.changed

    event.listen(table, "before_insert", note)
    event.listen(table, "before_update", note)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that only reads and takes no writer's lock."""
    with Session(engine.execution_options(sqlite_begin="DEFERRED"), expire_on_commit=False) as session:
        yield session
        session.rollback()


def see_one_moment(session: Session) -> None:
    """
    Have all that a session asks see the same moment, before it has asked anything; on SQLite it does in any case.

    On a server each question sees what is committed by then: a row that moves on between two of them is in neither.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


@contextmanager
def reading_within(engine: Engine, seconds: float) -> Iterator[Session]:
    """
    A session that only reads, and is cut off after so many seconds: on SQLite in all, on PostgreSQL each question.

    Raises TooSlow then.
    """
    with reading(engine) as session:
        lift = _cut_after(session, seconds)
        try:
            yield session
        except OperationalError as error:
            if type(error.orig).__name__ == "QueryCanceled" or "interrupted" in str(error.orig):
                raise TooSlow from error
            raise
        finally:
            lift()


def _cut_after(session: Session, seconds: float) -> Callable[[], None]:
    """Limit what a session may take; returns what gives its connection back as it was."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        return lambda: None
    driver = cast("Any", session.connection().connection.driver_connection)
    end = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    return lambda: driver.set_progress_handler(None, 0)


def changed_rows(session: Session, statement: UpdateBase) -> int:
    """
    Run an INSERT, UPDATE or DELETE and say how many rows it hit: the proof that a guarded transition held.

    The session's own objects are left as they are.
    """
    result = session.execute(statement, execution_options={"synchronize_session": False, "preserve_rowcount": True})
    return cast("CursorResult[Any]", result).rowcount


def leave_no_trace(engine: Engine, tables: Collection[str]) -> bool:
    """
    Have the database give up what it still holds of rows that were deleted or changed; False where it cannot yet.

    SQLite has written zeros over them (`secure_delete`), and the pages as they were stand in the write-ahead log until
    that is taken in and cut off; whoever reads at the moment delays it. PostgreSQL takes dead rows of these tables out
    of heap and indexes. Neither keeps anybody from writing for longer than a checkpoint takes.
    """
    if engine.dialect.name == "sqlite":
        return _cut_log(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (INDEX_CLEANUP ON) {', '.join(sorted(tables))}"))
    return True


def _cut_log(engine: Engine) -> bool:
    pooled = engine.raw_connection()
    driver = cast("Any", pooled.driver_connection)
    try:
        # While a checkpoint waits for a reader nobody can write: it waits for moments, several times.
        driver.execute(f"PRAGMA busy_timeout = {CUT_MILLISECONDS}")
        for _ in range(CUT_TRIES):
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
            time.sleep(CUT_MILLISECONDS / 1000)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        pooled.close()
    return False


def migrate(engine: Engine) -> str:
    """
    Create the tables or bring them up to date, those of jobs too; returns the revision now reached.

    On PostgreSQL one process at a time does so, and the others wait for it.
    """
    with _reached(engine) as connection, _alone(connection):
        upgrade(connection)
        connection.commit()
        if engine.dialect.name == "postgresql":
            queue_schema.bring_up_to_date(connection)
    return revisions()[-1]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables of a connection to a revision, within its transaction, which the caller ends."""
    from alembic import command

    config = _alembic(connection.engine)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Wait until nobody else migrates the same database; SQLite's own lock is enough there."""
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATING})"))
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text(f"SELECT pg_advisory_unlock({MIGRATING})"))
        connection.commit()


def revisions() -> list[str]:
    """The revisions of the tables that this version knows, oldest first; their files are named by them."""
    return sorted(path.name.partition("_")[0] for path in (migrations() / "versions").glob("[0-9]*_*.py"))


def ensure_current(engine: Engine) -> None:
    """
    Raise DatabaseFault, saying what to do, unless the tables are those of this version.

    Asks the database itself: Alembic takes longer to import than this check may take.
    """
    with _reached(engine) as connection:
        tables = inspect(connection).get_table_names()
        stamped = "alembic_version" in tables
        found = connection.scalar(text("SELECT version_num FROM alembic_version")) if stamped else None
        known = revisions()
        if found == known[-1]:
            if engine.dialect.name == "postgresql":
                queue_schema.ensure_current(connection)
            return
    if found is None:
        state = "holds tables of another program" if tables else "is empty"
        raise DatabaseFault(f"the database {state}: run `newsletter init` on a database of its own")
    if found not in known:
        raise DatabaseFault("the database was made by a newer version of this program: upgrade the program")
    raise DatabaseFault("the database is of an older version: run `newsletter init` to migrate it")


@contextmanager
def _reached(engine: Engine) -> Iterator[Connection]:
    """A connection; raises DatabaseFault, or DatabaseAway of a server, with what it says, where none is to be had."""
    try:
        connection = engine.connect()
    except DBAPIError as error:
        where, said = engine.url.render_as_string(), " ".join(str(error.orig).split())
        fault = DatabaseFault if engine.dialect.name == "sqlite" else DatabaseAway
        raise fault(f"the database {where} cannot be opened: {said}") from error
    with connection:
        yield connection


def _alembic(engine: Engine) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["url"] = engine.url.render_as_string(hide_password=False)
    return config
