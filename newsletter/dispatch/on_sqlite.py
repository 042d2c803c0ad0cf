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
    """One writer: rows go one by one through `executemany`, and one count proves that all of them held."""

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
        """See `Statements`; where the count says that some did not hold, finds out one by one which."""
        del runs  # nobody else writes before the transaction ends
        at = self._stored(now)
        marking = [(number, at, id_, epoch, worker) for id_, epoch, number in marks]
        ending = [
            (end[2], self._stored(end[3]), end[4], end[5], end[6], end[7], at, end[0], end[1], worker) for end in ends
        ]
        driver_of(connection).execute("SAVEPOINT entries")
        changed = _changed(connection, _MARK, marking) + _changed(connection, _END, ending)
        if changed == len(marks) + len(ends):
            held = {row[2] for row in marking} | {row[7] for row in ending}
        else:
            driver_of(connection).execute("ROLLBACK TO entries")
            held = {row[2] for row in marking if _changed(connection, _MARK, [row])}
            held |= {row[7] for row in ending if _changed(connection, _END, [row])}
            ends = [end for end in ends if end.delivery_id in held]
        self._keep(connection, ends, at=at)
        if returning := [end.delivery_id for end in ends if end.returns]:
            driver_of(connection).execute(RECALL + _AMONG, (json.dumps(returning),))
        return held

    def _keep(self, connection: Joined, ends: Iterable[Ended], *, at: str) -> None:
        attempts = [
            (*end.tried[:11], self._stored(end.tried.began), at, end.seal) for end in ends if end.tried is not None
        ]
        if attempts:
            driver_of(connection).executemany(f"{ATTEMPT} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", attempts)


def _changed(connection: Joined, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    return int(driver_of(connection).executemany(statement, rows).rowcount) if rows else 0
