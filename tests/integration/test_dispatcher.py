"""The dispatcher over a real ledger and a relay that does as it is told."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import update

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.dispatch import dispatcher as module
from newsletter.dispatch.audit import audit
from newsletter.dispatch.dispatcher import Dispatcher, Ending
from newsletter.dispatch.ledger import Ledger
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict, classify, reply
from newsletter.dispatch.relay import Envelope, RelayDown
from newsletter.dispatch.retry import Backoff
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.store import change_run, move_deliveries, of_run
from newsletter.settings import Uncertain

HOLD = dt.timedelta(seconds=900)
DEADLINE = 30


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The dispatcher looks and tries again soon."""
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now):
        self.instant = now

    def __call__(self):
        return self.instant

    def forward(self, delta):
        self.instant += delta


class FakeRelay:
    """
    Answers each message by the number of its recipient's attempt, from `script` (a reply, or what comes of none).

    `away` is how often it cannot be opened, `most` how many connections it takes at a time; `before` runs before the
    mark is asked for, `after` before the reply is given, `at_open` before a connection is made.
    """

    name = "relay.example:25"

    def __init__(self, script=None, *, away=0, most=99):
        self.script = script or {}
        self.away = away
        self.most = most
        self.opened = 0
        self.open_now = 0
        self.most_open = 0
        self.taken = []
        self.tries = {}
        self.before = self.after = None
        self.at_open = lambda: None

    async def open(self):
        self.at_open()
        if self.away or self.open_now == self.most:
            self.away = max(0, self.away - 1)
            raise RelayDown(classify(Phase.CONNECT, reply(421, "4.3.2 too many connections")))
        self.opened += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        return FakeConnection(self)

    def planned(self, recipient):
        """What comes of this attempt at a recipient."""
        self.tries[recipient] = number = self.tries.get(recipient, 0) + 1
        answers = self.script.get(recipient, self.script.get("everybody", []))
        return answers[number - 1] if number <= len(answers) else taken()


class FakeConnection:
    def __init__(self, relay):
        self.relay = relay

    async def send(self, envelope, mark):
        outcome = self.relay.planned(envelope.recipient)
        if self.relay.before:
            await self.relay.before(envelope)
        if outcome.phase is Phase.CONTENT:
            if not await mark():
                return None
            if outcome.verdict in {Verdict.ACCEPTED, Verdict.UNCERTAIN}:
                self.relay.taken.append(envelope.recipient)
        if self.relay.after:
            await self.relay.after(envelope)
        return outcome

    async def close(self):
        self.relay.open_now -= 1


def taken():
    return classify(Phase.CONTENT, reply(250, "2.0.0 Ok"))


def later():
    return classify(Phase.RCPT, reply(450, "4.2.0 greylisted"))


def unknown():
    return classify(Phase.RCPT, reply(550, "5.1.1 unknown"))


def blocked(phase=Phase.RCPT):
    return classify(phase, reply(550, "5.7.1 anna@lakes.example is blocked by policy"))


def lost():
    return Outcome(verdict=Verdict.UNCERTAIN, phase=Phase.CONTENT, fault=Fault.RELAY, note="lost", closes=True)


def cut():
    return Outcome(verdict=Verdict.NOT_SENT, phase=Phase.MAIL, fault=Fault.RELAY, note="lost", closes=True)


def compose(claims):
    """A message to everybody but those whose digest says that they are gone."""
    return [(claim, an_envelope(claim)) for claim in claims if "gone" not in claim.digest]


def an_envelope(claim):
    return Envelope(
        sender="news@rivers.example", recipient=claim.digest, needs_smtputf8=False, name=claim.digest, data=b"x\r\n"
    )


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def dispatcher(sqlite_rows, clock):
    """Makes a dispatcher over a relay."""

    def make(relay, *, uncertain=Uncertain.REPEAT, connections=3, **more):
        ledger = Ledger(sqlite_rows.sessions, worker="host:1", uncertain=uncertain, hold=HOLD)
        backoff = Backoff(first=300, expiry=3600)
        parts = {"compose": compose, "connections": connections, "backoff": backoff, "now": clock, **more}
        return Dispatcher(ledger=ledger, relay=relay, **parts)

    return make


