"""
Choosing: which deliveries are claimed next.

Takes the statements of a database and the runs that are running, yields rows as they stand: single messages first, then
runs in order, and of each what is due again first. Reads only; the transaction is the ledger's.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from newsletter.dispatch.entries import Claim
from newsletter.dispatch.on_postgres import ready_within
from newsletter.dispatch.statements import Candidate, Ready, RunningRun, Statements
from newsletter.planning.shards import Shard

Runs: TypeAlias = Mapping[int | None, RunningRun]
"""The running runs by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to choose from, and how many at most."""

    statements: Statements
    connection: Connection
    runs: Runs
    limit: int
    now: dt.datetime

    def of_anybody(self) -> list[Candidate]:
        """What is nobody's in particular: everything that can go out now."""
        found: list[Candidate] = []
        for run_id in (None, *self.runs):
            for why in Ready:
                found += self._ready(run_id, why, self.limit - len(found))
        return found

    def within(self, shards: Sequence[Shard]) -> tuple[list[Candidate], list[Shard]]:
        """
        The same, but of what can go out at once and was never tried only what lies in these shards.

        Where that gives nothing at all, whatever of the runs can go: nobody may ever have been granted it. Also returns
        the shards of which nothing is left, or whose run is not running.
        """
        found: list[Candidate] = []
        spent = [shard for shard in shards if shard.run_id not in self.runs]
        for run_id in (None, *self.runs):
            for why in Ready:
                if run_id is None or why is not Ready.AT_ONCE:
                    found += self._ready(run_id, why, self.limit - len(found))
                    continue
                for shard in (each for each in shards if each.run_id == run_id and len(found) < self.limit):
                    some = ready_within(self.connection, shard, limit=self.limit - len(found))
                    spent += [shard] if len(found) + len(some) < self.limit else []
                    found += some
        for run_id in self.runs if not found else ():
            found += self._ready(run_id, Ready.AT_ONCE, self.limit - len(found))
        return found, spent

    def claim(self, row: Candidate, tried: dt.datetime | None) -> Claim:
        """
        The claim of a row that was chosen; `tried` is when a single message was first tried.

        What is claimed for the first time is dated as it was planned; the statement stores that date. Whatever waited
        for its own time has a date of its own, and tries from then on.
        """
        run = self.runs.get(row.run_id)
        since, dated = (row.dated or run.started, row.dated or run.dated) if run else (None, row.dated or row.changed)
        return Claim(
            delivery_id=row.id,
            epoch=row.epoch + 1,
            number=row.attempts + 1,
            mailing=row.mailing,
            run_id=row.run_id,
            subscriber_id=row.subscriber_id,
            address=row.address,
            digest=row.digest,
            language=row.language,
            artifact=row.artifact,
            repeats=row.repeats,
            since=since or tried or self.now,
            dated=dated or since or self.now,
            seal=row.seal,
        )

    def _ready(self, run_id: int | None, why: Ready, limit: int) -> list[Candidate]:
        is_held = why is Ready.HELD_BACK
        if limit <= 0 or (is_held and (run_id is None or not self.runs[run_id].has_passed)):
            return []
        some = self.statements.ready(self.connection, why, run_id=run_id, limit=limit, now=self.now)
        return [row._replace(dated=row.dated or self.now) for row in some] if is_held else some
