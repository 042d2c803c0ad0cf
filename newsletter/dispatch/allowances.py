"""
What a relay may be given by all workers together: leases of its rate and of its number for a day, on PostgreSQL.

Takes a connection or a session, never commits. Time is the database's (`clock_timestamp`: a lease may have waited for
another one, and a transaction's own time stands still meanwhile).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.dispatch.leased_bucket import Rate
from newsletter.dispatch.leased_warm_up import Share
from newsletter.dispatch.models import RelayLeaseRow, RelayPaceRow
from newsletter.dispatch.statements import Joined, driver_of
from newsletter.dispatch.store import taken_by_workers
from newsletter.dispatch.warm_up import midnight_after, midnight_before, quota_of
from newsletter.dispatch.workers import alive

PARTS: Final = 4
"""A worker leases at most such a part of what would be its own if all had the same."""

# One short lock after the other: nobody waits for the disk. A server that fails forgets the leases of its last moment,
# but nothing goes out while it is away, so that they are over when it comes back.
_LEASE: Final = """
INSERT INTO relay_pace (relay, full_at, used) VALUES (%(relay)s, clock_timestamp() + %(span)s, 0)
ON CONFLICT (relay) DO UPDATE SET full_at = greatest(relay_pace.full_at, clock_timestamp()) + %(span)s
RETURNING full_at, clock_timestamp(), set_config('synchronous_commit', 'off', true)
"""
_RETURN: Final = """
UPDATE relay_pace SET full_at = full_at - %(span)s WHERE relay = %(relay)s AND full_at = %(seen)s
"""


def lease_tokens(connection: Joined, relay: str, *, number: int, rate: Rate) -> tuple[dt.datetime, float]:
    """Take tokens of a relay's bucket; returns when it is full again, and in how many seconds that is."""
    values = {"relay": relay, "span": dt.timedelta(seconds=number * rate.interval)}
    full_at, now, _ = driver_of(connection).execute(_LEASE, values).fetchone()
    return full_at, (full_at - now).total_seconds()


def return_tokens(connection: Joined, relay: str, *, number: int, rate: Rate, seen: dt.datetime) -> None:
    """Give the last tokens of a lease back if nobody came after it: `seen` is what it had returned."""
    values: dict[str, Any] = {"relay": relay, "span": dt.timedelta(seconds=number * rate.interval), "seen": seen}
    driver_of(connection).execute(_RETURN, values)


def lease_quota(
    session: Session, relay: str, *, worker: str, number: int, quotas: Sequence[int], start: dt.date
) -> Share:
    """
    Lease up to `number` of what a relay may be given today.

    What is used is counted anew at a worker's first lease of a day, after another one has died, and before it is said
    that nothing is left: what the relay has taken and what living workers hold besides. The relay's row is locked until
    the caller commits.
    """
    row, now = _locked(session, relay)
    ends_in = (midnight_after(now) - now).total_seconds()
    quota = quota_of(now.date(), quotas=quotas, start=start)
    if quota is None:
        return Share(None, ends_in)
    before = 0
    leasing = set(session.scalars(_leases(relay, now).where(col(RelayLeaseRow.worker).in_(alive()))))
    if worker not in leasing or row.used >= quota or len(session.scalars(_leases(relay, now)).all()) > len(leasing):
        taken, held = _count(session, row, now)
        if row.used >= quota:
            return Share(0, ends_in, is_spent=not held)
        before = 0 if worker in leasing else taken.get(worker, 0)
    part = min(number, max(1, (quota - row.used) // (PARTS * len({worker, *leasing}))))
    row.used += part
    _note(session, relay, worker, before + part, now)
    return Share(part, ends_in)


def return_quota(session: Session, relay: str, *, worker: str, number: int) -> None:
    """Give back what is not used; what was leased on another day is not known any more."""
    row, now = _locked(session, relay)
    mine = (_of(relay), col(RelayLeaseRow.worker) == worker, col(RelayLeaseRow.day) == now.date())
    enough = col(RelayLeaseRow.leased) >= number
    leased = update(RelayLeaseRow).where(*mine, enough).values(leased=col(RelayLeaseRow.leased) - number)
    if row.day == now.date() and changed_rows(session, leased):
        row.used -= number


def _locked(session: Session, relay: str) -> tuple[RelayPaceRow, dt.datetime]:
    """The row of a relay, kept from others until the transaction ends, and what time it is then."""
    session.execute(insert(RelayPaceRow).values(relay=relay, used=0).on_conflict_do_nothing())
    row = session.scalars(select(RelayPaceRow).where(col(RelayPaceRow.relay) == relay).with_for_update()).one()
    return row, session.execute(select(func.clock_timestamp())).scalar_one().astimezone(dt.UTC)


def _count(session: Session, row: RelayPaceRow, now: dt.datetime) -> tuple[Mapping[str, int], int]:
    """
    Count what is used, and forget the leases of the dead and of other days.

    Returns what the relay has taken of each worker, and how much is held unused.
    """
    gone = col(RelayLeaseRow.worker).not_in(alive()) | (col(RelayLeaseRow.day) != now.date())
    session.execute(delete(RelayLeaseRow).where(_of(row.relay), gone))
    taken = taken_by_workers(session, row.relay, midnight_before(now))
    leases = session.execute(select(col(RelayLeaseRow.worker), col(RelayLeaseRow.leased)).where(_of(row.relay))).all()
    held = sum(max(0, leased - taken.get(worker, 0)) for worker, leased in leases)
    row.day, row.used = now.date(), sum(taken.values()) + held
    session.flush()
    return taken, held


def _leases(relay: str, now: dt.datetime) -> Select[str]:
    """The workers that have leased of a relay's number for this day."""
    return select(col(RelayLeaseRow.worker)).where(_of(relay), col(RelayLeaseRow.day) == now.date())


def _note(session: Session, relay: str, worker: str, number: int, now: dt.datetime) -> None:
    lease = insert(RelayLeaseRow).values(relay=relay, worker=worker, day=now.date(), leased=number)
    more = {"leased": col(RelayLeaseRow.leased) + number}
    session.execute(lease.on_conflict_do_update(index_elements=["relay", "worker"], set_=more))


def _of(relay: str) -> ColumnElement[bool]:
    return col(RelayLeaseRow.relay) == relay
