"""
The ledger as a machine: whatever happens to a run, in whatever order, the audit holds after each step.

Hypothesis claims, marks, ends, kills dispatchers, lets dead ones write, pauses, resumes, cancels and queues anew,
unsubscribes and lets time pass. After each step every delivery has taken a way that the machine of states has, no
attempt has changed, and what a commit said held is what the rows say.
"""

import datetime as dt
import functools
import itertools
import shutil

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Search
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from integration.conftest import emptied
from sqlalchemy import case, literal, text
from sqlmodel import col, select

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.database import open_engine, session_factory
from newsletter.dispatch.audit import audit
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.pipeline.stopping import stop_all
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.stage import HELD_BACK, Stage
from newsletter.planning.store import ENDED_STATES, change_run, move_deliveries, of_run, reopen
from newsletter.planning.waiting import change_stage
from newsletter.settings import Uncertain
from subscribers.models import Suppression, SuppressionReason

START = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
HOLD = dt.timedelta(seconds=900)
MAILING = "issue:rivers/2026-12"
PEOPLE = 7
HELD, LOCAL = 5, 6
"""Of these, one waits for the first of its run, another for an hour of its own."""

UNSENT = [DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED]

S = DeliveryState
WAYS = {
    S.PLANNED: {S.CLAIMED, S.SUPPRESSED, S.CANCELLED},
    S.CLAIMED: {S.PLANNED, S.SENDING, S.DEFERRED, S.EXPIRED, S.REFUSED, S.SUPPRESSED, S.CANCELLED},
    S.SENDING: {S.ACCEPTED, S.DEFERRED, S.EXPIRED, S.REFUSED, S.UNCERTAIN, S.PLANNED, S.CANCELLED},
    S.DEFERRED: {S.CLAIMED, S.SUPPRESSED, S.CANCELLED},
    S.UNCERTAIN: {S.PLANNED},
    S.ACCEPTED: set(),
    S.REFUSED: set(),
    S.SUPPRESSED: {S.PLANNED},
    S.CANCELLED: {S.PLANNED},
    S.EXPIRED: {S.PLANNED},
}
"""From each state, where a step may lead."""

REOPENED = {S.SUPPRESSED, S.CANCELLED, S.EXPIRED}


def outcome(verdict, phase=Phase.CONTENT, *, fault=Fault.RELAY, code=None):
    reply = Reply(code, None, "as the relay says") if code else None
    return Outcome(verdict=verdict, phase=phase, fault=fault, reply=reply, note="" if reply else "the line broke")


OF_CONTENT = [
    outcome(Verdict.ACCEPTED, fault=None, code=250),
    outcome(Verdict.DEFERRED, code=451),
    outcome(Verdict.REFUSED, fault=Fault.SENDER, code=554),
    outcome(Verdict.UNCERTAIN),
    outcome(Verdict.NOT_SENT),
]
BEFORE_CONTENT = [
    outcome(Verdict.REFUSED, Phase.RCPT, fault=Fault.RECIPIENT, code=550),
    outcome(Verdict.DEFERRED, Phase.RCPT, code=450),
    outcome(Verdict.NOT_SENT, Phase.MAIL),
]

moves = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), min_size=1, max_size=4)
"""For each entry of a group: which delivery, which outcome, and whether a deferral may come again."""


