"""
The ledger: the only place where a delivery changes its state while a run is under way.

    planned ─claim─► claimed ─mark─► sending ─► accepted | deferred | refused | uncertain

Every transition is a guarded UPDATE (state, worker, epoch) whose row count says whether it held: a delivery that an
officer or an unsubscribe has moved meanwhile, or that another dispatcher has taken over, is lost to this one, and its
late write hits no row. The ledger commits its own transactions, because a mark is worth nothing before it is committed.
It is synchronous; `dispatcher` calls it from one task, the single writer.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlmodel import Session, col

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.database import Sessions, changed_rows
from newsletter.dispatch import store
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.store import ENDED_STATES
from newsletter.settings import Uncertain
from subscribers.address import masked
from subscribers.columns import UTCDateTime

_DIED = "the dispatcher died before the relay replied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    A delivery that this dispatcher has taken.

    `number` is that of the attempt to come; `since` is when its run started, or when a single message was first tried;
    `dated` is the Date of the message.
    """

    delivery_id: int
    epoch: int
    number: int
    mailing: str
    run_id: int | None
    subscriber_id: int | None
    address: str | None
    digest: str
    language: str
    artifact: str
    repeats: int
    since: dt.datetime
    dated: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The content of this delivery is about to be written."""

    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An attempt has ended; `next_at` is when to try again, None with a deferral means that it has expired."""

    claim: Claim
    outcome: Outcome
    marked: bool
    relay: str
    next_at: dt.datetime | None = None


class Standing(StrEnum):
    """Whether there is anything left to do."""

    #: Every delivery of the due runs has ended.
    DONE = "done"
    #: Something can be done now.
    READY = "ready"
    #: Something is to be done later.
    WAITING = "waiting"


