"""
The statements of the hot path, as text: claiming, marking, ending, for hundreds of deliveries at once.

Takes the connection of a transaction, yields which of the rows held. Everything else asks through SQLAlchemy; here that
would cost more than the database does (a thousand µs a message instead of twenty), so the text is written once and the
values go to the driver as they are. Both databases say the same: an update is guarded by state, worker and epoch, and
an attempt is kept only of what held. Never commits.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast

from sqlalchemy import Connection, Dialect, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from newsletter.dispatch.entries import Ended
from newsletter.planning.models import OPEN
from newsletter.planning.stage import HELD_BACK
from subscribers.columns import UTCDateTime

Joined: TypeAlias = Connection | PoolProxiedConnection
"""A connection that stands in a transaction, by SQLAlchemy or by the driver alone."""


class Ready(StrEnum):
    """Why a delivery can be claimed; what has waited longest goes first."""

    #: It was deferred, and is due again.
    RETRY = "state = 'deferred' AND next_at <= ?"
    #: It is planned for no time of its own.
    AT_ONCE = "state = 'planned' AND next_at IS NULL"
    #: It is planned for a time, which has come.
    IN_TIME = "state = 'planned' AND next_at <= ?"
    #: It waited for the first ones of its run, and these have passed.
    HELD_BACK = "state = 'planned' AND next_at >= ?"


class RunningRun(NamedTuple):
    """A run of which deliveries may be claimed; `has_passed` says that its first ones let the others go."""

    id: int
    started: dt.datetime | None
    dated: dt.datetime | None
    has_passed: bool = False


class Candidate(NamedTuple):
    """A delivery that can go out now, as its row stands."""

    id: int
    epoch: int
    attempts: int
    mailing: str
    run_id: int | None
    subscriber_id: int | None
    address: str | None
    digest: str
    language: str
    artifact: str
    repeats: int
    changed: dt.datetime
    dated: dt.datetime | None
    seal: bytes | None


class Marked(NamedTuple):
    """A delivery whose content is about to go out, as the attempt of this number."""

    delivery_id: int
    epoch: int
    number: int


class Statements(Protocol):
    """The hot path on one kind of database."""

    def is_fenced(self, connection: Joined, worker: str, run_ids: Sequence[int]) -> bool:
        """Whether the worker has been declared dead; keeps its runs as they are until the transaction ends."""
        ...

    def running(self, connection: Connection) -> list[RunningRun]:
        """The running runs in order, kept from being paused or cancelled until the transaction ends."""
        ...

    def ready(
        self, connection: Connection, why: Ready, *, run_id: int | None, limit: int, now: dt.datetime
    ) -> list[Candidate]:
        """Up to `limit` deliveries of a run (None: single messages) that can go out by `now` for this reason."""
        ...

    def take(self, connection: Connection, ids: Sequence[int], *, worker: str, now: dt.datetime) -> None:
        """Claim deliveries that `ready` has just found in this transaction."""
        ...

    def give_back(
        self, connection: Connection, claims: Iterable[tuple[int, int]], *, worker: str, now: dt.datetime
    ) -> None:
        """Plan again what this worker has claimed: id and epoch of each."""
        ...

    def postpone(
        self,
        connection: Connection,
        claims: Iterable[tuple[int, int, dt.datetime]],
        *,
        worker: str,
        now: dt.datetime,
    ) -> None:
        """Have claims wait for their time: id, epoch and time of each."""
        ...

    def write(
        self,
        connection: Joined,
        marks: Sequence[Marked],
        ends: Sequence[Ended],
        *,
        worker: str,
        now: dt.datetime,
    ) -> set[int]:
        """Mark and end deliveries, no delivery twice; returns the ids of those that held."""
        ...


_COLUMNS: Final = ", ".join(Candidate._fields)
# The words of the index come last: SQLite looks up the first condition on the state, and so reads one state, not five.
# What is held back is asked for by a range: for an equal value PostgreSQL may gather all of them before the first.
_READY: Final = {
    (why, single): f"SELECT {_COLUMNS} FROM delivery WHERE run_id {'IS NULL' if single else '= ?'}"  # noqa: S608  our own words
    f" AND {why.value} AND {OPEN} ORDER BY next_at LIMIT ?"
    for why in Ready
    for single in (True, False)
}
_RUNNING: Final = (
    "SELECT id, started, dated, COALESCE(stage, '') = 'passed' FROM run WHERE state = 'running' ORDER BY id"
)
# A single message is dated when it was planned: until its first claim that is when its row was last changed. One that
# was held back is dated when it is first claimed: the Date of its run may be a day old by then.
_TAKE: Final = (
    "UPDATE delivery SET state = 'claimed', worker = ?, epoch = epoch + 1, changed = ?,"
    " dated = CASE WHEN run_id IS NULL THEN COALESCE(dated, changed)"
    " WHEN next_at = ? THEN COALESCE(dated, ?) ELSE dated END WHERE id"
)
_GIVE_BACK: Final = (
    "UPDATE delivery SET state = 'planned', worker = NULL, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state = 'claimed'"
)
_POSTPONE: Final = (
    "UPDATE delivery SET state = 'deferred', next_at = ?, reason = ?, worker = NULL, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state = 'claimed'"
)
_POSTPONED: Final = "held back: the provider of this address wants less at once"
_MARK: Final = (
    "UPDATE delivery SET state = 'sending', attempts = ?, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state = 'claimed'"
)
_END: Final = (
    "UPDATE delivery SET state = ?, next_at = ?, reason = ?, attempts = ?, seal = ?,"
    " address = CASE WHEN ? THEN NULL ELSE address END, worker = NULL, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state IN ('claimed', 'sending')"
)
# What comes back from the wire to a run that has been cancelled meanwhile does not go out again.
_RECALL: Final = (
    "UPDATE delivery SET state = 'cancelled', epoch = epoch + 1, next_at = NULL, address = NULL"
    " WHERE state IN ('planned', 'deferred')"
    " AND run_id IN (SELECT id FROM run WHERE state IN ('finished', 'cancelled')) AND id"
)
_ATTEMPT: Final = (
    "INSERT INTO attempt (delivery_id, number, epoch, worker, relay, verdict, fault, phase, code, enhanced, text,"
    " began, at, seal)"
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

    def is_fenced(self, connection: Joined, worker: str, run_ids: Sequence[int]) -> bool:
        """Never: there is one dispatcher, and the transaction has locked out everybody else."""
        del connection, worker, run_ids
        return False

    def running(self, connection: Connection) -> list[RunningRun]:
        """See `Statements`."""
        rows = _driver(connection).execute(_RUNNING).fetchall()
        return [
            RunningRun(id_, self._read(began), self._read(dated), bool(passed)) for id_, began, dated, passed in rows
        ]

    def ready(
        self, connection: Connection, why: Ready, *, run_id: int | None, limit: int, now: dt.datetime
    ) -> list[Candidate]:
        """See `Statements`."""
        due = self._stored(_due(why, now))
        rows = (
            _driver(connection).execute(_READY[why, run_id is None], _ready_values(due, why, run_id, limit)).fetchall()
        )
        read = lru_cache(maxsize=limit)(self._read)
        return [Candidate._make((*row[:-3], read(row[-3]), read(row[-2]), row[-1])) for row in rows]

    def take(self, connection: Connection, ids: Sequence[int], *, worker: str, now: dt.datetime) -> None:
        """See `Statements`."""
        at = self._stored(now)
        _driver(connection).execute(_TAKE + _AMONG, (worker, at, self._stored(HELD_BACK), at, json.dumps(ids)))

    def give_back(
        self, connection: Connection, claims: Iterable[tuple[int, int]], *, worker: str, now: dt.datetime
    ) -> None:
        """See `Statements`."""
        at = self._stored(now)
        _driver(connection).executemany(_GIVE_BACK, [(at, id_, epoch, worker) for id_, epoch in claims])

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
        values = [(self._stored(until), _POSTPONED, at, id_, epoch, worker) for id_, epoch, until in claims]
        _driver(connection).executemany(_POSTPONE, values)

    def write(
        self,
        connection: Joined,
        marks: Sequence[Marked],
        ends: Sequence[Ended],
        *,
        worker: str,
        now: dt.datetime,
    ) -> set[int]:
        """See `Statements`; where the count says that some did not hold, finds out one by one which."""
        at = self._stored(now)
        marking = [(number, at, id_, epoch, worker) for id_, epoch, number in marks]
        ending = [
            (end[2], self._stored(end[3]), end[4], end[5], end[6], end[7], at, end[0], end[1], worker) for end in ends
        ]
        _driver(connection).execute("SAVEPOINT entries")
        changed = _changed(connection, _MARK, marking) + _changed(connection, _END, ending)
        if changed == len(marks) + len(ends):
            held = {row[2] for row in marking} | {row[7] for row in ending}
        else:
            _driver(connection).execute("ROLLBACK TO entries")
            held = {row[2] for row in marking if _changed(connection, _MARK, [row])}
            held |= {row[7] for row in ending if _changed(connection, _END, [row])}
            ends = [end for end in ends if end.delivery_id in held]
        self._keep(connection, ends, at=at)
        if returning := [end.delivery_id for end in ends if end.returns]:
            _driver(connection).execute(_RECALL + _AMONG, (json.dumps(returning),))
        return held

    def _keep(self, connection: Joined, ends: Iterable[Ended], *, at: str) -> None:
        attempts = [
            (*end.tried[:11], self._stored(end.tried.began), at, end.seal) for end in ends if end.tried is not None
        ]
        if attempts:
            _driver(connection).executemany(f"{_ATTEMPT} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", attempts)


class PostgresStatements:
    """Many writers: one statement moves a whole group, joined to arrays, and returns what held."""

    def is_fenced(self, connection: Joined, worker: str, run_ids: Sequence[int]) -> bool:
        """
        See `Statements`.

        Runs are locked before workers and workers before deliveries, everywhere: whoever pauses or cancels a run, or
        buries a worker, waits for us or we for them, and never both.
        """
        if run_ids:
            _driver(connection).execute(_PG_SHARE_RUNS, (list(run_ids),))
        alive = _driver(connection).execute(_PG_ENDED_WORKER, (worker,)).fetchone()
        return alive is not None and alive[0]

    def running(self, connection: Connection) -> list[RunningRun]:
        """See `Statements`."""
        rows = _driver(connection).execute(f"{_RUNNING} FOR SHARE").fetchall()
        return [RunningRun(*row) for row in rows]

    def ready(
        self, connection: Connection, why: Ready, *, run_id: int | None, limit: int, now: dt.datetime
    ) -> list[Candidate]:
        """See `Statements`; what another worker is taking at this moment is passed over."""
        values = _ready_values(_due(why, now), why, run_id, limit)
        found = _driver(connection).execute(f"{_pg(_READY[why, run_id is None])} FOR UPDATE SKIP LOCKED", values)
        return [Candidate(*row) for row in found.fetchall()]

    def take(self, connection: Connection, ids: Sequence[int], *, worker: str, now: dt.datetime) -> None:
        """See `Statements`."""
        _driver(connection).execute(_pg(f"{_TAKE} = ANY(?)"), (worker, now, HELD_BACK, now, list(ids)))

    def give_back(
        self, connection: Connection, claims: Iterable[tuple[int, int]], *, worker: str, now: dt.datetime
    ) -> None:
        """See `Statements`."""
        for id_, epoch in claims:
            _driver(connection).execute(_pg(_GIVE_BACK), (now, id_, epoch, worker))

    def postpone(
        self,
        connection: Connection,
        claims: Iterable[tuple[int, int, dt.datetime]],
        *,
        worker: str,
        now: dt.datetime,
    ) -> None:
        """See `Statements`."""
        for id_, epoch, until in claims:
            _driver(connection).execute(_pg(_POSTPONE), (until, _POSTPONED, now, id_, epoch, worker))

    def write(
        self,
        connection: Joined,
        marks: Sequence[Marked],
        ends: Sequence[Ended],
        *,
        worker: str,
        now: dt.datetime,
    ) -> set[int]:
        """See `Statements`."""
        driver, held = _driver(connection), set[int]()
        if marks:
            values = {**_arrays(Marked._fields, marks), "worker": worker, "now": now}
            held.update(id_ for (id_,) in driver.execute(_PG_MARK, values))
        if ends:
            values = {**_arrays(_END_FIELDS, [_end_row(end) for end in ends]), "worker": worker, "now": now}
            held.update(id_ for (id_,) in driver.execute(_PG_END, values))
        if returning := [end.delivery_id for end in ends if end.returns and end.delivery_id in held]:
            _driver(connection).execute(_pg(f"{_RECALL} = ANY(?)"), (returning,))
        return held


_PG_SHARE_RUNS: Final = "SELECT 1 FROM run WHERE id = ANY(%s) ORDER BY id FOR SHARE"
_PG_ENDED_WORKER: Final = "SELECT ended IS NOT NULL FROM worker WHERE name = %s FOR SHARE"
_END_TYPES: Final = {
    "delivery_id": "bigint",
    "epoch": "int",
    "state": "text",
    "next_at": "timestamptz",
    "reason": "text",
    "attempts": "int",
    "seal": "bytea",
    "forgets": "boolean",
    "relay": "text",
    "verdict": "text",
    "fault": "text",
    "phase": "int",
    "code": "int",
    "enhanced": "text",
    "text": "text",
    "began": "timestamptz",
}
_END_FIELDS: Final = tuple(_END_TYPES)
_PG_MARK: Final = """
UPDATE delivery SET state = 'sending', attempts = entry.number, changed = %(now)s
FROM unnest(%(delivery_id)s::bigint[], %(epoch)s::int[], %(number)s::int[]) AS entry(delivery_id, epoch, number)
WHERE id = entry.delivery_id AND delivery.epoch = entry.epoch AND worker = %(worker)s AND state = 'claimed'
RETURNING id
"""
_PG_END: Final = f"""
WITH entry AS (
    SELECT * FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _END_TYPES.items())})
        AS entry({", ".join(_END_FIELDS)})
), held AS (
    UPDATE delivery SET state = entry.state, next_at = entry.next_at, reason = entry.reason,
        attempts = entry.attempts, seal = entry.seal, worker = NULL, changed = %(now)s,
        address = CASE WHEN entry.forgets THEN NULL ELSE address END
    FROM entry
    WHERE id = entry.delivery_id AND delivery.epoch = entry.epoch AND worker = %(worker)s
        AND delivery.state IN ('claimed', 'sending')
    RETURNING id
), kept AS (
    {_ATTEMPT}
    SELECT delivery_id, attempts, epoch, %(worker)s, relay, verdict, fault, phase, code, enhanced, text, began,
        %(now)s, seal
    FROM entry JOIN held ON held.id = entry.delivery_id WHERE verdict IS NOT NULL
)
SELECT id FROM held
"""  # noqa: S608  our own words


def statements_for(dialect: Dialect) -> Statements:
    """The hot path for a kind of database."""
    return SqliteStatements(dialect) if dialect.name == "sqlite" else PostgresStatements()


@contextmanager
def driver_errors(connection: Joined, dialect: Dialect) -> Iterator[None]:
    """Turn what the driver raises into SQLAlchemy's errors, which the rest of the program knows."""
    kind = dialect.loaded_dbapi.Error
    try:
        yield
    except kind as error:
        is_gone = dialect.is_disconnect(error, _driver(connection), None)
        raise DBAPIError.instance(None, None, error, kind, connection_invalidated=is_gone, dialect=dialect) from error


def _pg(statement: str) -> str:
    return statement.replace("?", "%s")


def _due(why: Ready, now: dt.datetime) -> dt.datetime:
    return HELD_BACK if why is Ready.HELD_BACK else now


def _ready_values(
    due: dt.datetime | str, why: Ready, run_id: int | None, limit: int
) -> tuple[int | dt.datetime | str, ...]:
    run = () if run_id is None else (run_id,)
    return (*run, *(() if why is Ready.AT_ONCE else (due,)), limit)


def _changed(connection: Joined, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    return int(_driver(connection).executemany(statement, rows).rowcount) if rows else 0


def _driver(connection: Joined) -> Any:
    """The driver's own connection: SQLAlchemy's way to it costs as much as twenty rows."""
    return (connection.connection if isinstance(connection, Connection) else connection).driver_connection


def _arrays(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _end_row(end: Ended) -> tuple[Any, ...]:
    """The fields of `_END_TYPES`; what the attempt shares with its delivery is not sent twice."""
    kept = (end.tried[4:12]) if end.tried else (None,) * 8
    return (*end[:8], *kept)
