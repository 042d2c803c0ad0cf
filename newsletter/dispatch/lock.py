"""
The dispatcher's lock: on SQLite one dispatcher per database, and whoever holds it knows that its predecessor is dead.

It is a lock on the file `DATABASE.dispatch`, which the kernel drops with the process. On PostgreSQL any number of
dispatchers work at once, and their heartbeats say which of them live, see `workers`. The server rolls back what one of
them has left open (a process that is stopped, a machine that has gone to sleep): the rows that it has locked would keep
everybody else waiting, and whoever declares it dead too.
"""

import datetime as dt
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event

from newsletter.errors import DispatcherRunning

IDLE: Final = dt.timedelta(seconds=5)
"""How long a dispatcher may leave a transaction open without a word: each takes milliseconds."""


@contextmanager
def dispatcher_lock(engine: Engine) -> Iterator[None]:
    """Hold the lock where there is one to hold; raises DispatcherRunning at once where somebody else does."""
    if engine.dialect.name != "sqlite":
        with _never_idle(engine):
            yield
        return
    with Path(str(engine.url.database) + ".dispatch").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DispatcherRunning from error
        yield


@contextmanager
def _never_idle(engine: Engine) -> Iterator[None]:
    """Have PostgreSQL end transactions that sleep, in connections that are made meanwhile."""

    def limit(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE // dt.timedelta(milliseconds=1)}")
        connection.commit()

    engine.dispose()
    event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()