class LedgerMachine(RuleBasedStateMachine):
    """A run with its officer and its dispatchers; a dead dispatcher keeps its claims and goes on writing."""

    def __init__(self, engine, policy, *, shared):
        super().__init__()
        self.engine, self.policy, self.shared = engine, policy, shared
        self.sessions = session_factory(engine)
        self.now = START
        self.numbers = itertools.count(1)
        with self.sessions() as session:
            owner = NewsletterRow(slug="rivers", settings={}, created=START, changed=START)
            session.add(owner)
            session.flush()
            day = START.date()
            dates = {"date": day, "period_from": day, "period_to": day, "created": START, "changed": START}
            issue = IssueRow(newsletter_id=owner.id, slug="2026-12", state=IssueState.SENDING, plan={}, **dates)
            session.add(issue)
            session.flush()
            self.issue_id = issue.id
            run = self._run(session, total=PEOPLE)
            plain = {"mailing": MAILING, "run_id": run.id, "language": "en", "artifact": "a" * 64, "changed": START}
            times = {HELD: HELD_BACK, LOCAL: START + dt.timedelta(seconds=900)}
            session.add_all(
                DeliveryRow(digest=f"d{number}", next_at=times.get(number), **plain) for number in range(PEOPLE)
            )
            session.commit()
            self.run_id = run.id
        self.alive = [self._born() for _ in range(2 if shared else 1)]
        self.dead = []
        self.dates = {}
        self.before, self.told = self._look()

    def teardown(self):
        self.engine.dispose()

    def _run(self, session, *, total):
        moments = {"due_at": self.now, "dated": self.now, "started": self.now, "created": self.now}
        words = {"segment": "everybody", "expression": "all", "operator": "anna"}
        staged = {"first": 1, "hold": 900, "stage": Stage.FIRST, "staged": self.now}
        run = RunRow(
            issue_id=self.issue_id, mailing=MAILING, state=RunState.RUNNING, total=total, **words, **moments, **staged
        )
        session.add(run)
        session.flush()
        return run

    def _born(self):
        name = "host:1" if not self.shared else f"host:{next(self.numbers)}"
        ledger = Ledger(self.sessions, worker=name, uncertain=self.policy, hold=HOLD, connections=PEOPLE)
        ledger.take_over(self.now)
        return ledger, {}

    def _look(self):
        """Every delivery, and every attempt as it was written."""
        with self.sessions() as session:
            deliveries = {row.id: row for row in session.scalars(select(DeliveryRow))}
            attempts = {row.id: row.model_dump() for row in session.scalars(select(AttemptRow))}
        return deliveries, attempts

    def _pick(self, which):
        return self.alive[which % len(self.alive)]

    @rule(which=st.integers(0, 1), limit=st.integers(1, PEOPLE))
    def claim(self, which, limit):
        ledger, hands = self._pick(which)
        claims = ledger.claim(limit, self.now)
        for claim in claims:
            waits = self.before[claim.delivery_id].next_at
            assert waits is None or waits <= self.now or (waits == HELD_BACK and self._has_passed())
            assert self.dates.setdefault((claim.delivery_id, claim.run_id), claim.dated) == claim.dated
        hands.update((claim.delivery_id, (claim, False)) for claim in claims)

    def _has_passed(self):
        with self.sessions() as session:
            return session.get_one(RunRow, self.run_id).stage is Stage.PASSED

    @rule()
    def others_may_go(self):
        with self.sessions() as session:
            run = session.get_one(RunRow, self.run_id)
            change_stage(session, run, state=RunState.RUNNING, stage=Stage.PASSED, staged=self.now)
            session.commit()

    @precondition(lambda self: any(hands for _, hands in self.alive))
    @rule(which=st.integers(0, 1), picks=moves)
    def go_on(self, which, picks):
        ledger, hands = self._pick(which)
        self._write(ledger, hands, picks)

    @precondition(lambda self: self.dead)
    @rule(which=st.integers(0, 9), picks=moves)
    def write_after_death(self, which, picks):
        ledger, hands = self.dead[which % len(self.dead)]
        assert not any(self._write(ledger, dict(hands), picks))
        assert ledger.heartbeat(self.now) is not self.shared

    def _write(self, ledger, hands, picks):
        entries = {}
        for which, what, again in picks:
            if hands:
                claim, marked = list(hands.values())[which % len(hands)]
                entries[claim.delivery_id] = self._entry(claim, marked, what, again)
        rows, _ = self._look()
        held = ledger.commit(list(entries.values()), self.now)
        for entry, kept in zip(entries.values(), held, strict=True):
            claim, row = entry.claim, rows[entry.claim.delivery_id]
            fits = row.state is (S.SENDING if isinstance(entry, Result) and entry.marked else S.CLAIMED)
            assert kept is (fits and (row.worker, row.epoch) == (ledger._worker, claim.epoch))
            if kept and isinstance(entry, Mark):
                hands[claim.delivery_id] = (claim, True)
            else:
                del hands[claim.delivery_id]
        return held

    def _entry(self, claim, marked, what, again):
        if not marked and what > len(BEFORE_CONTENT):
            return Mark(claim=claim)
        of = OF_CONTENT if marked else BEFORE_CONTENT
        next_at = self.now + dt.timedelta(seconds=300) if again else None
        return Result(claim=claim, outcome=of[what % len(of)], marked=marked, relay="relay.example:25", next_at=next_at)

    @rule(which=st.integers(0, 1))
    def give_back(self, which):
        ledger, hands = self._pick(which)
        begun = {key: value for key, value in hands.items() if value[1]}
        ledger.release([claim for claim, marked in hands.values() if not marked], self.now)
        hands.clear()
        hands.update(begun)

    @rule(which=st.integers(0, 1))
    def die(self, which):
        """Killed or cut off: on SQLite an heir takes over, on PostgreSQL another worker hears the silence."""
        gone = self.alive.pop(which % len(self.alive))
        self.dead.append(gone)
        if self.shared:
            with self.sessions() as session:
                silent = {"name": gone[0]._worker}
                session.execute(
                    text("UPDATE worker SET heartbeat = heartbeat - interval '9 seconds' WHERE name = :name"), silent
                )
                session.commit()
            self.alive[0][0].reap(self.now)
            assert self.alive[0][0].reap(self.now) == (0, 0)
        self.alive.append(self._born())

    @rule()
    def live(self):
        assert all(ledger.heartbeat(self.now) for ledger, _ in self.alive)
        assert self.alive[0][0].reap(self.now) == (0, 0)

    @rule(which=st.integers(0, 1))
    def pause(self, which):
        self._pick(which)[0].pause(self.run_id, "paused by anna", self.now)

    @rule()
    def resume(self):
        with self.sessions() as session:
            change_run(session, self.run_id, expected=[RunState.PAUSED], state=RunState.RUNNING, held=None)
            session.commit()

    @rule()
    def cancel(self):
        with self.sessions() as session:
            open_states = [RunState.RUNNING, RunState.PAUSED]
            if change_run(session, self.run_id, expected=open_states, state=RunState.CANCELLED, ended=self.now):
                ours = of_run(self.run_id)
                move_deliveries(session, ours, expected=UNSENT, state=S.CANCELLED, now=self.now)
            session.commit()

    @rule()
    def queue_again(self):
        with self.sessions() as session:
            if session.get_one(RunRow, self.run_id).state is RunState.CANCELLED:
                run = self._run(session, total=0)
                wanted = (
                    col(DeliveryRow.mailing) == MAILING,
                    col(DeliveryRow.digest).not_in(select(col(Suppression.digest))),
                )
                at = case((col(DeliveryRow.digest) == f"d{HELD}", HELD_BACK), else_=None).label("at")
                edition = literal("en").label("edition"), literal("b" * 64).label("artifact"), at
                people = select(col(DeliveryRow.id), col(DeliveryRow.digest), *edition).where(*wanted)
                run.total = reopen(session, people, run=run, now=self.now)
                self.run_id = run.id
            session.commit()

    @rule(number=st.integers(0, PEOPLE - 1))
    def leave(self, number):
        with self.sessions() as session:
            if session.get(Suppression, f"d{number}") is None:
                reason = SuppressionReason.UNSUBSCRIBED
                session.add(Suppression(digest=f"d{number}", reason=reason, note="", since=self.now))
                stop_all(session, f"d{number}", reason="left", now=self.now)
            session.commit()

    @rule(seconds=st.sampled_from([1, 60, 900, 4000]))
    def wait(self, seconds):
        self.now += dt.timedelta(seconds=seconds)

    @rule(which=st.integers(0, 1))
    def sweep(self, which):
        self._pick(which)[0].sweep(self.now)

    @rule(which=st.integers(0, 1))
    def finish(self, which):
        ledger, _ = self._pick(which)
        for _ in ledger.finished_runs(self.now):
            ended = ENDED_STATES | {S.UNCERTAIN}
            with self.sessions() as session:
                rows = session.scalars(select(DeliveryRow).where(of_run(self.run_id))).all()
                assert {row.state for row in rows} <= ended

    @invariant()
    def every_delivery_takes_a_way_of_the_machine(self):
        before, told = self.before, self.told
        self.before, self.told = self._look()
        assert self.before.keys() == before.keys()
        for key, row in self.before.items():
            old = before[key]
            assert row.state is old.state or row.state in WAYS[old.state], (old, row)
            assert row.state is old.state or old.state not in REOPENED or row.run_id != old.run_id
            assert (row.epoch, row.attempts) >= (old.epoch, old.attempts)
            assert (row.worker is not None) is (row.state in {S.CLAIMED, S.SENDING})
        assert {key: self.told.get(key) for key in told} == told, "attempts are never changed"

    @invariant()
    def the_audit_holds(self):
        with self.sessions() as session:
            assert [check.code for check in audit(session, MAILING) if not check.holds] == []


