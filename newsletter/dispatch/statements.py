"""
The statements of the hot path: claiming, marking, ending, for hundreds of deliveries at once.

What they take and promise on either database, and the text that both have in common; `on_sqlite` and `on_postgres` have
the rest. Everything else asks through SQLAlchemy; here that would cost more than the database does (a thousand µs a
message instead of twenty), so the text is written once and the values go to the driver as they are. Both databases say
the same: an update is guarded by state, worker and epoch, and an attempt is kept only of what held. Never commits.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from sqlalchemy import Connection, Dialect, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from newsletter.dispatch.entries import Ended
from newsletter.planning.models import OPEN
from newsletter.planning.stage import HELD_BACK

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

    def is_fenced(self, connection: Joined, worker: str) -> bool:
        """Whether the worker has been declared dead; if not, it is kept from that until the transaction ends."""
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
        runs: Sequence[int],
        now: dt.datetime,
    ) -> set[int]:
        """
        Mark and end deliveries of these runs, no delivery twice; returns the ids of those that held.

        None does whose worker has been declared dead; the runs are kept from being paused or cancelled meanwhile.
        """
        ...


COLUMNS: Final = ", ".join(Candidate._fields)
# The words of the index come last: SQLite looks up the first condition on the state, and so reads one state, not five.
# What is held back is asked for by a range: for an equal value PostgreSQL may gather all of them before the first.
READY: Final = {
    (why, single): f"SELECT {COLUMNS} FROM delivery WHERE run_id {'IS NULL' if single else '= ?'}"  # noqa: S608  our own words
    f" AND {why.value} AND {OPEN} ORDER BY next_at LIMIT ?"
    for why in Ready
    for single in (True, False)
}
RUNNING: Final = (
    "SELECT id, started, dated, COALESCE(stage, '') = 'passed' FROM run WHERE state = 'running' ORDER BY id"
)
# A single message is dated when it was planned: until its first claim that is when its row was last changed. One that
# was held back is dated when it is first claimed: the Date of its run may be a day old by then.
TAKE: Final = (
    "UPDATE delivery SET state = 'claimed', worker = ?, epoch = epoch + 1, changed = ?,"
    " dated = CASE WHEN run_id IS NULL THEN COALESCE(dated, changed)"
    " WHEN next_at = ? THEN COALESCE(dated, ?) ELSE dated END WHERE id"
)
GIVE_BACK: Final = (
    "UPDATE delivery SET state = 'planned', worker = NULL, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state = 'claimed'"
)
POSTPONE: Final = (
    "UPDATE delivery SET state = 'deferred', next_at = ?, reason = ?, worker = NULL, changed = ?"
    " WHERE id = ? AND epoch = ? AND worker = ? AND state = 'claimed'"
)
POSTPONED: Final = "held back: the provider of this address wants less at once"
# What comes back from the wire to a run that has been cancelled meanwhile does not go out again.
RECALL: Final = (
    "UPDATE delivery SET state = 'cancelled', epoch = epoch + 1, next_at = NULL, address = NULL"
    " WHERE state IN ('planned', 'deferred')"
    " AND run_id IN (SELECT id FROM run WHERE state IN ('finished', 'cancelled')) AND id"
)
ATTEMPT: Final = (
    "INSERT INTO attempt (delivery_id, number, epoch, worker, relay, verdict, fault, phase, code, enhanced, text,"
    " began, at, seal)"
)


@contextmanager
def driver_errors(connection: Joined, dialect: Dialect) -> Iterator[None]:
    """Turn what the driver raises into SQLAlchemy's errors, which the rest of the program knows."""
    kind = dialect.loaded_dbapi.Error
    try:
        yield
    except kind as error:
        is_gone = dialect.is_disconnect(error, driver_of(connection), None)
        raise DBAPIError.instance(None, None, error, kind, connection_invalidated=is_gone, dialect=dialect) from error


def due_by(why: Ready, now: dt.datetime) -> dt.datetime:
    """The time that stands in the statement of `READY`."""
    return HELD_BACK if why is Ready.HELD_BACK else now


def ready_values(
    due: dt.datetime | str, why: Ready, run_id: int | None, limit: int
) -> tuple[int | dt.datetime | str, ...]:
    """The values of the statement of `READY`, in order; `due` as the driver takes it."""
    run = () if run_id is None else (run_id,)
    return (*run, *(() if why is Ready.AT_ONCE else (due,)), limit)


def driver_of(connection: Joined) -> Any:
    """The driver's own connection: SQLAlchemy's way to it costs as much as twenty rows."""
    return (connection.connection if isinstance(connection, Connection) else connection).driver_connection