class Ledger:
    """The deliveries of one dispatcher, named `worker`."""

    def __init__(self, sessions: Sessions, *, worker: str, uncertain: Uncertain, hold: dt.timedelta) -> None:
        self._sessions = sessions
        self._worker = worker
        self._uncertain = uncertain
        self._hold = hold

    def take_over(self, now: dt.datetime) -> tuple[int, int]:
        """
        Clear up after a dispatcher that died: call it once, holding the dispatcher's lock.

        What was claimed is planned again: nothing of it was sent. What was being sent is uncertain, with an attempt
        that says so, and under the policy `repeat` planned again at once: nobody is left out, unless the run has been
        cancelled meanwhile. Returns how many of each.
        """
        sending, claimed = store.in_state(DeliveryState.SENDING), store.in_state(DeliveryState.CLAIMED)
        with self._sessions() as session:
            dying = session.scalars(select(DeliveryRow).where(sending)).all()
            session.add_all(_lost_attempt(row, now) for row in dying)
            for run_id in store.live_runs(session) if self._uncertain is Uncertain.REPEAT else ():
                again = store.in_state(DeliveryState.SENDING, store.of_run(run_id))
                self._move(session, again, state=DeliveryState.PLANNED, now=now, reason=_DIED)
            self._move(session, sending, state=DeliveryState.UNCERTAIN, now=now, reason=_DIED)
            released = self._move(session, claimed, state=DeliveryState.PLANNED, now=now)
            session.commit()
        return released, len(dying)

    def claim(self, limit: int, now: dt.datetime) -> list[Claim]:
        """Take up to `limit` deliveries that can go out now; those that nobody wants any more end here."""
        with self._sessions() as session:
            rows = store.ready(session, limit, now)
            if not rows:
                session.rollback()
                return []
            unwanted = store.unwanted(session, rows)
            tried = store.first_tried(session, rows)
            claims = [_claim(row, run, tried) for row, run in rows if row.id not in unwanted]
            self._take(session, [claim.delivery_id for claim in claims], now)
            if unwanted:
                self._move(session, col(DeliveryRow.id).in_(unwanted), state=DeliveryState.SUPPRESSED, now=now)
            session.commit()
        return claims

    def release(self, claims: Iterable[Claim], now: dt.datetime) -> None:
        """Give back what was claimed and not begun."""
        with self._sessions() as session:
            for claim in claims:
                session.execute(
                    update(DeliveryRow)
                    .where(*self._held(claim, DeliveryState.CLAIMED))
                    .values(state=DeliveryState.PLANNED, worker=None, changed=now)
                )
            session.commit()

    def drop(self, claims: Sequence[Claim], now: dt.datetime) -> None:
        """End claims whose person has gone since the audience was frozen: nobody is there to write to."""
        if not claims:
            return
        with self._sessions() as session:
            for claim in claims:
                held = and_(*self._held(claim, DeliveryState.CLAIMED))
                self._move(session, held, state=DeliveryState.SUPPRESSED, now=now, reason="erased", address=None)
            session.commit()

    def commit(self, entries: Sequence[Mark | Result], now: dt.datetime) -> list[bool]:
        """
        Write marks and results of several connections in one transaction.

        Returns for each whether it held. A mark that did not hold means: do not send, somebody else has decided about
        this delivery. A result that did not hold leaves no attempt: whoever has the delivery now numbers their own.
        """
        with self._sessions() as session:
            held = [
                self._mark(session, entry, now) if isinstance(entry, Mark) else self._end(session, entry, now)
                for entry in entries
            ]
            session.commit()
        return held

    def sweep(self, now: dt.datetime) -> int:
        """Plan again what has been uncertain for as long as the policy holds it, once each; returns how many."""
        if self._uncertain is not Uncertain.REPEAT:
            return 0
        due = (col(DeliveryRow.repeats) == 0, col(DeliveryRow.changed) <= now - self._hold)
        with self._sessions() as session:
            swept = 0
            for run_id in store.live_runs(session):
                held = store.in_state(DeliveryState.UNCERTAIN, store.of_run(run_id), *due)
                again = DeliveryRow.repeats + 1
                swept += self._move(session, held, state=DeliveryState.PLANNED, now=now, repeats=again)
            session.commit()
        return swept

    def pause(self, run_id: int, reason: str, now: dt.datetime) -> bool:
        """Pause a run, and its issue, because of something that is wrong with us; says whether this call did it."""
        with self._sessions() as session:
            running = update(RunRow).where(col(RunRow.id) == run_id, col(RunRow.state) == RunState.RUNNING)
            paused = changed_rows(session, running.values(state=RunState.PAUSED, held=reason[:300])) == 1
            mine = store.in_state(DeliveryState.CLAIMED, store.of_run(run_id))
            self._move(session, mine, state=DeliveryState.PLANNED, now=now)
            if paused:
                issue_id = session.get_one(RunRow, run_id).issue_id
                sending = (IssueState.SENDING,)
                issues.set_state(session, issue_id, expected=sending, state=IssueState.PAUSED, now=now)
            session.commit()
        return paused

    def finished_runs(self, now: dt.datetime) -> list[int]:
        """Finish running runs of which every delivery has ended, with their issues; returns the ids of the issues."""
        with self._sessions() as session:
            unended = select(col(DeliveryRow.id)).where(col(DeliveryRow.run_id) == RunRow.id, self._unended())
            runs = session.scalars(select(RunRow).where(col(RunRow.state) == RunState.RUNNING, ~unended.exists())).all()
            for run in runs:
                run.state, run.ended = RunState.FINISHED, now
                sending = (IssueState.SENDING,)
                issues.set_state(session, run.issue_id, expected=sending, state=IssueState.SENT, now=now)
            session.commit()
        return [run.issue_id for run in runs]

    def standing(self, now: dt.datetime) -> tuple[Standing, dt.datetime | None]:
        """Say whether anything is left to do, and when the next delivery is due where that is later."""
        with self._sessions() as session:
            live = or_(col(DeliveryRow.run_id).is_(None), col(RunRow.state) == RunState.RUNNING)
            counted: Mapping[DeliveryState, tuple[int, dt.datetime | None, dt.datetime | None]] = {
                state: (count, soonest, oldest)
                for state, count, soonest, oldest in session.execute(
                    select(
                        col(DeliveryRow.state),
                        func.count(),
                        func.min(DeliveryRow.next_at, type_=UTCDateTime()),
                        func.min(DeliveryRow.changed, type_=UTCDateTime()),
                    )
                    .outerjoin(RunRow, col(DeliveryRow.run_id) == col(RunRow.id))
                    .where(live, self._unended())
                    .group_by(col(DeliveryRow.state))
                )
            }
            session.rollback()
            if {DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING} & set(counted):
                return Standing.READY, None
            waits = [counted[DeliveryState.DEFERRED][1]] if DeliveryState.DEFERRED in counted else []
            if DeliveryState.UNCERTAIN in counted:
                oldest = counted[DeliveryState.UNCERTAIN][2]
                waits.append(oldest + self._hold if oldest else now)
            later = [wait for wait in waits if wait is not None]
            if later:
                soonest = min(later)
                return (Standing.READY if soonest <= now else Standing.WAITING), soonest
            return Standing.DONE, None

    def uncertain_among(self, run_ids: Iterable[int]) -> int:
        """How many deliveries of these runs stay uncertain."""
        return self._count(col(DeliveryRow.run_id).in_(list(run_ids)), store.in_state(DeliveryState.UNCERTAIN))

    def paused_among(self, run_ids: Iterable[int]) -> int:
        """How many deliveries of these runs wait for an officer to resume the run."""
        paused = select(col(RunRow.id)).where(col(RunRow.id).in_(list(run_ids)), col(RunRow.state) == RunState.PAUSED)
        return self._count(col(DeliveryRow.run_id).in_(paused), self._unended())

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        with self._sessions() as session:
            return int(session.scalar(select(func.count()).select_from(DeliveryRow).where(*conditions)) or 0)

    def _unended(self) -> ColumnElement[bool]:
        """Deliveries that have not ended; an uncertain one has, once the policy leaves it where it is."""
        states = [DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED]
        moving = col(DeliveryRow.state).in_(states)
        if self._uncertain is not Uncertain.REPEAT:
            return store.is_open(moving)
        return store.is_open(
            moving | ((col(DeliveryRow.state) == DeliveryState.UNCERTAIN) & (col(DeliveryRow.repeats) == 0))
        )

    def _take(self, session: Session, ids: Sequence[int], now: dt.datetime) -> None:
        session.execute(
            update(DeliveryRow)
            .where(col(DeliveryRow.id).in_(ids))
            .values(state=DeliveryState.CLAIMED, worker=self._worker, epoch=DeliveryRow.epoch + 1, changed=now)
        )

    def _move(
        self,
        session: Session,
        condition: ColumnElement[bool],
        *,
        state: DeliveryState,
        now: dt.datetime,
        **values: object,
    ) -> int:
        moved = update(DeliveryRow).where(condition)
        return changed_rows(session, moved.values(state=state, worker=None, next_at=None, changed=now, **values))

    def _held(self, claim: Claim, *states: DeliveryState) -> tuple[ColumnElement[bool], ...]:
        return (
            col(DeliveryRow.id) == claim.delivery_id,
            col(DeliveryRow.state).in_(states),
            col(DeliveryRow.worker) == self._worker,
            col(DeliveryRow.epoch) == claim.epoch,
        )

    def _mark(self, session: Session, entry: Mark, now: dt.datetime) -> bool:
        mine = update(DeliveryRow).where(*self._held(entry.claim, DeliveryState.CLAIMED))
        values = {"state": DeliveryState.SENDING, "attempts": entry.claim.number, "changed": now}
        return changed_rows(session, mine.values(**values)) == 1

    def _end(self, session: Session, entry: Result, now: dt.datetime) -> bool:
        claim, values = entry.claim, _after(entry)
        spoken = entry.outcome.verdict is not Verdict.NOT_SENT or entry.marked
        if spoken:
            values["attempts"] = claim.number
        if self._is_final(claim, values["state"]):
            values["address"] = None  # of somebody who is no subscriber: nobody needs it any more
        mine = update(DeliveryRow).where(*self._held(claim, DeliveryState.CLAIMED, DeliveryState.SENDING))
        if changed_rows(session, mine.values(worker=None, changed=now, **values)) != 1:
            return False
        if spoken:
            session.add(_attempt(entry, worker=self._worker, now=now))
        comes_back = entry.marked and values["state"] in {DeliveryState.PLANNED, DeliveryState.DEFERRED}
        if comes_back and claim.run_id not in store.live_runs(session):  # cancelled while it was on the wire
            mine_still = col(DeliveryRow.id) == claim.delivery_id
            self._move(session, mine_still, state=DeliveryState.CANCELLED, now=now)
        return True

    def _is_final(self, claim: Claim, state: object) -> bool:
        if state is DeliveryState.UNCERTAIN:
            return self._uncertain is Uncertain.SKIP or (self._uncertain is Uncertain.REPEAT and claim.repeats > 0)
        return state in ENDED_STATES


