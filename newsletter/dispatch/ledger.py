"""
The ledger: the only place where a delivery changes its state while a run is under way.

    planned ─claim─► claimed ─mark─► sending ─► accepted | deferred | refused | uncertain

Every transition is a guarded UPDATE (state, worker, epoch) whose row count says whether it held: a delivery that an
officer or an unsubscribe has moved meanwhile, or that another dispatcher has taken over, is lost to this one, and its
late write hits no row. The ledger commits its own transactions, because a mark is worth nothing before it is committed.
It is synchronous; `dispatcher` calls it from one task, the single writer. When a commit waits for the disk is said in
`transactions`.
"""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Final

from sqlalchemy import ColumnElement, and_, func, select, true, update
from sqlmodel import Session, col

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.database import Sessions, changed_rows, see_one_moment
from newsletter.dispatch import store, workers
from newsletter.dispatch.choosing import Choice
from newsletter.dispatch.clearing import clear, move
from newsletter.dispatch.entries import Claim, Ended, Mark, Moment, Result, ended
from newsletter.dispatch.on_postgres import PostgresStatements
from newsletter.dispatch.on_sqlite import SqliteStatements
from newsletter.dispatch.statements import Candidate, Marked, RunningRun, Statements
from newsletter.dispatch.store import attempts_of
from newsletter.dispatch.transactions import Transactions
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.shards import Shard
from newsletter.settings import Uncertain

__all__ = ["Claim", "Ledger", "Mark", "Result", "Standing", "attempts_of"]


CLEAR_SECONDS: Final = 4.0
"""How often what the dead have is looked for though nobody has just died: who signs off may have left something."""


class Standing(StrEnum):
    """Whether there is anything left to do."""

    #: Every delivery of the due runs has ended.
    DONE = "done"
    #: Something can be done now.
    READY = "ready"
    #: Something is to be done later.
    WAITING = "waiting"


