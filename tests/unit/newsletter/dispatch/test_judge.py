"""The judge over a ledger and a supply that remember what was asked of them."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.dispatch.judge import Judge
from newsletter.dispatch.outcome import Phase, classify, reply
from newsletter.dispatch.progress import Progress

ACCEPTED = classify(Phase.CONTENT, reply(250, "2.0.0 Ok"))
UNKNOWN = classify(Phase.RCPT, reply(550, "5.1.1 unknown"))
BLOCKED = classify(Phase.RCPT, reply(550, "5.7.1 anna@lakes.example is blocked by policy"))


def away():
    return OperationalError("UPDATE", {}, Exception("disk full"))


class Ledger:
    def __init__(self):
        self.paused, self.released, self.faults = [], [], []

    def pause(self, run_id, reason, _now):
        self._fail()
        self.paused.append((run_id, reason))
        return True

    def release(self, claims, _now):
        self._fail()
        self.released.append(claims)

    def _fail(self):
        if self.faults:
            raise self.faults.pop(0)


class Supply:
    def __init__(self):
        self.claims, self.kept, self.stirred = ["claimed"], [], 0

    def recall(self, _run_id):
        return self.claims

    def keep(self, claims):
        self.kept.append(claims)

    def stir(self):
        self.stirred += 1


class Log:
    def __init__(self, level):
        self.level, self.lines = level, []

    def is_enabled_for(self, level):
        return level >= self.level

    def __getattr__(self, level):
        return lambda event, **facts: self.lines.append((level, event, facts))


@pytest.fixture
def court():
    """A judge, and what it works with."""

    def make(level=logging.INFO):
        made = SimpleNamespace(ledger=Ledger(), supply=Supply(), log=Log(level), progress=Progress())

        async def call(function, *arguments):
            return function(*arguments)

        parts = {"now": lambda: None, "call": call, "progress": made.progress, "log": made.log}
        made.judge = Judge(made.ledger, made.supply, **parts)
        return made

    return make


def a_claim(run_id=1):
    return SimpleNamespace(delivery_id=7, mailing="issue:rivers/2026-12", number=2, run_id=run_id)


def ended(court, *outcomes, run_id=1):
    for outcome in outcomes:
        asyncio.run(court.judge.ended(a_claim(run_id), outcome, held=True))


def test_a_message_that_was_accepted_costs_no_line_in_the_log(court):
    made = court()
    ended(made, ACCEPTED)

    assert (made.log.lines, made.progress.accepted) == ([], 1)


def test_whoever_asks_for_everything_gets_it(court):
    made = court(logging.DEBUG)
    ended(made, ACCEPTED)

    assert [(level, event) for level, event, _ in made.log.lines] == [("debug", "attempt")]


def test_what_was_not_accepted_is_told_without_an_address(court):
    made = court()
    ended(made, BLOCKED)

    (_, event, facts) = made.log.lines[0]
    assert event == "attempt"
    assert facts == {
        "delivery": 7,
        "mailing": "issue:rivers/2026-12",
        "number": 2,
        "verdict": "refused",
        "fault": "sender",
        "phase": "RCPT",
        "code": 550,
        "held": True,
    }


def test_three_refusals_of_us_without_an_acceptance_between_them_pause_the_run(court):
    made = court()
    ended(made, BLOCKED, BLOCKED, ACCEPTED, BLOCKED, UNKNOWN, BLOCKED)
    assert made.ledger.paused == []
    ended(made, BLOCKED)

    [(run_id, reason)] = made.ledger.paused
    assert run_id == 1
    assert reason == "the relay refuses this mailing: 550 5.7.1 a…@l….example is blocked by policy"
    assert made.ledger.released == [["claimed"]]


def test_each_run_is_judged_by_itself_and_single_messages_not_at_all(court):
    made = court()
    for run_id in (1, 2, None):
        ended(made, BLOCKED, BLOCKED, run_id=run_id)
    ended(made, BLOCKED, BLOCKED, run_id=None)

    assert made.ledger.paused == []


def test_a_run_that_cannot_be_paused_now_is_paused_at_the_next_refusal(court):
    made = court()
    made.ledger.faults = [away()]
    ended(made, BLOCKED, BLOCKED, BLOCKED)
    assert made.ledger.paused == []
    ended(made, BLOCKED)

    assert len(made.ledger.paused) == 1


def test_two_marks_in_a_row_that_do_not_hold_give_the_run_back(court):
    made = court()
    asyncio.run(made.judge.fenced(a_claim()))
    made.judge.marked(a_claim())
    asyncio.run(made.judge.fenced(a_claim()))
    assert made.ledger.released == []
    asyncio.run(made.judge.fenced(a_claim()))

    assert (made.ledger.released, made.supply.stirred) == ([["claimed"]], 1)


def test_where_nothing_of_it_is_claimed_there_is_nothing_to_give_back(court):
    made = court()
    made.supply.claims = []
    for _ in range(2):
        asyncio.run(made.judge.fenced(a_claim()))

    assert (made.ledger.released, made.supply.stirred) == ([], 0)


def test_what_cannot_be_given_back_now_is_kept(court):
    made = court()
    made.ledger.faults = [away()]
    for _ in range(2):
        asyncio.run(made.judge.fenced(a_claim()))

    assert (made.ledger.released, made.supply.kept) == ([], [["claimed"]])


def test_a_fault_of_ours_is_no_outage(court):
    made = court()
    made.ledger.faults = [KeyError("pause"), KeyError("release")]
    with pytest.raises(KeyError, match="pause"):
        ended(made, BLOCKED, BLOCKED, BLOCKED)
    asyncio.run(made.judge.fenced(a_claim()))
    with pytest.raises(KeyError, match="release"):
        asyncio.run(made.judge.fenced(a_claim()))