def run(dispatcher, *, patience=0.5, until_done=True):
    """Let it run, but not for ever."""

    async def limited():
        async with asyncio.timeout(DEADLINE):
            return await dispatcher.run(until_done=until_done, patience=patience)

    return asyncio.run(limited())


def sound(rows):
    with rows.sessions() as session:
        return all(check.holds for check in audit(session, "issue:rivers/2026-12"))


def decide(rows, run_id, now, *, run_state, state):
    """What an officer does: pause or cancel a run."""
    with rows.sessions() as session:
        change_run(session, run_id, expected=[RunState.RUNNING], state=run_state)
        unsent = [DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED]
        expected = unsent if state is DeliveryState.CANCELLED else [DeliveryState.CLAIMED]
        move_deliveries(session, of_run(run_id), expected=expected, state=state, now=now)
        session.commit()


def test_everybody_gets_one_message(sqlite_rows, dispatcher):
    run_id, relay, told = sqlite_rows.run(40), FakeRelay(), []

    ending = run(dispatcher(relay, finished=told.extend))

    assert ending is Ending.DONE
    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(40))
    assert sqlite_rows.get(RunRow, run_id).state is RunState.FINISHED
    assert told == [sqlite_rows.get(RunRow, run_id).issue_id]
    assert sqlite_rows.get(IssueRow, told[0]).state is IssueState.SENT
    assert sound(sqlite_rows)


def test_connections_are_opened_once_and_no_more_than_allowed(sqlite_rows, dispatcher):
    sqlite_rows.run(40)
    relay = FakeRelay()

    run(dispatcher(relay, connections=4))

    assert (relay.opened, relay.most_open, relay.open_now) == (4, 4, 0)


def test_nothing_to_do_is_done_without_a_connection(sqlite_rows, dispatcher):
    relay = FakeRelay()

    assert run(dispatcher(relay)) is Ending.DONE
    assert relay.opened == 0


def test_every_kind_of_outcome_ends_where_it_belongs(sqlite_rows, dispatcher):
    sqlite_rows.run(4)
    relay = FakeRelay({"d1": [later()], "d2": [unknown()], "d3": [lost()]})
    made = dispatcher(relay, uncertain=Uncertain.SKIP)

    assert run(made) is Ending.WAITING

    assert [sqlite_rows.delivery(f"d{number}").state for number in range(4)] == [
        DeliveryState.ACCEPTED,
        DeliveryState.DEFERRED,
        DeliveryState.REFUSED,
        DeliveryState.UNCERTAIN,
    ]
    progress = made.progress
    assert (progress.accepted, progress.deferred, progress.refused, progress.uncertain) == (1, 1, 1, 1)


def test_the_exit_code_tells_of_uncertain_deliveries(sqlite_rows, dispatcher):
    sqlite_rows.run(2)

    ending = run(dispatcher(FakeRelay({"d0": [lost()]}), uncertain=Uncertain.SKIP))

    assert (ending, ending.value) == (Ending.UNCERTAIN, 5)
    assert sound(sqlite_rows)


def test_a_deferred_message_is_tried_again_when_its_time_has_come(sqlite_rows, dispatcher, clock):
    sqlite_rows.run(2)
    relay = FakeRelay({"d0": [later(), later()]})

    assert run(dispatcher(relay)) is Ending.WAITING
    assert relay.taken == ["d1"]
    clock.forward(dt.timedelta(seconds=400))
    assert run(dispatcher(relay)) is Ending.WAITING
    clock.forward(dt.timedelta(seconds=600))
    assert run(dispatcher(relay)) is Ending.DONE

    assert relay.taken == ["d1", "d0"]
    assert [attempt.verdict for attempt in sqlite_rows.attempts()] == [Verdict.DEFERRED] * 2 + [Verdict.ACCEPTED]
    assert sound(sqlite_rows)


