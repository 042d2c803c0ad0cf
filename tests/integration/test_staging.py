"""The stages of a run on both databases: when the others may follow, and what is counted until then."""

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, update
from sqlmodel import col

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.dispatch.audit import audit
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.dispatch.sample import sample_of
from newsletter.pipeline.control import Control
from newsletter.pipeline.staging import Staging
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.shards import NotHanded
from newsletter.planning.stage import HELD_BACK, Sample, Stage
from newsletter.planning.waiting import change_stage
from newsletter.settings import Uncertain, load
from subscribers.models import Suppression, SuppressionReason

FIRST, OTHERS = 4, 3
HOLD = dt.timedelta(seconds=900)
SECOND = dt.timedelta(seconds=1)


def an_outcome(verdict, fault=None, code=250):
    return Outcome(verdict=verdict, phase=Phase.CONTENT, fault=fault, reply=Reply(code, None, "as the relay says"))


ACCEPTED = an_outcome(Verdict.ACCEPTED)
DEFERRED = an_outcome(Verdict.DEFERRED, Fault.RELAY, 451)
UNKNOWN = an_outcome(Verdict.REFUSED, Fault.RECIPIENT, 550)
BLOCKED = an_outcome(Verdict.REFUSED, Fault.SENDER, 550)
NOT_SENT = an_outcome(Verdict.NOT_SENT, Fault.RELAY, 421)


NEWSLETTER = {
    "slug": "rivers",
    "name": {"en": "Rivers"},
    "languages": ["en"],
    "timezone": "Europe/Brussels",
    "sender": {"name": "Rivers", "address": "letter@rivers.example"},
    "list_id": "letter.rivers.example",
    "sections": [{"key": "news"}],
}


class Staged:
    """A staged run of four who go first and three others, with whoever looks after it."""

    def __init__(self, rows, engine, now):
        self.rows, self.start = rows, now
        self.issue_id = rows.issue()
        self.run_id = rows.run(FIRST + OTHERS, issue_id=self.issue_id)
        others = [f"d{number}" for number in range(FIRST, FIRST + OTHERS)]
        rows.change(update(DeliveryRow).where(col(DeliveryRow.digest).in_(others)).values(next_at=HELD_BACK))
        self.change(first=FIRST, hold=900, stage=Stage.FIRST, staged=now)
        self.ledger = Ledger(rows.sessions, worker="host:1", uncertain=Uncertain.REPEAT, hold=HOLD)
        settings = load(dispatch={"stage_refusals": 0.25})
        self.parts = SimpleNamespace(engine=engine, sessions=rows.sessions, settings=settings, now=lambda: now)
        self.parts.operator, self.parts.handing = "anna", NotHanded()
        self.staging, self.control = Staging(self.parts), Control(self.parts)
        rows.change(update(NewsletterRow).values(settings=NEWSLETTER))

    def change(self, **values):
        self.rows.change(update(RunRow).where(col(RunRow.id) == self.run_id).values(**values))

    @property
    def run(self):
        return self.rows.get(RunRow, self.run_id)

    def send(self, *outcomes, at=None, again=None):
        """Try as many of the first as there are outcomes."""
        at = at or self.start + SECOND
        for outcome in outcomes:
            (claim,) = self.ledger.claim(1, at)
            self.ledger.commit([Mark(claim=claim)], at)
            ended = Result(claim=claim, outcome=outcome, marked=True, relay="relay.example:25", next_at=again)
            assert self.ledger.commit([ended], at) == [True]

    def sample(self):
        with self.rows.sessions() as session:
            return sample_of(session, self.run)

    def suppressed(self, digest, reason, since):
        self.rows.change(insert(Suppression).values(digest=digest, reason=reason, note="", since=since))

    def stage_at(self, at):
        self.staging.advance(at)
        return self.run.stage


@pytest.fixture
def staged(rows, engine, now):
    return Staged(rows, engine, now)