def _claim(row: DeliveryRow, run: RunRow | None, tried: Mapping[int, dt.datetime]) -> Claim:
    since = run.started if run and run.started else tried.get(row.id or 0, row.changed)
    return Claim(
        delivery_id=row.id or 0,
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
        since=since,
        dated=run.dated if run and run.dated else since,
    )


def _after(entry: Result) -> dict[str, object]:
    """What becomes of the delivery: state, when it is due again, and why."""
    verdict, fault = entry.outcome.verdict, entry.outcome.fault
    words = masked(f"{fault.value}: {entry.outcome.words}")[:80] if fault else None
    match verdict:
        case Verdict.ACCEPTED:
            return {"state": DeliveryState.ACCEPTED, "next_at": None, "reason": None}
        case Verdict.NOT_SENT:
            return {"state": DeliveryState.PLANNED, "next_at": None}
        case Verdict.UNCERTAIN:
            return {"state": DeliveryState.UNCERTAIN, "next_at": None, "reason": words}
        case Verdict.REFUSED if fault is Fault.RECIPIENT:
            return {"state": DeliveryState.REFUSED, "next_at": None, "reason": words}
        case _:
            state = DeliveryState.DEFERRED if entry.next_at else DeliveryState.EXPIRED
            return {"state": state, "next_at": entry.next_at, "reason": words}