class Ledger:
    """
    The deliveries of one dispatcher, named `worker`.

    `connections`, where it is known, is how many messages it may have on the wire: the audit holds a death to it.

    Attributes:
        freed: what the last `take_over` or `reap` took from dispatchers that had died and planned again, as shards.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        worker: str,
        uncertain: Uncertain,
        hold: dt.timedelta,
        connections: int | None = None,
    ) -> None:
        self._sessions = sessions
        self._name = self._worker = worker
        self._uncertain = uncertain
        self._hold = hold
        self._connections = connections
        self._transactions = Transactions(sessions)
        self._begun: dict[int, dt.datetime] = {}
        self._seen: set[int] = set()
        self._latest = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._cleared = -CLEAR_SECONDS
        self.freed: list[Shard] = []

    def take_over(self, now: dt.datetime) -> tuple[int, int]:
        """
        Begin a life, and clear up after dispatchers that died: call it once, on SQLite holding the dispatcher's lock.

        What was claimed is planned again: nothing of it was sent. What was being sent is uncertain, with an attempt
        that says so, and under the policy `repeat` planned again at once: nobody is left out, unless the run has been
        cancelled meanwhile. Returns how many of each.
        """
        with self._transactions.session(durable=True) as session:
            live = store.live_runs(session)
            workers.end(session, self._worker, now)
            if workers.are_many(session):
                workers.end_silent(session)
                whose = workers.of_the_dead()
            else:
                workers.end_all(session, now)
                whose = true()
            cleared = self._clear(session, whose, live=live, now=now)
            self._worker = workers.register(session, self._name, connections=self._connections, now=now)
        self._begun.clear()
        return cleared

    @property
    def worker(self) -> str:
        """The name of this life; names are never used again."""
        return self._worker

    def heartbeat(self, now: dt.datetime) -> bool:
        """
        Say that this worker lives, every `workers.BEAT`.

        False: it has been declared dead and must begin nothing new, whatever it still writes does not hold. On SQLite
        it is always True: nobody else is there to declare anything.
        """
        with self._transactions.session(durable=True) as session:
            alive = workers.beat(session, self._worker, now)
            return alive or not workers.are_many(session)

    def is_fenced(self) -> bool:
        """Whether this worker has been declared dead, so that nothing it writes holds."""
        with self._transactions.session() as session:
            return self._statements.is_fenced(session.connection(), self._worker)

    def reap(self, now: dt.datetime) -> tuple[int, int]:
        """
        Declare silent workers dead and clear up after all that are, as `take_over` does; returns how many of each.

        The database's clock decides. Any number of workers may try at once: it is done once. To look for silence costs
        nothing; what the dead have is looked for, among all that is open, where there was any, and now and then.
        """
        with self._transactions.session() as session:
            if not workers.are_many(session):
                return 0, 0
            live = store.live_runs(session)
            is_due = time.monotonic() - self._cleared >= CLEAR_SECONDS
            if not workers.end_silent(session) and not is_due:
                return 0, 0
            cleared = self._clear(session, workers.of_the_dead(), live=live, now=now)
        self._cleared = time.monotonic()
        return cleared

    def sign_off(self, now: dt.datetime) -> bool:
        """
        End this worker's life: all it has begun has ended; False where it had been declared dead before.

        Not needed, the silence says it as well, but later.
        """
        self._transactions.part()
        with self._transactions.session(durable=True) as session:
            return workers.end(session, self._worker, now)

    @cached_property
    def _statements(self) -> Statements:
        dialect = self._transactions.dialect
        return SqliteStatements(dialect) if dialect.name == "sqlite" else PostgresStatements()

    def claim(self, limit: int, now: dt.datetime) -> list[Claim]:
        """Take up to `limit` deliveries that can go out now; those that nobody wants any more end here."""
        with self._transactions.session() as session:
            choice = self._choice(session, limit, now)
            return self._taken(session, choice.of_anybody(), choice) if choice else []

    def claim_within(self, shards: Sequence[Shard], *, limit: int, now: dt.datetime) -> tuple[list[Claim], list[Shard]]:
        """
        The same on PostgreSQL, fresh deliveries of these shards first: see `choosing`.

        Also returns the shards of which nothing is left to claim.
        """
        with self._transactions.session() as session:
            choice = self._choice(session, limit, now)
            if choice is None:
                return [], []
            rows, spent = choice.within(shards)
            return self._taken(session, rows, choice), spent

    def _choice(self, session: Session, limit: int, now: dt.datetime) -> Choice | None:
        """
        What to choose from, None where we count as dead.

        The runs stay as they are until the claim is committed, so that a pause that was acknowledged has seen it.
        """
        connection, statements = session.connection(), self._statements
        runs: dict[int | None, RunningRun] = {run.id: run for run in statements.running(connection)}
        if statements.is_fenced(connection, self._worker):
            return None
        return Choice(statements=statements, connection=connection, runs=runs, limit=limit, now=now)

    def _taken(self, session: Session, rows: Sequence[Candidate], choice: Choice) -> list[Claim]:
        if not rows:
            return []
        unwanted = store.unwanted(session, rows)
        tried = store.first_tried(session, rows)
        claims = [choice.claim(row, tried.get(row.id)) for row in rows if row.id not in unwanted]
        ids = [claim.delivery_id for claim in claims]
        self._statements.take(choice.connection, ids, worker=self._worker, now=choice.now)
        if unwanted:
            stopped = col(DeliveryRow.id).in_(unwanted)
            move(session, stopped, state=DeliveryState.SUPPRESSED, now=choice.now, epoch=DeliveryRow.epoch + 1)
        return claims

    def release(self, claims: Iterable[Claim], now: dt.datetime) -> None:
        """Give back what was claimed and not begun."""
        with self._transactions.session() as session:
            mine = ((claim.delivery_id, claim.epoch) for claim in claims)
            connection = session.connection()
            self._statements.give_back(connection, mine, worker=self._worker, now=now)

    def postpone(self, claims: Iterable[tuple[Claim, dt.datetime]], now: dt.datetime) -> None:
        """Give back what was claimed and not begun, to be claimed again at its time and not before; no attempt."""
        with self._transactions.session() as session:
            mine = ((claim.delivery_id, claim.epoch, until) for claim, until in claims)
            connection = session.connection()
            self._statements.postpone(connection, mine, worker=self._worker, now=now)

    def drop(self, claims: Sequence[Claim], now: dt.datetime) -> None:
        """End claims whose person has gone since the audience was frozen: nobody is there to write to."""
        if not claims:
            return
        with self._transactions.session() as session:
            for claim in claims:
                gone = {"reason": "erased", "address": None, "epoch": DeliveryRow.epoch + 1}
                move(session, self._claimed(claim), state=DeliveryState.SUPPRESSED, now=now, **gone)

    def commit(self, entries: Sequence[Mark | Result], now: dt.datetime) -> list[bool]:
        """
        Write marks and results of several connections in one transaction.

        Returns for each whether it held. A mark that did not hold means: do not send, somebody else has decided about
        this delivery. A result that did not hold leaves no attempt: whoever has the delivery now numbers their own.
        """
        # An attempt cannot have ended before one that began earlier, even where the machine's clock was set back.
        now = self._latest = max(self._latest, now.astimezone(dt.UTC))
        runs = sorted({run_id for entry in entries if (run_id := entry.claim.run_id) is not None})
        groups = [self._moves(group, now) for group in _groups(entries)]
        is_one = len(groups) == 1 and not any(end.returns for end in groups[0][1])
        with self._transactions.group(at_once=is_one) as connection:
            written = [
                self._statements.write(connection, marks, ends, worker=self._worker, runs=runs, now=now)
                for marks, ends in groups
            ]
        kept = written * len(entries) if len(groups) == 1 else written
        held = [entry.claim.delivery_id in ids for entry, ids in zip(entries, kept, strict=True)]
        self._note(entries, held, now)
        return held

    def _moves(self, entries: Iterable[Mark | Result], now: dt.datetime) -> tuple[list[Marked], list[Ended]]:
        marks = [_marked(entry.claim) for entry in entries if isinstance(entry, Mark)]
        return marks, [self._ended(entry, now) for entry in entries if isinstance(entry, Result)]

    def _ended(self, result: Result, now: dt.datetime) -> Ended:
        began = self._begun.get(result.claim.delivery_id, now) if result.marked else None
        return ended(result, Moment(worker=self._worker, at=now, began=began), policy=self._uncertain)

    def _note(self, entries: Sequence[Mark | Result], held: Sequence[bool], now: dt.datetime) -> None:
        """Remember when attempts began, which their results will tell."""
        for entry, kept in zip(entries, held, strict=True):
            if isinstance(entry, Result):
                self._begun.pop(entry.claim.delivery_id, None)
                self._transactions.results += 1
            elif kept:
                self._begun[entry.claim.delivery_id] = now

    def sweep(self, now: dt.datetime) -> int:
        """Plan again what has been uncertain for as long as the policy holds it, once each; returns how many."""
        if self._uncertain is not Uncertain.REPEAT:
            return 0
        due = (col(DeliveryRow.repeats) == 0, col(DeliveryRow.changed) <= now - self._hold)
        swept = 0
        with self._transactions.session() as session:
            for run_id in store.live_runs(session):
                held = store.in_state(DeliveryState.UNCERTAIN, store.of_run(run_id), *due)
                again = DeliveryRow.repeats + 1
                swept += move(session, held, state=DeliveryState.PLANNED, now=now, repeats=again)
        return swept

    def pause(self, run_id: int, reason: str, now: dt.datetime) -> bool:
        """Pause a run, and its issue, because of something that is wrong with us; says whether this call did it."""
        with self._transactions.session(durable=True) as session:
            running = update(RunRow).where(col(RunRow.id) == run_id, col(RunRow.state) == RunState.RUNNING)
            paused = changed_rows(session, running.values(state=RunState.PAUSED, held=reason[:300])) == 1
            mine = store.in_state(DeliveryState.CLAIMED, store.of_run(run_id))
            move(session, mine, state=DeliveryState.PLANNED, now=now)
            if paused:
                issue_id = session.get_one(RunRow, run_id).issue_id
                sending = (IssueState.SENDING,)
                issues.set_state(session, issue_id, expected=sending, state=IssueState.PAUSED, now=now)
        return paused

    def finished_runs(self, now: dt.datetime) -> list[int]:
        """Finish running runs of which every delivery has ended, with their issues; returns the ids of the issues."""
        with self._transactions.session(durable=True) as session:
            unended = select(col(DeliveryRow.id)).where(col(DeliveryRow.run_id) == RunRow.id, self._unended())
            ready = select(RunRow).where(col(RunRow.state) == RunState.RUNNING, ~unended.exists())
            runs = session.scalars(ready.order_by(col(RunRow.id)).with_for_update()).all()
            for run in runs:
                run.state, run.ended = RunState.FINISHED, now
                sending = (IssueState.SENDING,)
                issues.set_state(session, run.issue_id, expected=sending, state=IssueState.SENT, now=now)
        return [run.issue_id for run in runs]

    def standing(self, now: dt.datetime) -> tuple[Standing, dt.datetime | None]:
        """Say whether anything is left to do, and when the next delivery is due where that is later."""
        with self._sessions() as session:
            see_one_moment(session)
            runs = store.running_runs(session)
            self._seen |= {run.id for run in runs}
            hold = self._hold if self._uncertain is Uncertain.REPEAT else None
            waits = [wait for run in (None, *runs) for wait in store.waits_of(session, run, hold=hold)]
            session.rollback()
        if not waits:
            return Standing.DONE, None
        if store.AT_ONCE in waits:
            return Standing.READY, None
        soonest = min(waits)
        return (Standing.READY if soonest <= now else Standing.WAITING), soonest

    def uncertain_among(self, run_ids: Iterable[int]) -> int:
        """How many deliveries of these runs stay uncertain."""
        return self._count(col(DeliveryRow.run_id).in_(list(run_ids)), store.in_state(DeliveryState.UNCERTAIN))

    def paused_among(self, run_ids: Iterable[int]) -> int:
        """How many deliveries of these runs, or of those that `standing` saw running, wait for an officer."""
        known = col(RunRow.id).in_([*run_ids, *self._seen])
        paused = select(col(RunRow.id)).where(known, col(RunRow.state) == RunState.PAUSED)
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

    def _clear(
        self, session: Session, whose: ColumnElement[bool], *, live: Sequence[int | None], now: dt.datetime
    ) -> tuple[int, int]:
        """Plan again, or name uncertain, what a dispatcher had that is dead; returns how many of each."""
        repeating = live if self._uncertain is Uncertain.REPEAT else ()
        claimed, sending, self.freed = clear(session, whose, repeating=repeating, now=now)
        return claimed, sending

    def _claimed(self, claim: Claim) -> ColumnElement[bool]:
        return and_(
            col(DeliveryRow.id) == claim.delivery_id,
            col(DeliveryRow.state) == DeliveryState.CLAIMED,
            col(DeliveryRow.worker) == self._worker,
            col(DeliveryRow.epoch) == claim.epoch,
        )


def _groups(entries: Sequence[Mark | Result]) -> Sequence[Sequence[Mark | Result]]:
    """Entries that can be written at once: in order one by one where a delivery stands among them twice."""
    if len({entry.claim.delivery_id for entry in entries}) == len(entries):
        return [entries]
    return [[entry] for entry in entries]


def _marked(claim: Claim) -> Marked:
    return Marked(claim.delivery_id, claim.epoch, claim.number)
