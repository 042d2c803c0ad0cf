"""The hot path on PostgreSQL, see `statements`: many writers, one round trip a group."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from newsletter.dispatch.entries import Ended
from newsletter.dispatch.statements import (
    ATTEMPT,
    COLUMNS,
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
from newsletter.planning.shards import Shard
from newsletter.planning.stage import HELD_BACK

# The words around the state keep the server from the index of open deliveries, where those of the shard lie among all
# others of the run: it is to go along the primary key.
_READY_WITHIN: Final = (
    f"SELECT {COLUMNS} FROM delivery WHERE id BETWEEN %s AND %s AND run_id = %s AND state || '' = 'planned'"  # noqa: S608  our own words
    " AND next_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
)
_ENDED_WORKER: Final = "SELECT ended IS NOT NULL FROM worker WHERE name = %s FOR SHARE"
_FIELDS: Final = {
    "delivery_id": "bigint",
    "epoch": "int",
    "state": "text",
    "next_at": "timestamptz",
    "reason": "text",
    "attempts": "int",
    "seal": "text",
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
"""What is said of a delivery; of one that is marked only some: the number of its attempt stands in `attempts`."""

_COLUMNS: Final = ", ".join(f"{name} {kind}" for name, kind in _FIELDS.items())
# The entries travel as one text: the driver takes seven times as long over arrays. Each step waits for the one before:
# no worker is asked for before its runs are locked, no delivery is touched before its worker is. A row that somebody
# has changed since the statement began is looked at again as it is then, with all its conditions (READ COMMITTED).
_WRITE: Final = f"""
WITH shared AS MATERIALIZED (
    SELECT id FROM run WHERE id = ANY(%(runs)s::bigint[]) ORDER BY id FOR SHARE
), life AS MATERIALIZED (
    SELECT ended FROM worker WHERE name = %(worker)s AND (SELECT count(*) FROM shared) >= 0 FOR SHARE
), entry AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(entries)s::json) AS entry({_COLUMNS})
), marked AS (
    UPDATE delivery SET state = 'sending', attempts = entry.attempts, changed = %(now)s
    FROM entry
    WHERE entry.state = 'sending' AND id = entry.delivery_id AND delivery.epoch = entry.epoch
        AND delivery.worker = %(worker)s AND delivery.state || '' = 'claimed'
        AND NOT EXISTS (SELECT FROM life WHERE ended IS NOT NULL)
    RETURNING id
), held AS (
    UPDATE delivery SET state = entry.state, next_at = entry.next_at, reason = entry.reason,
        attempts = entry.attempts, seal = decode(entry.seal, 'hex'), worker = NULL, changed = %(now)s,
        address = CASE WHEN entry.forgets THEN NULL ELSE address END
    FROM entry
    WHERE entry.state <> 'sending' AND id = entry.delivery_id AND delivery.epoch = entry.epoch
        AND delivery.worker = %(worker)s AND delivery.state || '' IN ('claimed', 'sending')
        AND NOT EXISTS (SELECT FROM life WHERE ended IS NOT NULL)
    RETURNING id
), kept AS (
    {ATTEMPT}
    SELECT delivery_id, attempts, epoch, %(worker)s, relay, verdict, fault, phase, code, enhanced, text, began,
        %(now)s, decode(seal, 'hex')
    FROM entry JOIN held ON held.id = entry.delivery_id WHERE verdict IS NOT NULL
)
SELECT id FROM held UNION ALL SELECT id FROM marked
"""  # noqa: S608  our own words


class PostgresStatements:
    """
    Many writers: one statement moves a whole group, and returns what held.

    Runs are locked before workers and workers before deliveries, everywhere: whoever pauses or cancels a run, or buries
    a worker, waits for us or we for them, and never both.
    """

    def is_fenced(self, connection: Joined, worker: str) -> bool:
        """See `Statements`."""
        ended = driver_of(connection).execute(_ENDED_WORKER, (worker,)).fetchone()
        return ended is not None and ended[0]

    def running(self, connection: Connection) -> list[RunningRun]:
        """See `Statements`."""
        rows = driver_of(connection).execute(f"{RUNNING} FOR SHARE").fetchall()
        return [RunningRun(*row) for row in rows]

    def ready(
        self, connection: Connection, why: Ready, *, run_id: int | None, limit: int, now: dt.datetime
    ) -> list[Candidate]:
        """See `Statements`; what another worker is taking at this moment is passed over."""
        values = ready_values(due_by(why, now), why, run_id, limit)
        found = driver_of(connection).execute(f"{_pg(READY[why, run_id is None])} FOR UPDATE SKIP LOCKED", values)
        return [Candidate(*row) for row in found.fetchall()]

    def take(self, connection: Connection, ids: Sequence[int], *, worker: str, now: dt.datetime) -> None:
        """See `Statements`."""
        driver_of(connection).execute(_pg(f"{TAKE} = ANY(?::bigint[])"), (worker, now, HELD_BACK, now, _array(ids)))

    def give_back(
        self, connection: Connection, claims: Iterable[tuple[int, int]], *, worker: str, now: dt.datetime
    ) -> None:
        """See `Statements`."""
        for id_, epoch in claims:
            driver_of(connection).execute(_pg(GIVE_BACK), (now, id_, epoch, worker))

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
            driver_of(connection).execute(_pg(POSTPONE), (until, POSTPONED, now, id_, epoch, worker))

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
        """See `Statements`."""
        entries = json.dumps([*map(_mark_row, marks), *map(_end_row, ends)])
        values = {"entries": entries, "worker": worker, "runs": _array(runs), "now": now}
        held = {id_ for (id_,) in driver_of(connection).execute(_WRITE, values).fetchall()}
        if returning := [end.delivery_id for end in ends if end.returns and end.delivery_id in held]:
            driver_of(connection).execute(_pg(f"{RECALL} = ANY(?::bigint[])"), (_array(returning),))
        return held


def ready_within(connection: Connection, shard: Shard, *, limit: int) -> list[Candidate]:
    """
    Up to `limit` deliveries of a shard that can go out at once and were never tried; see `Statements.ready`.

    Fewer than that: nothing of it is left to claim.
    """
    found = driver_of(connection).execute(_READY_WITHIN, (shard.first, shard.last, shard.run_id, limit))
    return [Candidate(*row) for row in found.fetchall()]


def _array(numbers: Sequence[int]) -> str:
    """Numbers as the server reads an array: the driver takes as long over a list as over all else of a statement."""
    return f"{{{','.join(map(str, numbers))}}}"


def _pg(statement: str) -> str:
    return statement.replace("?", "%s")


def _mark_row(mark: Marked) -> dict[str, Any]:
    id_, epoch, number = mark
    return {"delivery_id": id_, "epoch": epoch, "state": "sending", "attempts": number}


def _end_row(end: Ended) -> dict[str, Any]:
    """The `_FIELDS`; what the attempt shares with its delivery is not sent twice."""
    row: dict[str, Any] = {
        "delivery_id": end.delivery_id,
        "epoch": end.epoch,
        "state": end.state,
        "next_at": _iso(end.next_at),
        "reason": end.reason,
        "attempts": end.attempts,
        "seal": end.seal.hex() if end.seal else None,
        "forgets": end.forgets,
    }
    if tried := end.tried:
        row |= {
            "relay": tried.relay,
            "verdict": tried.verdict,
            "fault": tried.fault,
            "phase": tried.phase,
            "code": tried.code,
            "enhanced": tried.enhanced,
            "text": tried.text,
            "began": _iso(tried.began),
        }
    return row


def _iso(instant: dt.datetime | None) -> str | None:
    return instant.isoformat() if instant else None