def play(machine, *, runs, steps=50):
    limits = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=runs < 100,  # the short form says the same each time, and leaves it to the long one to shrink
        phases=[Search.generate] if runs < 100 else [Search.generate, Search.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=limits)


@pytest.fixture
def on_sqlite(sqlite_ready, tmp_path):
    """Makes a machine over a file of its own."""
    numbers = itertools.count()

    def make(policy):
        file = shutil.copy(sqlite_ready, tmp_path / f"{next(numbers)}.sqlite")
        return LedgerMachine(open_engine(f"sqlite:///{file}"), policy, shared=False)

    return make


@pytest.fixture
def on_postgres(postgres, postgres_engine):
    """Makes a machine over an emptied server."""

    def make(policy):
        emptied(postgres)
        return LedgerMachine(postgres_engine, policy, shared=True)

    return make


@pytest.mark.unwatched
def test_no_order_of_events_breaks_the_ledger(on_sqlite):
    play(functools.partial(on_sqlite, Uncertain.REPEAT), runs=14)


@pytest.mark.unwatched
def test_no_order_of_events_breaks_the_ledger_of_several_workers(on_postgres):
    play(functools.partial(on_postgres, Uncertain.REPEAT), runs=6)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", list(Uncertain))
def test_no_long_order_of_events_breaks_the_ledger(on_sqlite, policy):
    play(functools.partial(on_sqlite, policy), runs=160)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", list(Uncertain))
def test_no_long_order_of_events_breaks_the_ledger_of_several_workers(on_postgres, policy):
    play(functools.partial(on_postgres, policy), runs=100)