def test_a_message_that_is_deferred_for_too_long_expires(sqlite_rows, dispatcher, clock):
    sqlite_rows.run(1)
    relay = FakeRelay({"d0": [later()] * 99})
    for _ in range(20):
        if run(dispatcher(relay)) is Ending.DONE:
            break
        clock.forward(dt.timedelta(seconds=600))

    assert sqlite_rows.states() == {DeliveryState.EXPIRED: 1}
    assert sound(sqlite_rows)


def test_a_retry_that_is_due_within_the_patience_is_waited_for(sqlite_rows, dispatcher, clock):
    sqlite_rows.run(1)
    relay = FakeRelay({"d0": [later()]})

    def wake():
        clock.forward(dt.timedelta(seconds=20))

    assert run(dispatcher(relay, wake=wake), patience=3600) is Ending.DONE
    assert relay.taken == ["d0"]


def test_an_uncertain_message_is_repeated_once_after_the_hold(sqlite_rows, dispatcher, clock):
    sqlite_rows.run(1)
    relay = FakeRelay({"d0": [lost(), lost()]})

    assert run(dispatcher(relay)) is Ending.WAITING
    clock.forward(HOLD)
    assert run(dispatcher(relay)) is Ending.UNCERTAIN

    assert relay.taken == ["d0", "d0"]
    clock.forward(HOLD)
    assert run(dispatcher(relay)) is Ending.DONE
    assert relay.taken == ["d0", "d0"]
    assert sound(sqlite_rows)


def test_a_relay_that_is_away_for_a_while_costs_nobody_an_attempt(sqlite_rows, dispatcher):
    sqlite_rows.run(10)
    relay = FakeRelay(away=7)

    assert run(dispatcher(relay), patience=DEADLINE) is Ending.DONE

    assert sorted(relay.tries.values()) == [1] * 10
    assert sound(sqlite_rows)


def test_a_relay_that_stays_away_is_given_up_and_nothing_is_left_claimed(sqlite_rows, dispatcher):
    sqlite_rows.run(10)

    assert run(dispatcher(FakeRelay(away=10**6)), patience=0.1) is Ending.WAITING
    assert sqlite_rows.states() == {DeliveryState.PLANNED: 10}


def test_a_relay_that_says_nothing_about_any_message_is_given_up_too(sqlite_rows, dispatcher):
    """It can be reached, and answers every MAIL with a 4xx reply, or hangs up."""
    sqlite_rows.run(10)

    assert run(dispatcher(FakeRelay({"everybody": [cut()] * 10**5})), patience=0.1) is Ending.WAITING
    assert sqlite_rows.states() == {DeliveryState.PLANNED: 10}


def test_a_relay_that_takes_few_connections_is_used_with_those(sqlite_rows, dispatcher):
    sqlite_rows.run(60)
    relay = FakeRelay(most=2)

    assert run(dispatcher(relay, connections=8)) is Ending.DONE

    assert (relay.most_open, len(relay.taken)) == (2, 60)


def test_a_relay_that_hangs_up_now_and_then_gets_everything_once(sqlite_rows, dispatcher):
    sqlite_rows.run(30)
    relay = FakeRelay({f"d{number}": [cut()] for number in range(0, 30, 3)})

    assert run(dispatcher(relay)) is Ending.DONE

    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(30))
    assert {len(sqlite_rows.attempts(f"d{number}")) for number in range(30)} == {1}


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.MAIL])
def test_a_relay_that_goes_on_refusing_us_pauses_the_run(sqlite_rows, dispatcher, phase):
    run_id = sqlite_rows.run(30)
    relay = FakeRelay({"everybody": [blocked(phase)] * 99})

    assert run(dispatcher(relay)) is Ending.WAITING

    paused = sqlite_rows.get(RunRow, run_id)
    assert paused.state is RunState.PAUSED
    assert "5.7.1" in paused.held
    assert "anna@lakes.example" not in paused.held
    assert sqlite_rows.get(IssueRow, paused.issue_id).state is IssueState.PAUSED
    assert set(sqlite_rows.states()) <= {DeliveryState.PLANNED, DeliveryState.DEFERRED}, "no subscriber pays for it"
    assert len(relay.tries) < 12
    assert sound(sqlite_rows)


