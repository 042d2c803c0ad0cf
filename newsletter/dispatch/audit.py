"""
The audit: proof afterwards that every frozen recipient ended exactly once.

Takes a mailing, reads deliveries and attempts, yields one `Check` per invariant with its count of violations. Reads
only, and can be run at any time; while a run is under way the invariants hold as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One invariant: what must hold, how often it does not."""

    code: str
    words: str
    violations: int

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against it."""
        return self.violations == 0


UNENDED = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED)


def audit(session: Session, mailing: str) -> list[Check]:
    """Check the invariants of a mailing (numbers after notes on reliability, §3.3)."""
    ours = col(DeliveryRow.mailing) == mailing
    accepted = _attempts(col(AttemptRow.verdict) == Verdict.ACCEPTED)
    any_attempt = _attempts()
    highest = select(func.max(AttemptRow.number)).where(col(AttemptRow.delivery_id) == DeliveryRow.id).scalar_subquery()
    is_accepted = col(DeliveryRow.state) == DeliveryState.ACCEPTED
    in_flight = col(DeliveryRow.state) == DeliveryState.SENDING
    return [
        Check(
            code="I1",
            words="everybody whose audience was frozen has a delivery, and none is open once the run has finished",
            violations=_missing(session, mailing) + _open_after_the_end(session, ours),
        ),
        Check(
            code="I2",
            words="each accepted delivery has exactly one accepted attempt, every other has none",
            violations=_count(session, ours, is_accepted, accepted != 1)
            + _count(session, ours, ~is_accepted, accepted > 0),
        ),
        Check(
            code="I3",
            words="nobody was sent more than once without an attempt named uncertain before it",
            violations=_unnamed_repeats(session, ours),
        ),
        Check(
            code="I5",
            words="attempts are numbered without a gap",
            violations=_count(session, ours, ~in_flight, any_attempt != DeliveryRow.attempts)
            + _count(session, ours, any_attempt > 0, highest != any_attempt)
            + _count(session, ours, in_flight, any_attempt != col(DeliveryRow.attempts) - 1),
        ),
        Check(
            code="I9",
            words="there is one delivery per address",
            violations=_repeated_addresses(session, ours),
        ),
    ]


def _attempts(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """How many attempts of some kind a delivery has."""
    query = select(func.count()).where(col(AttemptRow.delivery_id) == DeliveryRow.id, *conditions)
    return query.correlate(DeliveryRow).scalar_subquery()


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return _number(session, select(func.count()).select_from(DeliveryRow).where(*conditions))


def _number(session: Session, query: Select[int]) -> int:
    return int(session.scalar(query) or 0)


def _runs(session: Session, mailing: str) -> Sequence[RunRow]:
    return session.scalars(select(RunRow).where(col(RunRow.mailing) == mailing)).all()


def _missing(session: Session, mailing: str) -> int:
    """People of the newest run's audience who have no delivery; earlier runs may have handed theirs on."""
    frozen = [run for run in _runs(session, mailing) if run.state not in {RunState.SCHEDULED, RunState.PLANNING}]
    if not frozen:
        return 0
    newest = max(frozen, key=lambda run: run.id or 0)
    return max(0, newest.total - _count(session, col(DeliveryRow.run_id) == newest.id))


def _open_after_the_end(session: Session, ours: ColumnElement[bool]) -> int:
    ended = select(col(RunRow.id)).where(col(RunRow.state).in_([RunState.FINISHED, RunState.CANCELLED]))
    return _count(session, ours, col(DeliveryRow.run_id).in_(ended), col(DeliveryRow.state).in_(UNENDED))


def _unnamed_repeats(session: Session, ours: ColumnElement[bool]) -> int:
    """Attempts that follow an accepted one: an accepted delivery must never be opened again."""
    later = (
        select(func.count())
        .select_from(AttemptRow)
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .where(ours, col(AttemptRow.verdict) == Verdict.ACCEPTED, col(AttemptRow.number) < col(DeliveryRow.attempts))
    )
    return _number(session, later)


def _repeated_addresses(session: Session, ours: ColumnElement[bool]) -> int:
    repeated = (
        select(col(DeliveryRow.digest))
        .where(ours)
        .group_by(col(DeliveryRow.digest))
        .having(func.count() > 1)
        .subquery()
    )
    return _number(session, select(func.count()).select_from(repeated))
