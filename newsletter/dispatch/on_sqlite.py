"""The hot path on SQLite, see `statements`: one writer, whose rows go one by one, at some three µs each."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Connection, Dialect

from newsletter.dispatch.entries import Ended
from newsletter.dispatch.statements import (
    ATTEMPT,
    GIVE_BACK,
    POSTPONE,
    POSTPONED,
    READY,
    RECALL,
    RUNNING,
    TAKE,
    Candidate,
    Joined,
    Marked,
    Ready,
    RunningRun,
    driver_of,
    due_by,
    ready_values,
)
from newsletter.planning.stage import HELD_BACK
from subscribers.columns import UTCDateTime

_MARK: Final = (
    "UPDATE delivery SET state = 'sending', attempts = ?, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state = 'claimed'"
)
_END: Final = (
    "UPDATE delivery SET state = ?, next_at = ?, reason = ?, attempts = ?, seal = ?,"
    " address = CASE WHEN ? THEN NULL ELSE address END, worker = NULL, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state IN ('claimed', 'sending')"
)
_AMONG: Final = " IN (SELECT value FROM json_each(?))"


class SqliteStatements:
    """One writer: rows go one by one, and their counts say which of them held."""

    def __init__(self, dialect: Dialect) -> None:
        instants = UTCDateTime().dialect_impl(dialect)
        # SQLite has no type for instants: on this database both functions are always there.
        # Many rows share an instant: those of a group end together, and began together.
        self._stored = lru_cache(maxsize=1024)(
            cast("Callable[[dt.datetime | None], str]", instants.bind_processor(dialect))
        )
        self._read = cast("Callable[[str | None], Any]", instants.result_processor(dialect, None))

    def is_fenced(self, connection: Joined, worker: str) -> bool:
        """Never: there is one dispatcher, and the transaction has locked out everybody else."""
        del connection, worker
        return False

    def running(self, connection: Connection) -> list[RunningRun]:
        """See `Statements`."""
        rows = driver_of(connection).execute(RUNNING).fetchall()
        return [
            RunningRun(id_, self._read(began), self._read(dated), bool(passed)) for id_, began, dated, passed in rows
        ]

    def ready(
        self, connection: Connection, why: Ready, *, run_id: int | None, limit: int, now: dt.datetime
    ) -> list[Candidate]:
        """See `Statements`."""
        due = self._stored(due_by(why, now))
        rows = (
            driver_of(connection).execute(READY[why, run_id is None], ready_values(due, why, run_id, limit)).fetchall()
        )
        read = lru_cache(maxsize=limit)(self._read)
        return [Candidate._make((*row[:-3], read(row[-3]), read(row[-2]), row[-1])) for row in rows]

    def take(self, connection: Connection, ids: Sequence[int], *, worker: str, now: dt.datetime) -> None:
        """See `Statements`."""
        at = self._stored(now)
        driver_of(connection).execute(TAKE + _AMONG, (worker, at, self._stored(HELD_BACK), at, json.dumps(ids)))

    def give_back(
        self, connection: Connection, claims: Iterable[tuple[int, int]], *, worker: str, now: dt.datetime
    ) -> None:
        """See `Statements`."""
        at = self._stored(now)
        driver_of(connection).executemany(GIVE_BACK, [(at, id_, epoch, worker) for id_, epoch in claims])

    def postpone(
        self,
        connection: Connection,
        claims: Iterable[tuple[int, int, dt.datetime]],
        *,
        worker: str,
        now: dt.datetime,
    ) -> None:
        """See `Statements`."""
        at = self._stored(now)
        values = [(self._stored(until), POSTPONED, at, id_, epoch, worker) for id_, epoch, until in claims]
        driver_of(connection).executemany(POSTPONE, values)

    def write(
        self,
        connection: Joined,
        marks: Sequence[Marked],
        ends: Sequence[Ended],
        *,
        worker: str,
        runs: Sequence[int],
        now: dt.datetime,
    ) -> set[int]:
        """
        See `Statements`. Row by row, each with its own count.

        To write all at once and take back those that did not hold would need a savepoint: from then on SQLite copies
        every page before it changes it, which takes as long as the rows.
        """
        del runs  # nobody else writes before the transaction ends
        at = self._stored(now)
        cursor = driver_of(connection).cursor()
        held = {id_ for id_, epoch, number in marks if cursor.execute(_MARK, (number, at, id_, epoch, worker)).rowcount}
        ends = [end for end in ends if self._end(cursor, end, at=at, worker=worker)]
        held.update(end.delivery_id for end in ends)
        self._keep(connection, ends, at=at)
        if returning := [end.delivery_id for end in ends if end.returns]:
            cursor.execute(RECALL + _AMONG, (json.dumps(returning),))
        return held

    def _end(self, cursor: Any, end: Ended, *, at: str, worker: str) -> int:
        """Write one end; returns how many rows that changed."""
        id_, epoch, state, next_at, reason, attempts, seal, forgets, _returns, _tried = end
        values = (state, self._stored(next_at), reason, attempts, seal, forgets, at, id_, epoch, worker)
        changed: int = cursor.execute(_END, values).rowcount
        return changed

    def _keep(self, connection: Joined, ends: Iterable[Ended], *, at: str) -> None:
        attempts = [
            (*end.tried[:11], self._stored(end.tried.began), at, end.seal) for end in ends if end.tried is not None
        ]
        if attempts:
            driver_of(connection).executemany(f"{ATTEMPT} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", attempts)