def test_one_refusal_of_us_among_acceptances_pauses_nothing(sqlite_rows, dispatcher):
    run_id = sqlite_rows.run(30)
    relay = FakeRelay({f"d{number}": [blocked()] for number in range(0, 30, 3)})

    run(dispatcher(relay, connections=1))

    assert sqlite_rows.get(RunRow, run_id).state is RunState.RUNNING


def test_a_run_that_is_resumed_after_it_was_refused_has_a_fresh_chance(sqlite_rows, dispatcher):
    run_id = sqlite_rows.run(9)
    relay = FakeRelay({f"d{number}": [blocked()] * 2 for number in range(4)})
    made = dispatcher(relay, connections=1)

    def resume():
        sqlite_rows.change(update(RunRow).values(state=RunState.RUNNING))

    made.wake = resume
    assert run(made) is Ending.WAITING

    assert sqlite_rows.get(RunRow, run_id).state is RunState.RUNNING
    assert len(relay.taken) == 5


def test_a_refused_single_message_pauses_no_run(sqlite_rows, dispatcher):
    run_id = sqlite_rows.run(0)
    for number in range(5):
        sqlite_rows.single(f"s{number}")

    run(dispatcher(FakeRelay({"everybody": [blocked()] * 9})))

    assert sqlite_rows.get(RunRow, run_id).state is RunState.FINISHED


def test_asked_to_stop_it_ends_what_is_on_the_wire_and_begins_nothing(sqlite_rows, dispatcher):
    sqlite_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)

    async def stop(_envelope):
        made.stop()
        made.stop()
        await asyncio.wait_for(made._stopping.wait(), DEADLINE)

    relay.after = stop
    ending = run(made)

    assert (ending, max(ending.value, 0)) == (Ending.STOPPED, 0)
    states = sqlite_rows.states()
    assert states == {DeliveryState.ACCEPTED: len(relay.taken), DeliveryState.PLANNED: 30 - len(relay.taken)}
    assert 1 <= len(relay.taken) <= 3
    assert relay.open_now == 0
    assert sound(sqlite_rows)


def test_asked_to_stop_while_the_relay_is_away_it_gives_everything_back(sqlite_rows, dispatcher):
    sqlite_rows.run(5)
    relay = FakeRelay(away=10**6)
    made = dispatcher(relay)
    relay.at_open = lambda: relay.away < 10**6 - 3 and made.stop()

    assert run(made, until_done=False) is Ending.STOPPED
    assert sqlite_rows.states() == {DeliveryState.PLANNED: 5}


@pytest.mark.parametrize(
    ("run_state", "state"),
    [(RunState.PAUSED, DeliveryState.PLANNED), (RunState.CANCELLED, DeliveryState.CANCELLED)],
)
def test_after_an_officer_has_decided_no_content_goes_out(sqlite_rows, dispatcher, now, run_state, state):
    run_id = sqlite_rows.run(30)
    relay = FakeRelay()
    decided = []

    async def officer(_envelope):
        if len(relay.taken) >= 5 and not decided:
            decide(sqlite_rows, run_id, now, run_state=run_state, state=state)
            decided.append(len(relay.taken))

    relay.before = officer
    ending = run(dispatcher(relay))

    assert ending is (Ending.WAITING if run_state is RunState.PAUSED else Ending.DONE)
    assert len(relay.taken) == decided[0]
    assert sqlite_rows.states() == {DeliveryState.ACCEPTED: decided[0], state: 30 - decided[0]}
    assert sound(sqlite_rows)