def _attempt(entry: Result, *, worker: str, now: dt.datetime) -> AttemptRow:
    outcome = entry.outcome
    return AttemptRow(
        delivery_id=entry.claim.delivery_id,
        number=entry.claim.number,
        epoch=entry.claim.epoch,
        worker=worker,
        relay=entry.relay,
        verdict=outcome.verdict,
        fault=outcome.fault,
        phase=int(outcome.phase),
        code=outcome.reply.code if outcome.reply else None,
        enhanced=outcome.reply.enhanced if outcome.reply else None,
        text=masked(outcome.reply.text if outcome.reply else outcome.note)[:500],
        at=now,
    )


def _lost_attempt(row: DeliveryRow, now: dt.datetime) -> AttemptRow:
    return AttemptRow(
        delivery_id=row.id or 0,
        number=row.attempts,
        epoch=row.epoch,
        worker=row.worker or "",
        relay="",
        verdict=Verdict.UNCERTAIN,
        fault=Fault.RELAY,
        phase=int(Phase.CONTENT),
        text=_DIED,
        at=now,
    )


def attempts_of(session: Session, delivery_id: int) -> Sequence[AttemptRow]:
    """All attempts at a delivery, in order."""
    return session.scalars(
        select(AttemptRow).where(col(AttemptRow.delivery_id) == delivery_id).order_by(col(AttemptRow.number))
    ).all()
