"""
The ledger's transactions: when they begin, and which of them wait for the disk.

Takes sessions, yields one to work in, or the driver's own connection for a group of entries. On SQLite a commit
survives a killed process at once, and a power cut from the next barrier on: a transaction whose commit waits for the
disk, which takes along all before it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final
from weakref import finalize

from sqlalchemy import Dialect, Engine, PoolProxiedConnection
from sqlmodel import Session

from newsletter.database import Sessions, begin_on_sqlite
from newsletter.dispatch.statements import driver_errors

BARRIER_SECONDS: Final = 0.05
"""What a power cut may take at most while messages go out: waiting for the disk each time would halve the speed."""

BARRIER_RESULTS: Final = 500
"""A barrier comes sooner after so many results."""


class Transactions:
    """
    The transactions of one ledger, in one thread at a time.

    Attributes:
        results: how many attempts have ended since the last barrier; whoever writes them counts them.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.results = 0
        self._sessions = sessions
        self._synced = 0.0
        self._kept: PoolProxiedConnection | None = None
        self._give_back: Callable[[], object] = lambda: None

    @property
    def dialect(self) -> Dialect:
        """Of the database."""
        return self._engine.dialect

    @cached_property
    def _engine(self) -> Engine:
        with self._sessions() as session:
            return session.get_bind().engine

    @contextmanager
    def session(self, *, durable: bool = False) -> Iterator[Session]:
        """Committed at its end; with `durable` the commit is a barrier."""
        with self._sessions() as session:
            options = {"sqlite_synchronous": _level(durable=durable)}
            connection = session.connection(execution_options=options)
            with driver_errors(connection, connection.dialect):
                yield session
            session.commit()
        self._note_barrier(durable=durable)

    @contextmanager
    def group(self) -> Iterator[PoolProxiedConnection]:
        """
        The same by the driver alone, and a barrier where one is due.

        SQLAlchemy's transaction would cost a group as much as its rows. On SQLite the connection is kept for the next
        group; a server may close one while nobody looks.
        """
        durable, is_sqlite = self._barrier_is_due(), self.dialect.name == "sqlite"
        if self._kept is None:
            self._kept = self._engine.raw_connection()
            self._give_back = finalize(self, self._kept.close)  # a connection that is gone leaves the pool
        try:
            with driver_errors(self._kept, self.dialect):
                if is_sqlite:
                    begin_on_sqlite(self._kept, level=_level(durable=durable))
                yield self._kept
                self._kept.commit()
        except BaseException:
            self.part()  # what was not committed is rolled back
            raise
        if not is_sqlite:
            self.part()
        self._note_barrier(durable=durable)

    def part(self) -> None:
        """Give the connection of the groups back to the pool."""
        self._give_back()
        self._kept = None

    def _note_barrier(self, *, durable: bool) -> None:
        if durable:
            self._synced, self.results = time.monotonic(), 0

    def _barrier_is_due(self) -> bool:
        return self.results >= BARRIER_RESULTS or time.monotonic() - self._synced >= BARRIER_SECONDS


def _level(*, durable: bool) -> str:
    """SQLite's level of synchronisation: with FULL what is committed has reached the disk."""
    return "FULL" if durable else "NORMAL"
