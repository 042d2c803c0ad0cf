"""
What all attempts came to since there are any, kept as running totals: the counters that a monitoring reads.

Takes a session; `keep` commits by itself, a chunk at a time. A total never goes back, whatever retention deletes, and
costs the same to read after a hundred attempts and after ten million: settled attempts are counted once and added to
what is kept, and only those since then are counted by whoever reads. On PostgreSQL an attempt may become visible after
one with a higher id; so what is kept ends at the id that was the newest `SETTLED` ago.
"""

import datetime as dt
from collections import Counter
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, BigInteger, Column, func, select, update
from sqlmodel import Field, Session, col

from newsletter.database import Sessions, changed_rows
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Verdict
from subscribers.columns import Base, insert_into, instant

SETTLED: Final = dt.timedelta(seconds=15)
"""After which no attempt comes to light whose id was given out before: dispatchers' transactions sleep 5 s at most."""

CHUNK: Final = 100_000
"""Ids that are counted at a time: a fraction of a second."""

ONLY: Final = 1
"""The id of the only row."""


class Total(NamedTuple):
    """What attempts over a relay came to, by whose fault, and how many did."""

    relay: str
    verdict: Verdict
    fault: Fault | None
    number: int


class TotalsRow(Base, table=True):
    """
    The totals of all attempts up to the id `seen`: one row.

    `counts` are lists of relay, verdict, fault and number. `newest` was the newest id when somebody `looked`.
    """

    __tablename__ = "attempt_totals"

    id: int = Field(default=ONLY, primary_key=True, sa_column_kwargs={"autoincrement": False})
    seen: int = Field(default=0, sa_type=BigInteger)
    newest: int = Field(default=0, sa_type=BigInteger)
    looked: dt.datetime = instant()
    counts: list[Any] = Field(default_factory=list, sa_column=Column(JSON(), nullable=False))


def keep(sessions: Sessions, now: dt.datetime) -> int:
    """Count what has settled since the last time and keep it; returns how many attempts. Two at once do no harm."""
    counted = 0
    while True:
        with sessions() as session:
            number = _keep_chunk(session, now)
            session.commit()
        if number is None:
            return counted
        counted += number


def totals(session: Session) -> list[Total]:
    """What all attempts came to; of those that are not kept yet a chunk at most is counted."""
    kept = session.get(TotalsRow, ONLY)
    seen, counts = (kept.seen, kept.counts) if kept else (0, [])
    return _listed(_added(counts, _counted(session, seen, seen + CHUNK)))


def _keep_chunk(session: Session, now: dt.datetime) -> int | None:
    """Keep a chunk; None where there is nothing that has settled."""
    kept = session.get(TotalsRow, ONLY)
    if kept is None:
        first = {"id": ONLY, "seen": 0, "newest": _newest(session), "looked": now, "counts": []}
        session.execute(insert_into(session, TotalsRow).values(first).on_conflict_do_nothing())
        return None
    if kept.seen >= kept.newest:
        if now - kept.looked >= SETTLED:
            _change(session, kept, {"newest": max(kept.newest, _newest(session)), "looked": now})
        return None
    if now - kept.looked < SETTLED:
        return None
    last = min(kept.newest, kept.seen + CHUNK)
    found = _counted(session, kept.seen, last)
    counts = [list(total) for total in _listed(_added(kept.counts, found))]
    return found.total() if _change(session, kept, {"seen": last, "counts": counts}) else None


def _change(session: Session, kept: TotalsRow, values: dict[str, Any]) -> bool:
    unchanged = (col(TotalsRow.seen) == kept.seen, col(TotalsRow.newest) == kept.newest)
    return changed_rows(session, update(TotalsRow).where(*unchanged).values(**values)) == 1


def _newest(session: Session) -> int:
    return session.scalar(select(func.max(AttemptRow.id))) or 0


_Counts = Counter[tuple[str, str, str | None]]


def _counted(session: Session, after: int, until: int) -> _Counts:
    kinds = (col(AttemptRow.relay), col(AttemptRow.verdict), col(AttemptRow.fault))
    these = (col(AttemptRow.id) > after, col(AttemptRow.id) <= until)
    found = session.execute(select(*kinds, func.count()).where(*these).group_by(*kinds))
    return Counter({(relay, verdict, fault): number for relay, verdict, fault, number in found})


def _added(kept: list[Any], found: _Counts) -> _Counts:
    whole: _Counts = Counter({(relay, verdict, fault): number for relay, verdict, fault, number in kept})
    whole.update(found)
    return whole


def _listed(counts: _Counts) -> list[Total]:
    return sorted(
        (
            Total(relay, Verdict(verdict), Fault(fault) if fault else None, number)
            for (relay, verdict, fault), number in counts.items()
        ),
        key=str,
    )