def test_the_hold_begins_when_the_last_of_the_first_was_tried(staged, now):
    assert staged.stage_at(now) is Stage.FIRST
    staged.send(ACCEPTED, ACCEPTED, ACCEPTED)
    assert staged.stage_at(now + HOLD) is Stage.FIRST
    staged.send(UNKNOWN, at=now + 2 * HOLD)

    assert staged.stage_at(now + 9 * HOLD) is Stage.HOLDING
    assert staged.run.staged == now + 2 * HOLD
    assert staged.ledger.claim(9, now + 9 * HOLD) == []

    assert staged.stage_at(now + 3 * HOLD - SECOND) is Stage.HOLDING
    assert staged.stage_at(now + 3 * HOLD) is Stage.PASSED
    assert len(staged.ledger.claim(9, now + 3 * HOLD)) == OTHERS
    assert staged.stage_at(now + 9 * HOLD) is Stage.PASSED


@pytest.mark.parametrize("state", [DeliveryState.CLAIMED, DeliveryState.SENDING])
def test_what_is_being_tried_is_waited_for(staged, now, state):
    staged.send(ACCEPTED, ACCEPTED, ACCEPTED)
    (claim,) = staged.ledger.claim(1, now)
    if state is DeliveryState.SENDING:
        staged.ledger.commit([Mark(claim=claim)], now)

    assert staged.stage_at(now + HOLD) is Stage.FIRST


def test_what_was_not_sent_is_to_be_tried_again_and_what_was_deferred_has_been_tried(staged, now):
    staged.send(ACCEPTED, ACCEPTED, DEFERRED, again=now + 99 * HOLD)
    staged.send(NOT_SENT)
    assert staged.stage_at(now + HOLD) is Stage.FIRST

    staged.send(DEFERRED, again=now + 99 * HOLD)
    assert staged.stage_at(now + HOLD) is Stage.HOLDING
    assert staged.sample() == Sample(tried=4, refused=0, complained=0, last=now + SECOND)


@pytest.mark.parametrize("refused", [UNKNOWN, BLOCKED])
def test_more_refusals_than_the_bound_stop_the_run_at_once(staged, now, refused):
    staged.send(refused, refused, ACCEPTED, ACCEPTED, again=now + 99 * HOLD)

    assert staged.stage_at(now + SECOND) is Stage.STOPPED

    reason = "2 of the first 4 were refused (50.0 %, more than 25 %): look at them, then resume or cancel it"
    assert (staged.run.state, staged.run.held) == (RunState.PAUSED, reason)
    assert staged.rows.get(IssueRow, staged.issue_id).state is IssueState.PAUSED
    assert staged.ledger.claim(9, now + HOLD) == []
    with staged.rows.sessions() as session:
        assert [check.code for check in audit(session, "issue:rivers/2026-12") if not check.holds] == []


def test_refusals_up_to_the_bound_stop_nothing(staged, now):
    staged.send(UNKNOWN, ACCEPTED, ACCEPTED, ACCEPTED)

    assert staged.stage_at(now + HOLD) is Stage.HOLDING


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (SuppressionReason.COMPLAINT, "1 of the first 4 complained (25.0 %, more than 0.3 %)"),
        (SuppressionReason.HARD_BOUNCE, "2 of the first 4 were refused (50.0 %, more than 25 %)"),
    ],
)
def test_what_comes_back_during_the_hold_stops_the_run_at_its_end(staged, now, reason, words):
    staged.send(UNKNOWN, ACCEPTED, ACCEPTED, ACCEPTED)
    assert staged.stage_at(now + HOLD) is Stage.HOLDING
    staged.suppressed("d3", reason, now + HOLD)
    assert staged.stage_at(now + HOLD) is Stage.HOLDING

    assert staged.stage_at(now + 2 * HOLD) is Stage.STOPPED
    assert staged.run.held.startswith(words)


