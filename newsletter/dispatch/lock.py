"""
The dispatcher's lock: one dispatcher per database, and whoever holds it knows that its predecessor is dead.

On SQLite it is a lock on the file `DATABASE.dispatch`, which the kernel drops with the process; on PostgreSQL an
advisory lock of a session of its own.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from newsletter.errors import DispatcherRunning

ADVISORY_KEY: Final = 0x6E65_7773_6C65
"""The key of the advisory lock: the first letters of our name, so that it meets no other program's."""


@contextmanager
def dispatcher_lock(engine: Engine) -> Iterator[None]:
    """Hold the lock; raises DispatcherRunning at once where somebody else does."""
    if engine.dialect.name == "sqlite":
        with _file_lock(Path(str(engine.url.database) + ".dispatch")):
            yield
    else:
        with _advisory_lock(engine):
            yield


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DispatcherRunning from error
        yield


@contextmanager
def _advisory_lock(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY}):
            raise DispatcherRunning
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_KEY})
