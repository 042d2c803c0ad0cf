"""
The audit: proof afterwards that every frozen recipient ended exactly once.

Takes a mailing, reads deliveries and attempts, yields one `Check` per invariant with its count of violations. Reads
only, and can be run at any time; while a run is under way the invariants hold as well. No query asks row by row, so a
million deliveries take seconds.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Interval, Row, Select, SQLColumnExpression, and_, case, func, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from newsletter.dispatch.entries import DIED
from newsletter.dispatch.models import AttemptRow, WorkerRow
from newsletter.dispatch.outcome import Verdict
from newsletter.dispatch.seals import Tried, seal
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers.models import Departure, Suppression

COMMITTED: Final = dt.timedelta(seconds=30)
"""
What times may differ by. Whoever leaves is noted with the time of the request, and the commit may wait that long for
another writer (`database.BUSY_SECONDS`); the clocks of several machines differ as well.
"""

_UNSENT: Final = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)

_STOPPED: Final = (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED)


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


def audit(session: Session, mailing: str) -> list[Check]:
    """Check the invariants of a mailing (numbers after notes on reliability, §3.3)."""
    counted = _count_deliveries(session, mailing)
    follows = _count_followers(session, mailing)
    found = {
        "I1": _missing(session, mailing) + counted.open_after_the_end,
        "I2": counted.accepted_amiss,
        "I3": counted.repeated_after_acceptance + counted.repeated_unasked,
        "I4": counted.sent_though_stopped,
        "I5": counted.misnumbered + follows,
        "I6": _begun_too_late(session, mailing),
        "I7": _broken_seals(session, mailing),
        "I8": _too_many_lost(session, mailing),
        "I9": _repeated_addresses(session, mailing),
    }
    return [Check(code=code, words=_WORDS[code], violations=count) for code, count in found.items()]


_WORDS: Final = {
    "I1": "everybody whose audience was frozen has a delivery, and none is open once the run has finished",
    "I2": "each accepted delivery has exactly one accepted attempt, every other has none",
    "I3": "nobody was sent more than once without an attempt named uncertain before it",
    "I4": "nothing was sent to whoever was stopped first, nor to anybody whom no dispatcher had taken",
    "I5": "attempts at a delivery are numbered without a gap, follow each other, and never overlapped",
    "I6": "no message was begun after its reader had left or the address was suppressed",
    "I7": "no attempt was altered or removed since it was written",
    "I8": "no death of a dispatcher left more messages in doubt than it had connections",
    "I9": "there is one delivery per address, and so one Message-ID",
}


def _count_deliveries(session: Session, mailing: str) -> Row[Any]:
    """What can be told of each delivery by itself, with its attempts counted."""
    tally = _tally(mailing)
    state, attempts = col(DeliveryRow.state), col(DeliveryRow.attempts)
    accepted, made = func.coalesce(tally.c.accepted, 0), func.coalesce(tally.c.made, 0)
    # While its content is on the wire a delivery counts the attempt that has not ended.
    expected = attempts - case((state == DeliveryState.SENDING, 1), else_=0)
    return session.execute(
        select(
            _sum(_is_open_after_the_end(), "open_after_the_end"),
            _sum(accepted != case((state == DeliveryState.ACCEPTED, 1), else_=0), "accepted_amiss"),
            _sum(tally.c.first_accepted < attempts, "repeated_after_acceptance"),
            _sum(col(DeliveryRow.repeats) > func.coalesce(tally.c.uncertain, 0), "repeated_unasked"),
            _sum(_sent_though_stopped(tally.c.newest_epoch, tally.c.sealed_epoch), "sent_though_stopped"),
            _sum(or_(made != expected, func.coalesce(tally.c.highest, 0) != made), "misnumbered"),
        )
        .select_from(DeliveryRow)
        .outerjoin(tally, tally.c.delivery_id == col(DeliveryRow.id))
        .where(col(DeliveryRow.mailing) == mailing)
    ).one()


def _is_open_after_the_end() -> ColumnElement[bool]:
    """Whether a delivery is open though its run has ended; what is on the wire at a cancelling is beyond recall."""
    state = col(DeliveryRow.state)
    return or_(
        and_(state.in_(_UNSENT), _run_is(RunState.FINISHED, RunState.CANCELLED)),
        and_(state == DeliveryState.SENDING, _run_is(RunState.FINISHED)),
    )


def _run_is(*states: RunState) -> ColumnElement[bool]:
    return col(DeliveryRow.run_id).in_(select(col(RunRow.id)).where(col(RunRow.state).in_(states)))


def _tally(mailing: str) -> Any:
    """The attempts of each delivery that has any, counted."""
    verdict, number, epoch = col(AttemptRow.verdict), col(AttemptRow.number), col(AttemptRow.epoch)
    return (
        select(
            col(AttemptRow.delivery_id),
            func.count().label("made"),
            func.max(number).label("highest"),
            func.max(epoch).label("newest_epoch"),
            func.max(case((col(AttemptRow.seal).is_not(None), epoch))).label("sealed_epoch"),
            func.sum(case((verdict == Verdict.ACCEPTED, 1), else_=0)).label("accepted"),
            func.min(case((verdict == Verdict.ACCEPTED, number))).label("first_accepted"),
            func.sum(case((verdict == Verdict.UNCERTAIN, 1), else_=0)).label("uncertain"),
        )
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .where(col(DeliveryRow.mailing) == mailing)
        .group_by(col(AttemptRow.delivery_id))
        .subquery()
    )


def _sent_though_stopped(newest: ColumnElement[int], sealed: ColumnElement[int]) -> ColumnElement[bool]:
    """
    Whether an attempt belongs to no claim, or follows the stop.

    A claim counts the epoch up, and so does whoever stops a delivery: nothing can follow it in the same epoch. Attempts
    without a seal are from before that was so.
    """
    epoch = col(DeliveryRow.epoch)
    return or_(newest > epoch, newest < 1, and_(col(DeliveryRow.state).in_(_STOPPED), sealed >= epoch))


def _count_followers(session: Session, mailing: str) -> int:
    """Attempts that do not follow the one before: of no later claim, or begun before that had ended."""
    before, after = aliased(AttemptRow), aliased(AttemptRow)
    began, over = col(after.began), col(before.at)
    # One worker has one clock; those of several may differ.
    overlap = case((col(after.worker) == col(before.worker), began < over), else_=began < _earlier(session, over))
    return _number(
        session,
        select(func.count())
        .select_from(after)
        .join(before, and_(col(before.delivery_id) == after.delivery_id, col(before.number) == after.number - 1))
        .join(DeliveryRow, col(DeliveryRow.id) == after.delivery_id)
        .where(
            col(DeliveryRow.mailing) == mailing,
            col(after.number) > 1,
            or_(col(after.epoch) <= before.epoch, overlap),
        ),
    )


def _begun_too_late(session: Session, mailing: str) -> int:
    """Attempts of runs that were begun after the address was suppressed, or the person had left this newsletter."""
    newsletter = mailing.partition(":")[2].partition("/")[0]
    began = _earlier(session, col(AttemptRow.began))
    left = and_(
        col(Departure.subscriber_id) == DeliveryRow.subscriber_id,
        col(Departure.newsletter) == newsletter,
        col(Departure.at) < began,
    )
    suppressed = and_(col(Suppression.digest) == DeliveryRow.digest, col(Suppression.since) < began)
    return _number(
        session,
        select(func.count())
        .select_from(AttemptRow)
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .outerjoin(Departure, left)
        .outerjoin(Suppression, suppressed)
        .where(
            col(DeliveryRow.mailing) == mailing,
            col(DeliveryRow.run_id).is_not(None),
            or_(col(Departure.at).is_not(None), col(Suppression.digest).is_not(None)),
        ),
    )


def _broken_seals(session: Session, mailing: str) -> int:
    """Deliveries whose chain of attempts does not lead to the seal that they hold."""
    columns = [col(getattr(AttemptRow, name)) for name in Tried._fields]
    rows = session.execute(
        select(col(DeliveryRow.id), col(DeliveryRow.seal), col(AttemptRow.seal), *columns)
        .outerjoin(AttemptRow, col(AttemptRow.delivery_id) == col(DeliveryRow.id))
        .where(col(DeliveryRow.mailing) == mailing)
        .order_by(col(DeliveryRow.id), col(AttemptRow.number))
        .execution_options(yield_per=5_000)
    )
    return sum(not whole for whole in _whole_chains(rows))


def _whole_chains(rows: Iterable[Sequence[Any]]) -> Iterator[bool]:
    """Say of each delivery whether its attempts lead, sealed one upon the other, to the seal that it holds."""
    delivery_id: int | None = None
    whole, newest, held = True, None, None
    for own_id, own_seal, stored, *values in rows:
        if own_id != delivery_id:
            if delivery_id is not None:
                yield whole and newest == held
            delivery_id, held, whole, newest = own_id, own_seal, True, None
        if values[0] is not None:
            whole = whole and _is_sealed(newest, stored, Tried._make(values))
            newest = stored
    if delivery_id is not None:
        yield whole and newest == held


def _is_sealed(previous: bytes | None, stored: bytes | None, tried: Tried) -> bool:
    """Attempts from before there were seals have none; after one that has, none may lack it."""
    return previous is None if stored is None else seal(previous, tried) == stored


def _too_many_lost(session: Session, mailing: str) -> int:
    """Deaths that left more in doubt than the dispatcher had connections, where it said how many those are."""
    deaths = (
        select(col(AttemptRow.worker))
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .join(WorkerRow, col(WorkerRow.name) == col(AttemptRow.worker))
        .where(col(DeliveryRow.mailing) == mailing, col(AttemptRow.text) == DIED)
        .group_by(col(AttemptRow.worker), col(AttemptRow.at), col(WorkerRow.connections))
        .having(func.count() > col(WorkerRow.connections))
        .subquery()
    )
    return _number(session, select(func.count()).select_from(deaths))


def _missing(session: Session, mailing: str) -> int:
    """People of the newest run's audience who have no delivery; earlier runs may have handed theirs on."""
    frozen = [run for run in _runs(session, mailing) if run.state not in {RunState.SCHEDULED, RunState.PLANNING}]
    if not frozen:
        return 0
    newest = max(frozen, key=lambda run: run.id or 0)
    theirs = select(func.count()).where(col(DeliveryRow.mailing) == mailing, col(DeliveryRow.run_id) == newest.id)
    return max(0, newest.total - _number(session, theirs))


def _repeated_addresses(session: Session, mailing: str) -> int:
    repeated = (
        select(col(DeliveryRow.digest))
        .where(col(DeliveryRow.mailing) == mailing)
        .group_by(col(DeliveryRow.digest))
        .having(func.count() > 1)
        .subquery()
    )
    return _number(session, select(func.count()).select_from(repeated))


def _runs(session: Session, mailing: str) -> Sequence[RunRow]:
    return session.scalars(select(RunRow).where(col(RunRow.mailing) == mailing)).all()


def _sum(condition: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name)


def _number(session: Session, statement: Select[int]) -> int:
    return int(session.scalar(statement) or 0)


def _earlier(session: Session, instant: SQLColumnExpression[Any]) -> SQLColumnExpression[Any]:
    """A stored instant less `COMMITTED`, in the words of the database."""
    if session.get_bind().dialect.name == "postgresql":
        return instant - literal(COMMITTED, Interval())
    # As SQLAlchemy stores it, but for the last three digits, which do not matter here.
    return func.strftime("%Y-%m-%d %H:%M:%f", instant, f"-{COMMITTED.total_seconds()} seconds")