def test_only_what_befell_the_first_since_the_start_is_counted(staged, now):
    staged.send(ACCEPTED, UNKNOWN, ACCEPTED, ACCEPTED)
    staged.suppressed("d0", SuppressionReason.COMPLAINT, now - HOLD)
    staged.suppressed("d1", SuppressionReason.HARD_BOUNCE, now + HOLD)
    staged.suppressed("d2", SuppressionReason.UNSUBSCRIBED, now + HOLD)
    staged.suppressed("d5", SuppressionReason.COMPLAINT, now + HOLD)

    assert staged.sample() == Sample(tried=4, refused=1, complained=0, last=now + SECOND)


def test_when_all_of_the_first_have_left_nothing_is_known_of_the_others(staged, now):
    first = [f"d{number}" for number in range(FIRST)]
    gone = {"state": DeliveryState.SUPPRESSED, "next_at": None}
    staged.rows.change(update(DeliveryRow).where(col(DeliveryRow.digest).in_(first)).values(**gone))

    assert staged.stage_at(now) is Stage.STOPPED
    assert staged.run.held.startswith("none of the first could be written to")


def test_a_retry_that_is_claimed_while_the_run_is_stopped_is_given_up(staged, now):
    staged.send(UNKNOWN, ACCEPTED, DEFERRED, ACCEPTED, again=now + 2 * SECOND)
    staged.staging.advance(now + SECOND)
    assert len(staged.ledger.claim(9, now + HOLD)) == 1
    staged.suppressed("d1", SuppressionReason.COMPLAINT, now + HOLD)

    assert staged.stage_at(now + 2 * HOLD) is Stage.STOPPED
    assert DeliveryState.CLAIMED not in staged.rows.states()


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.CANCELLED, RunState.FINISHED])
def test_a_run_that_does_not_run_stays_in_its_stage(staged, now, state):
    staged.send(ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
    staged.change(state=state)

    assert staged.stage_at(now + 9 * HOLD) is Stage.FIRST


def test_of_several_who_look_after_a_run_one_decides(staged, now):
    staged.send(ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
    seen = staged.run
    assert staged.stage_at(now + HOLD) is Stage.HOLDING

    with staged.rows.sessions() as session:
        assert not change_stage(session, seen, state=RunState.PAUSED, stage=Stage.STOPPED, held="too late")
    staged.staging._move(seen, Stage.PASSED, since=now)
    staged.staging._stop(seen, "too late", now)
    assert (staged.run.stage, staged.run.state) == (Stage.HOLDING, RunState.RUNNING)


def test_a_run_that_was_paused_while_it_held_is_judged_when_it_is_resumed(staged, now):
    staged.send(ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
    staged.staging.advance(now + SECOND)
    staged.change(state=RunState.PAUSED)
    assert staged.stage_at(now + 9 * HOLD) is Stage.HOLDING
    staged.change(state=RunState.RUNNING)

    assert staged.stage_at(now + 9 * HOLD) is Stage.PASSED


def test_the_others_of_a_run_that_is_cancelled_never_go(staged, now):
    staged.send(ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
    staged.staging.advance(now + SECOND)
    assert staged.control.halt() == ["2026-12"]
    staged.control.cancel("2026-12", newsletter=None)

    assert staged.rows.states() == {DeliveryState.ACCEPTED: FIRST, DeliveryState.CANCELLED: OTHERS}
    assert {staged.rows.delivery(f"d{number}").next_at for number in range(FIRST, FIRST + OTHERS)} == {None}


def test_an_officer_lets_the_others_go_after_a_stop(staged, now):
    staged.send(UNKNOWN, UNKNOWN, ACCEPTED, ACCEPTED)
    assert staged.stage_at(now + SECOND) is Stage.STOPPED

    standing = staged.control.resume("2026-12", newsletter=None)

    assert (standing.state, standing.staged.stage, standing.staged.others) == (IssueState.SENDING, Stage.PASSED, OTHERS)
    assert len(staged.ledger.claim(9, now + HOLD)) == OTHERS
