"""
The ledger's transactions: when they begin, and which of them wait for the disk.

Takes sessions, yields one to work in, or the driver's own connection for a group of entries. On SQLite a commit
survives a killed process at once, and a power cut from the next barrier on, which takes along all before it: a commit
that waits for the disk, or between messages one that the disk takes while they go on (see `barrier`).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, cast
from weakref import finalize

from sqlalchemy import Dialect, Engine, PoolProxiedConnection
from sqlmodel import Session

from newsletter.database import Sessions, begin_on_sqlite
from newsletter.dispatch.barrier import Barrier, barrier_of
from newsletter.dispatch.statements import driver_errors

BARRIER_SECONDS: Final = 0.05
"""
How often the disk takes what is committed while messages go out; each waits for the one before, so that a power cut may
take what was committed within two of them. Waiting for the disk each time would halve the speed.
"""

BARRIER_RESULTS: Final = 500
"""A barrier comes sooner after so many results."""

FRESH_SECONDS: Final = 5.0
"""How long a server's connection is trusted while nothing is asked of it."""


_BY_KEY: Final = (
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    " SET plan_cache_mode = force_generic_plan"
)
"""
Groups are written row by row through primary keys. A server that plans by its statistics, which say nothing of a table
that fills and empties within minutes, reads the table instead; and planning takes as long as the rows do.
"""


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
        self._used = 0.0
        self._give_up: Callable[[], object] = lambda: None
        self._barrier: Barrier | None = None

    @cached_property
    def _is_sqlite(self) -> bool:
        return self.dialect.name == "sqlite"

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
        """Committed at its end; with `durable` the commit waits for the disk."""
        with self._sessions() as session:
            options = {"sqlite_synchronous": _level(durable=durable)}
            connection = session.connection(execution_options=options)
            with driver_errors(connection, connection.dialect):
                if durable and self._barrier:
                    self._barrier.wait()
                yield session
            session.commit()
        self._note_barrier(durable=durable)

    @contextmanager
    def group(self, *, at_once: bool) -> Iterator[PoolProxiedConnection]:
        """
        The same by the driver alone, with a barrier where one is due; `at_once` where it will be one statement only.

        SQLAlchemy's transaction would cost a group as much as its rows, and so would a connection fetched for each. A
        server commits one statement by itself, in one round trip instead of three.
        """
        is_due = self._is_sqlite and self._barrier_is_due()
        connection = self._own()
        barrier = self._barrier if is_due else None
        driver = cast("Any", connection.driver_connection)
        try:
            with driver_errors(connection, self.dialect):
                if barrier:
                    barrier.wait()
                if self._is_sqlite:
                    begin_on_sqlite(connection, level=_level(durable=is_due and not barrier))
                elif not at_once:
                    driver.execute("BEGIN")
                yield connection
                if self._is_sqlite or not at_once:
                    driver.execute("COMMIT")
        except BaseException:
            self.part()  # what was not committed is rolled back
            raise
        self._used = time.monotonic()
        if barrier:
            barrier.begin()
        self._note_barrier(durable=is_due)

    def part(self) -> None:
        """Give up the connection of the groups; what it has not committed is rolled back."""
        self._give_up()
        self._kept = None

    def _own(self) -> PoolProxiedConnection:
        """The connection of the groups; a server may close one while nobody looks."""
        if self._kept is not None and time.monotonic() - self._used > FRESH_SECONDS and not self._is_sqlite:
            self.part()
        if self._kept is None:
            self._kept = self._engine.raw_connection()
            # What is gone leaves the pool by itself; a connection that commits by itself nobody else expects there.
            leave = self._kept.close if self._is_sqlite else self._kept.invalidate
            self._give_up = finalize(self, leave)
            if self._is_sqlite:
                self._barrier = self._barrier or barrier_of(self._kept.driver_connection)
            else:
                self._prepare(self._kept)
        return self._kept

    def _prepare(self, connection: PoolProxiedConnection) -> None:
        driver = cast("Any", connection.driver_connection)
        with driver_errors(connection, self.dialect):
            driver.autocommit = True
            driver.execute(_BY_KEY)

    def _note_barrier(self, *, durable: bool) -> None:
        if durable:
            self._synced, self.results = time.monotonic(), 0

    def _barrier_is_due(self) -> bool:
        return self.results >= BARRIER_RESULTS or time.monotonic() - self._synced >= BARRIER_SECONDS


def _level(*, durable: bool) -> str:
    """SQLite's level of synchronisation: with FULL what is committed has reached the disk."""
    return "FULL" if durable else "NORMAL"