def test_a_run_that_is_paused_and_resumed_reaches_everybody_once(sqlite_rows, dispatcher, now):
    run_id = sqlite_rows.run(30)
    relay = FakeRelay()
    decided = []

    async def officer(_envelope):
        if len(decided) < 3 and len(relay.taken) >= 5 * (len(decided) + 1):
            decide(sqlite_rows, run_id, now, run_state=RunState.PAUSED, state=DeliveryState.PLANNED)
            decided.append(len(relay.taken))

    relay.before = officer
    for _ in range(3):
        assert run(dispatcher(relay)) is Ending.WAITING
        sqlite_rows.change(update(RunRow).values(state=RunState.RUNNING))
    assert run(dispatcher(relay)) is Ending.DONE

    assert len(decided) == 3
    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(30))
    assert sound(sqlite_rows)


def test_people_who_are_gone_are_left_out(sqlite_rows, dispatcher):
    sqlite_rows.run(3)
    sqlite_rows.change(update(DeliveryRow).where(DeliveryRow.digest == "d1").values(digest="gone"))
    relay = FakeRelay()

    assert run(dispatcher(relay)) is Ending.DONE
    assert sorted(relay.taken) == ["d0", "d2"]
    assert sqlite_rows.delivery("gone").state is DeliveryState.SUPPRESSED


def test_what_a_dead_dispatcher_left_is_taken_over_first(sqlite_rows, dispatcher):
    sqlite_rows.run(3)
    sqlite_rows.change(
        update(DeliveryRow)
        .where(DeliveryRow.digest == "d0")
        .values(state=DeliveryState.SENDING, worker="host:0", epoch=1, attempts=1)
    )

    assert run(dispatcher(FakeRelay())) is Ending.DONE
    assert [attempt.verdict for attempt in sqlite_rows.attempts()] == [Verdict.UNCERTAIN, Verdict.ACCEPTED]
    assert sound(sqlite_rows)


def test_a_run_that_becomes_due_meanwhile_is_dispatched_too(sqlite_rows, dispatcher):
    relay = FakeRelay()
    made = dispatcher(relay)
    started = []

    def wake():
        if not started:
            started.append(sqlite_rows.run(3))

    made.wake = wake
    assert run(made) is Ending.DONE
    assert len(relay.taken) == 3


def test_an_idle_connection_is_closed_and_opened_again(sqlite_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    sqlite_rows.run(1)
    relay = FakeRelay()
    made = dispatcher(relay, connections=1)

    def wake():
        if relay.opened == 1 and relay.open_now == 0:
            sqlite_rows.single()
        if len(relay.taken) == 2:
            made.stop()

    made.wake = wake
    run(made, until_done=False)

    assert (relay.taken, relay.opened) == (["d0", "single"], 2)


class BrokenError(Exception):
    """What a database throws."""


def test_a_broken_commit_stops_everything_and_nobody_is_lost(sqlite_rows, dispatcher):
    sqlite_rows.run(10)
    relay = FakeRelay()
    made = dispatcher(relay)
    commit = made.ledger.commit

    def failing(entries, now):
        if len(relay.taken) >= 3:
            raise BrokenError
        return commit(entries, now)

    made.ledger.commit = failing
    with pytest.raises(BrokenError):
        run(made)
    made.ledger.commit = commit

    assert run(dispatcher(relay)) is Ending.DONE
    assert set(relay.taken) == {f"d{number}" for number in range(10)}
    assert len(relay.taken) <= 10 + 3, "at most one repeated message a connection"
    assert sound(sqlite_rows)


def test_a_broken_look_at_the_ledger_lets_the_wire_drain_first(sqlite_rows, dispatcher):
    sqlite_rows.run(10)
    relay = FakeRelay()
    made = dispatcher(relay)
    claim, broken = made.ledger.claim, asyncio.Event()

    def failing(limit, now):
        if relay.tries:
            broken.set()
            raise BrokenError
        return claim(limit, now)

    async def wait(_envelope):
        await broken.wait()

    made.ledger.claim, relay.after = failing, wait
    with pytest.raises(BrokenError):
        run(made)

    assert DeliveryState.SENDING not in sqlite_rows.states()
    assert DeliveryState.CLAIMED not in sqlite_rows.states()
    assert sqlite_rows.states()[DeliveryState.ACCEPTED] == len(relay.taken) >= 1
