"""The dispatcher over a real ledger and a relay that does as it is told."""

import asyncio
import datetime as dt
import itertools
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import OperationalError

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.dispatch import dispatcher as module
from newsletter.dispatch import line, outage, pulse, supply
from newsletter.dispatch.audit import audit
from newsletter.dispatch.dispatcher import Dispatcher, Ending
from newsletter.dispatch.ledger import Ledger
from newsletter.dispatch.models import WorkerRow
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict, classify, reply
from newsletter.dispatch.pace import Unlimited
from newsletter.dispatch.relay import Envelope, RelayDown, Turn
from newsletter.dispatch.retry import Backoff
from newsletter.dispatch.route import Route
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.store import change_run, move_deliveries, of_run
from newsletter.settings import Uncertain

HOLD = dt.timedelta(seconds=900)
DEADLINE = 30


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The dispatcher looks and tries again soon."""
    monkeypatch.setattr(supply, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(line, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(line, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(outage, "RETRY_SECONDS", 0.01)


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

    `away` is how often it cannot be opened, `most` how many connections it takes at a time. `offered` runs when an
    envelope comes in, `before` when a content does, `after` before the reply to it is given, `at_open` before a
    connection is made; with `silent` no content is answered. `abandoned` counts the connections that were cut where a content was awaited.
    """

    name = "relay.example:25"

    def __init__(self, script=None, *, away=0, most=99):
        self.script = script or {}
        self.away = away
        self.most = most
        self.opened = 0
        self.open_now = 0
        self.most_open = 0
        self.abandoned = 0
        self.turns = 0
        self.taken = []
        self.tries = {}
        self.offered = self.before = self.after = self.silent = None
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
    """Keeps to the port, and sees to it that the dispatcher does."""

    def __init__(self, relay):
        self.relay = relay
        self.awaited = None
        self.planned = None
        self.is_closed = False
        self.cut_short = None

    async def turn(self, content, following):
        assert not self.is_closed
        assert content is self.awaited, "the content of the message whose envelope was taken, and no other"
        assert content or following
        relay = self.relay
        relay.turns += 1
        told, closed = None, False
        if content:
            if relay.before:
                await relay.before(content)
            told, self.awaited = self.planned, None
            if told.verdict in {Verdict.ACCEPTED, Verdict.UNCERTAIN}:
                relay.taken.append(content.recipient)
            if relay.silent:
                return await self._silence(following)
            if relay.after:
                await relay.after(content)
            closed = told.closes
        refused = None
        if following:
            refused, closed = await self._envelope(following, closed=closed)
        await asyncio.sleep(0)
        return Turn(content=told, envelope=refused, is_open=self.awaited is not None, closed=closed)

    async def _silence(self, following):
        """Say nothing until the connection is closed from outside."""
        self.cut_short = asyncio.Event()
        self.relay.silent()
        await self.cut_short.wait()
        return Turn(content=lost(), envelope=cut() if following else None, closed=True)

    async def _envelope(self, envelope, *, closed):
        if closed:
            return cut(), True
        planned = self.relay.planned(envelope.recipient)
        if self.relay.offered:
            await self.relay.offered(envelope)
        if planned.phase is Phase.CONTENT:
            self.awaited, self.planned = envelope, planned
            return None, False
        return planned, planned.closes

    async def close(self, *, at_once=False):
        assert at_once or not self.awaited, "no QUIT where the relay waits for a content"
        if self.is_closed:
            return
        self.is_closed = True
        if self.cut_short:
            self.cut_short.set()
        self.relay.open_now -= 1
        self.relay.abandoned += self.awaited is not None


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


class FakeComposer:
    """A message to everybody but those whose digest says that they are gone."""

    signs = False

    def look_up(self, claims):
        return [SimpleNamespace(claim=claim) for claim in claims if "gone" not in claim.digest]

    def objection(self, draft):
        return unknown() if "unwritable" in draft.claim.digest else None

    def compose(self, draft):
        return an_envelope(draft.claim)


class SigningComposer(FakeComposer):
    """Composes in threads."""

    signs = True


def an_envelope(claim):
    return Envelope(
        sender="news@rivers.example",
        recipient=claim.digest,
        needs_smtputf8=False,
        name=claim.digest,
        pieces=(b"x\r\n",),
    )


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def dispatcher_over(clock):
    """Makes a dispatcher over rows and a relay."""

    def make(rows, relay, *, uncertain=Uncertain.REPEAT, connections=3, pace=None, **more):
        ledger = Ledger(rows.sessions, worker="host:1", uncertain=uncertain, hold=HOLD)
        backoff = Backoff(first=300, expiry=3600)
        routes = [Route(relay=relay, connections=connections, **({"pace": pace} if pace else {}))]
        parts = {"composer": FakeComposer(), "backoff": backoff, "now": clock, **more}
        return Dispatcher(ledger=ledger, routes=routes, **parts)

    return make


@pytest.fixture
def dispatcher(chosen_rows, dispatcher_over):
    """Makes a dispatcher over a relay."""
    return lambda relay, **more: dispatcher_over(chosen_rows, relay, **more)


def run(dispatcher, *, patience=0.5, until_done=True):
    """Let it run, but not for ever."""

    async def limited():
        dispatcher.loop = asyncio.get_running_loop()
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


def test_everybody_gets_one_message(chosen_rows, dispatcher):
    run_id, relay, told = chosen_rows.run(40), FakeRelay(), []

    ending = run(dispatcher(relay, finished=told.extend))

    assert ending is Ending.DONE
    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(40))
    assert chosen_rows.get(RunRow, run_id).state is RunState.FINISHED
    assert told == [chosen_rows.get(RunRow, run_id).issue_id]
    assert chosen_rows.get(IssueRow, told[0]).state is IssueState.SENT
    assert sound(chosen_rows)


def test_connections_are_opened_once_and_no_more_than_allowed(chosen_rows, dispatcher):
    chosen_rows.run(40)
    relay = FakeRelay()

    run(dispatcher(relay, connections=4))

    assert (relay.opened, relay.most_open, relay.open_now) == (4, 4, 0)


def test_content_and_the_next_envelope_share_a_turn(chosen_rows, dispatcher):
    chosen_rows.run(40)
    relay = FakeRelay()

    run(dispatcher(relay, connections=4))

    assert relay.turns == 40 + 4, "one a message, and one more a connection for its first envelope"


def test_nothing_to_do_is_done_without_a_connection(chosen_rows, dispatcher):
    relay = FakeRelay()

    assert run(dispatcher(relay)) is Ending.DONE
    assert relay.opened == 0


def test_every_kind_of_outcome_ends_where_it_belongs(chosen_rows, dispatcher):
    chosen_rows.run(4)
    relay = FakeRelay({"d1": [later()], "d2": [unknown()], "d3": [lost()]})
    made = dispatcher(relay, uncertain=Uncertain.SKIP)

    assert run(made) is Ending.WAITING

    assert [chosen_rows.delivery(f"d{number}").state for number in range(4)] == [
        DeliveryState.ACCEPTED,
        DeliveryState.DEFERRED,
        DeliveryState.REFUSED,
        DeliveryState.UNCERTAIN,
    ]
    progress = made.progress
    assert (progress.accepted, progress.deferred, progress.refused, progress.uncertain) == (1, 1, 1, 1)


def test_the_exit_code_tells_of_uncertain_deliveries(chosen_rows, dispatcher):
    chosen_rows.run(2)

    ending = run(dispatcher(FakeRelay({"d0": [lost()]}), uncertain=Uncertain.SKIP))

    assert (ending, ending.value) == (Ending.UNCERTAIN, 5)
    assert sound(chosen_rows)


def test_a_deferred_message_is_tried_again_when_its_time_has_come(chosen_rows, dispatcher, clock):
    chosen_rows.run(2)
    relay = FakeRelay({"d0": [later(), later()]})

    assert run(dispatcher(relay)) is Ending.WAITING
    assert relay.taken == ["d1"]
    clock.forward(dt.timedelta(seconds=400))
    assert run(dispatcher(relay)) is Ending.WAITING
    clock.forward(dt.timedelta(seconds=600))
    assert run(dispatcher(relay)) is Ending.DONE

    assert relay.taken == ["d1", "d0"]
    assert [attempt.verdict for attempt in chosen_rows.attempts()] == [Verdict.DEFERRED] * 2 + [Verdict.ACCEPTED]
    assert sound(chosen_rows)


def test_a_message_that_is_deferred_for_too_long_expires(chosen_rows, dispatcher, clock):
    chosen_rows.run(1)
    relay = FakeRelay({"d0": [later()] * 99})
    for _ in range(20):
        if run(dispatcher(relay)) is Ending.DONE:
            break
        clock.forward(dt.timedelta(seconds=600))

    assert chosen_rows.states() == {DeliveryState.EXPIRED: 1}
    assert sound(chosen_rows)


def test_a_retry_that_is_due_within_the_patience_is_waited_for(chosen_rows, dispatcher, clock):
    chosen_rows.run(1)
    relay = FakeRelay({"d0": [later()]})

    def wake():
        clock.forward(dt.timedelta(seconds=20))

    assert run(dispatcher(relay, wake=wake), patience=3600) is Ending.DONE
    assert relay.taken == ["d0"]


def test_an_uncertain_message_is_repeated_once_after_the_hold(chosen_rows, dispatcher, clock):
    chosen_rows.run(1)
    relay = FakeRelay({"d0": [lost(), lost()]})

    assert run(dispatcher(relay)) is Ending.WAITING
    clock.forward(HOLD)
    assert run(dispatcher(relay)) is Ending.UNCERTAIN

    assert relay.taken == ["d0", "d0"]
    clock.forward(HOLD)
    assert run(dispatcher(relay)) is Ending.DONE
    assert relay.taken == ["d0", "d0"]
    assert sound(chosen_rows)


def test_a_relay_that_is_away_for_a_while_costs_nobody_an_attempt(chosen_rows, dispatcher):
    chosen_rows.run(10)
    relay = FakeRelay(away=7)

    assert run(dispatcher(relay), patience=DEADLINE) is Ending.DONE

    assert sorted(relay.tries.values()) == [1] * 10
    assert sound(chosen_rows)


def test_a_relay_that_stays_away_is_given_up_and_nothing_is_left_claimed(chosen_rows, dispatcher):
    chosen_rows.run(10)

    assert run(dispatcher(FakeRelay(away=10**6)), patience=0.1) is Ending.WAITING
    assert chosen_rows.states() == {DeliveryState.PLANNED: 10}


def test_a_relay_that_says_nothing_about_any_message_is_given_up_too(chosen_rows, dispatcher):
    """It can be reached, and answers every MAIL with a 4xx reply, or hangs up."""
    chosen_rows.run(10)

    assert run(dispatcher(FakeRelay({"everybody": [cut()] * 10**5})), patience=0.1) is Ending.WAITING
    assert chosen_rows.states() == {DeliveryState.PLANNED: 10}


def test_a_relay_that_takes_few_connections_is_used_with_those(chosen_rows, dispatcher):
    chosen_rows.run(60)
    relay = FakeRelay(most=2)

    assert run(dispatcher(relay, connections=8)) is Ending.DONE

    assert (relay.most_open, len(relay.taken)) == (2, 60)


def test_a_relay_that_hangs_up_now_and_then_gets_everything_once(chosen_rows, dispatcher):
    chosen_rows.run(30)
    relay = FakeRelay({f"d{number}": [cut()] for number in range(0, 30, 3)})

    assert run(dispatcher(relay)) is Ending.DONE

    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(30))
    assert {len(chosen_rows.attempts(f"d{number}")) for number in range(30)} == {1}


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.MAIL])
def test_a_relay_that_goes_on_refusing_us_pauses_the_run(chosen_rows, dispatcher, phase):
    run_id = chosen_rows.run(30)
    relay = FakeRelay({"everybody": [blocked(phase)] * 99})

    assert run(dispatcher(relay)) is Ending.WAITING

    paused = chosen_rows.get(RunRow, run_id)
    assert paused.state is RunState.PAUSED
    assert "5.7.1" in paused.held
    assert "anna@lakes.example" not in paused.held
    assert chosen_rows.get(IssueRow, paused.issue_id).state is IssueState.PAUSED
    assert set(chosen_rows.states()) <= {DeliveryState.PLANNED, DeliveryState.DEFERRED}, "no subscriber pays for it"
    assert len(relay.tries) < 12
    assert sound(chosen_rows)


def test_one_refusal_of_us_among_acceptances_pauses_nothing(chosen_rows, dispatcher):
    run_id = chosen_rows.run(30)
    relay = FakeRelay({f"d{number}": [blocked()] for number in range(0, 30, 3)})

    run(dispatcher(relay, connections=1))

    assert chosen_rows.get(RunRow, run_id).state is RunState.RUNNING


def test_a_run_that_is_resumed_after_it_was_refused_has_a_fresh_chance(chosen_rows, dispatcher):
    run_id = chosen_rows.run(9)
    relay = FakeRelay({f"d{number}": [blocked()] for number in range(4)})
    made = dispatcher(relay, connections=1)
    paused = []

    def resume():
        if chosen_rows.get(RunRow, run_id).state is RunState.PAUSED:
            paused.append(len(relay.taken))
            chosen_rows.change(update(RunRow).values(state=RunState.RUNNING))
        return len(relay.taken) == 5 and stop_from_outside(made)

    made.wake = resume
    assert run(made, until_done=False) is Ending.STOPPED

    assert paused == [0], "after the third refusal, and not again after the fourth"
    assert chosen_rows.states() == {DeliveryState.ACCEPTED: 5, DeliveryState.DEFERRED: 4}


def test_a_refused_single_message_pauses_no_run(chosen_rows, dispatcher):
    run_id = chosen_rows.run(0)
    for number in range(5):
        chosen_rows.single(f"s{number}")

    run(dispatcher(FakeRelay({"everybody": [blocked()] * 9})))

    assert chosen_rows.get(RunRow, run_id).state is RunState.FINISHED


def stop_from_outside(made):
    """What a signal does, from a thread that is not the loop's."""
    made.loop.call_soon_threadsafe(made.stop)


def test_asked_to_stop_it_ends_what_is_on_the_wire_and_begins_nothing(chosen_rows, dispatcher):
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)

    async def stop(_envelope):
        made.stop()
        made.stop()

    relay.after = stop
    ending = run(made)

    assert (ending, max(ending.value, 0)) == (Ending.STOPPED, 0)
    states = chosen_rows.states()
    assert states == {DeliveryState.ACCEPTED: len(relay.taken), DeliveryState.PLANNED: 30 - len(relay.taken)}
    assert 1 <= len(relay.taken) <= 3
    assert relay.open_now == 0
    assert sound(chosen_rows)


def test_asked_to_stop_while_a_connection_is_being_made_it_does_not_wait_for_it(chosen_rows, dispatcher):
    chosen_rows.run(5)
    relay = FakeRelay()
    made = dispatcher(relay)

    async def never():
        made.stop()
        await asyncio.Event().wait()

    relay.open = never
    assert run(made) is Ending.STOPPED
    assert chosen_rows.states() == {DeliveryState.PLANNED: 5}


def test_a_relay_that_stays_silent_is_cut_off_and_named(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.01)
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)
    relay.silent = made.stop
    assert run(made) is Ending.STOPPED

    sent = len(relay.taken)
    assert 1 <= sent <= 3
    assert chosen_rows.states() == {DeliveryState.UNCERTAIN: sent, DeliveryState.PLANNED: 30 - sent}
    assert [attempt.text for attempt in chosen_rows.attempts(relay.taken[0])] == ["lost"]
    assert relay.open_now == 0
    assert sound(chosen_rows)


def test_a_turn_that_does_not_end_even_then_is_given_up_and_named(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.01)
    monkeypatch.setattr(module, "CUT_SECONDS", 0.01)
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)

    async def hang(_envelope):
        made.stop()
        await asyncio.Event().wait()

    relay.after = hang
    assert run(made) is Ending.STOPPED

    sent = len(relay.taken)
    assert 1 <= sent <= 3
    assert chosen_rows.states() == {DeliveryState.UNCERTAIN: sent, DeliveryState.PLANNED: 30 - sent}
    assert [attempt.verdict for attempt in chosen_rows.attempts(relay.taken[0])] == [Verdict.UNCERTAIN]
    assert relay.open_now == 0
    assert sound(chosen_rows)


def test_asked_twice_it_comes_back_at_once(chosen_rows, dispatcher):
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)

    def silent():
        made.stop()
        made.cut()

    relay.silent = silent
    assert run(made) is Ending.STOPPED

    assert chosen_rows.states()[DeliveryState.UNCERTAIN] == len(relay.taken) >= 1
    assert sound(chosen_rows)


def test_an_envelope_that_is_cut_off_is_nothing_yet(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(module, "CUT_SECONDS", 0.01)
    chosen_rows.run(3)
    relay = FakeRelay()
    made = dispatcher(relay)

    async def silent(_envelope):
        made.cut()
        await asyncio.Event().wait()

    relay.offered = silent
    assert run(made) is Ending.STOPPED

    assert chosen_rows.states() == {DeliveryState.PLANNED: 3}
    assert chosen_rows.attempts("d0") == []


def test_asked_to_stop_while_the_relay_is_away_it_gives_everything_back(chosen_rows, dispatcher):
    chosen_rows.run(5)
    relay = FakeRelay(away=10**6)
    made = dispatcher(relay)
    relay.at_open = lambda: relay.away < 10**6 - 3 and made.stop()

    assert run(made, until_done=False) is Ending.STOPPED
    assert chosen_rows.states() == {DeliveryState.PLANNED: 5}


@pytest.mark.parametrize(
    ("run_state", "state"),
    [(RunState.PAUSED, DeliveryState.PLANNED), (RunState.CANCELLED, DeliveryState.CANCELLED)],
)
def test_after_an_officer_has_decided_no_content_goes_out(chosen_rows, dispatcher, now, run_state, state):
    run_id = chosen_rows.run(300)
    relay = FakeRelay()
    beyond = []

    async def officer(_envelope):
        if len(relay.taken) >= 5 and not beyond:
            decide(chosen_rows, run_id, now, run_state=run_state, state=state)
            states = chosen_rows.states()
            beyond.append(states[DeliveryState.ACCEPTED] + states[DeliveryState.SENDING])

    relay.offered = officer
    ending = run(dispatcher(relay))

    assert ending is (Ending.WAITING if run_state is RunState.PAUSED else Ending.DONE)
    assert 5 <= len(relay.taken) == beyond[0] <= 9
    assert chosen_rows.states() == {DeliveryState.ACCEPTED: beyond[0], state: 300 - beyond[0]}
    assert 1 <= relay.abandoned <= 6, "what else was claimed of the run is not tried one after the other"
    assert sound(chosen_rows)


def test_who_leaves_between_envelope_and_content_gets_nothing_and_costs_a_connection(chosen_rows, dispatcher, now):
    chosen_rows.run(20)
    relay = FakeRelay()

    async def leave(envelope):
        if envelope.recipient == "d7":
            with chosen_rows.sessions() as session:
                mine, claimed = DeliveryRow.digest == "d7", [DeliveryState.CLAIMED]
                move_deliveries(session, mine, expected=claimed, state=DeliveryState.SUPPRESSED, now=now)
                session.commit()

    relay.offered = leave
    assert run(dispatcher(relay, connections=2)) is Ending.DONE

    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(20) if number != 7)
    assert (relay.abandoned, relay.opened) == (1, 3)
    assert sound(chosen_rows)


def test_nothing_is_written_before_it_is_committed(chosen_rows, dispatcher):
    """Neither a content before its own mark and the result of the one before on this connection."""
    chosen_rows.run(40)
    relay = FakeRelay()
    seen = []

    async def look(envelope):
        states = chosen_rows.states()
        assert chosen_rows.delivery(envelope.recipient).state is DeliveryState.SENDING
        assert states[DeliveryState.SENDING] <= relay.open_now
        assert states.get(DeliveryState.ACCEPTED, 0) >= len(relay.taken) - relay.open_now + 1
        seen.append(envelope.recipient)

    relay.before = look
    assert run(dispatcher(relay)) is Ending.DONE
    assert len(seen) == 40


def test_a_run_that_is_paused_and_resumed_reaches_everybody_once(chosen_rows, dispatcher, now):
    run_id = chosen_rows.run(30)
    relay = FakeRelay()
    decided = []

    async def officer(_envelope):
        if len(decided) < 3 and len(relay.taken) >= 5 * (len(decided) + 1):
            decide(chosen_rows, run_id, now, run_state=RunState.PAUSED, state=DeliveryState.PLANNED)
            decided.append(len(relay.taken))

    relay.offered = officer
    for _ in range(3):
        assert run(dispatcher(relay)) is Ending.WAITING
        chosen_rows.change(update(RunRow).values(state=RunState.RUNNING))
    assert run(dispatcher(relay)) is Ending.DONE

    assert len(decided) == 3
    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(30))
    assert sound(chosen_rows)


def test_people_who_are_gone_are_left_out(chosen_rows, dispatcher):
    chosen_rows.run(3)
    chosen_rows.change(update(DeliveryRow).where(DeliveryRow.digest == "d1").values(digest="gone"))
    relay = FakeRelay()

    assert run(dispatcher(relay)) is Ending.DONE
    assert sorted(relay.taken) == ["d0", "d2"]
    assert chosen_rows.delivery("gone").state is DeliveryState.SUPPRESSED


def test_whom_no_message_can_be_written_to_keeps_nobody_else_waiting(chosen_rows, dispatcher):
    chosen_rows.run(3)
    chosen_rows.change(update(DeliveryRow).where(DeliveryRow.digest == "d1").values(digest="unwritable"))
    relay = FakeRelay()

    assert run(dispatcher(relay)) is Ending.DONE
    assert sorted(relay.tries) == ["d0", "d2"]
    assert chosen_rows.delivery("unwritable").state is DeliveryState.REFUSED
    assert [attempt.code for attempt in chosen_rows.attempts("unwritable")] == [550]
    assert sound(chosen_rows)


def test_what_a_dead_dispatcher_left_is_taken_over_first(chosen_rows, dispatcher):
    chosen_rows.run(3)
    chosen_rows.change(
        update(DeliveryRow)
        .where(DeliveryRow.digest == "d0")
        .values(state=DeliveryState.SENDING, worker="host:0", epoch=1, attempts=1)
    )

    assert run(dispatcher(FakeRelay())) is Ending.DONE
    assert [attempt.verdict for attempt in chosen_rows.attempts()] == [Verdict.UNCERTAIN, Verdict.ACCEPTED]
    assert sound(chosen_rows)


def test_a_run_that_becomes_due_meanwhile_is_dispatched_too(chosen_rows, dispatcher):
    relay = FakeRelay()
    made = dispatcher(relay)
    started = []

    def wake():
        if not started:
            started.append(chosen_rows.run(3))

    made.wake = wake
    assert run(made) is Ending.DONE
    assert len(relay.taken) == 3


def test_an_idle_connection_is_closed_and_opened_again(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(line, "IDLE_SECONDS", 0.01)
    chosen_rows.run(1)
    relay = FakeRelay()
    made = dispatcher(relay, connections=1)
    more = []

    def wake():
        if relay.opened == 1 and relay.open_now == 0 and not more:
            more.append(chosen_rows.single())
        return len(relay.taken) == 2 and stop_from_outside(made)

    made.wake = wake
    run(made, until_done=False)

    assert (relay.taken, relay.opened) == (["d0", "single"], 2)


class BrokenError(Exception):
    """What a database throws."""


def test_a_broken_commit_stops_everything_and_nobody_is_lost(chosen_rows, dispatcher):
    chosen_rows.run(10)
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
    assert sound(chosen_rows)


def test_a_broken_look_at_the_ledger_lets_the_wire_drain_first(chosen_rows, dispatcher):
    chosen_rows.run(10)
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

    assert DeliveryState.SENDING not in chosen_rows.states()
    assert DeliveryState.CLAIMED not in chosen_rows.states()
    assert chosen_rows.states()[DeliveryState.ACCEPTED] == len(relay.taken) >= 1


def away(_entries=None, _now=None):
    raise OperationalError("UPDATE", {}, Exception("database or disk is full"))


def failing(method, *, times, when=lambda: True, first=False):
    """A ledger's method that fails `times`; with `first` the database has done it all the same."""
    left = [times]

    def called(*arguments):
        if left[0] and when():
            left[0] -= 1
            if first:
                method(*arguments)
            away()
        return method(*arguments)

    return called


def test_what_cannot_be_recorded_is_not_sent(chosen_rows, dispatcher, capsys):
    """The disk is full for a while: nothing goes out meanwhile, and everything by itself afterwards."""
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)
    commit, full, sent = made.ledger.commit, [5], []

    def fails(entries, now):
        if len(relay.taken) >= 6 and full[0]:
            full[0] -= 1
            sent.append((len(relay.taken), relay.turns))
            away()
        return commit(entries, now)

    made.ledger.commit = fails
    assert run(made) is Ending.DONE

    assert len(sent) == 5
    assert sent[0][0] <= sent[-1][0] <= sent[0][0] + 3, "what was on the wire ends, and nothing else begins"
    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(30))
    assert {len(chosen_rows.attempts(f"d{number}")) for number in range(30)} == {1}
    said = capsys.readouterr()
    assert (said.out + said.err).count("database away") == 1
    assert (said.out + said.err).count("database back") == 1
    assert sound(chosen_rows)


def test_a_commit_that_the_database_took_and_did_not_confirm_is_sorted_out(chosen_rows, dispatcher):
    """Its marks may hold or not; nothing of it is sent without one, and nobody is left out or gets it twice."""
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)
    made.ledger.commit = failing(made.ledger.commit, times=2, when=lambda: len(relay.taken) >= 6, first=True)

    assert run(made) is Ending.DONE

    assert sorted(relay.taken) == sorted(f"d{number}" for number in range(30))
    assert chosen_rows.states() == {DeliveryState.ACCEPTED: 30}
    assert sound(chosen_rows)


@pytest.mark.parametrize("method", ["claim", "sweep", "reap", "finished_runs", "standing", "drop"])
def test_a_database_that_is_away_for_a_while_stops_nothing_for_good(chosen_rows, dispatcher, method):
    chosen_rows.run(9)
    chosen_rows.change(update(DeliveryRow).where(DeliveryRow.digest == "d1").values(digest="gone"))
    relay = FakeRelay()
    made = dispatcher(relay)
    setattr(made.ledger, method, failing(getattr(made.ledger, method), times=2))

    assert run(made) is Ending.DONE
    assert len(relay.taken) == 8
    assert chosen_rows.delivery("gone").state is DeliveryState.SUPPRESSED


def test_a_due_run_that_cannot_be_started_is_started_later(chosen_rows, dispatcher):
    relay = FakeRelay()
    started = []
    wake = failing(lambda: started or started.append(chosen_rows.run(3)), times=2)

    assert run(dispatcher(relay, wake=wake)) is Ending.DONE
    assert len(relay.taken) == 3


def test_a_run_of_which_somebody_else_ends_the_last_between_two_questions_is_closed(chosen_rows, dispatcher, now):
    long_alive = {"name": "host:late", "started": now, "heartbeat": now + dt.timedelta(days=3650)}
    begun, ended = [], []

    def begin():
        if not begun:
            begun.append(chosen_rows.run(1))
            chosen_rows.change(insert(WorkerRow).values(long_alive))
            chosen_rows.change(update(DeliveryRow).values(state=DeliveryState.SENDING, worker="host:late"))

    def and_then_it_ends(ask):
        def asked(*given):
            answer = ask(*given)
            if not ended:
                ended.append(True)
                chosen_rows.change(update(DeliveryRow).values(state=DeliveryState.ACCEPTED, worker=None))
            return answer

        return asked

    made = dispatcher(FakeRelay(), wake=begin)
    made.ledger.standing = and_then_it_ends(made.ledger.standing)
    made.ledger.finished_runs = and_then_it_ends(made.ledger.finished_runs)

    assert run(made) is Ending.DONE
    assert chosen_rows.get(RunRow, begun[0]).state is RunState.FINISHED


def test_a_database_that_stays_away_leaves_the_rest_to_the_next_dispatcher(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.05)
    monkeypatch.setattr(module, "CUT_SECONDS", 0.05)
    monkeypatch.setattr(line, "LAST_WRITE_SECONDS", 0.01)
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)
    commit = made.ledger.commit

    def gone(entries, now):
        if len(relay.taken) < 4:
            return commit(entries, now)
        made.stop()
        return away()

    made.ledger.commit = gone
    made.ledger.release = made.ledger.sign_off = away
    assert run(made) is Ending.STOPPED
    sent = len(relay.taken)
    assert 4 <= sent <= 7

    assert run(dispatcher(relay)) is Ending.DONE
    assert set(relay.taken) == {f"d{number}" for number in range(30)}
    assert len(relay.taken) <= 30 + 3, "at most one repeated message a connection"
    assert sound(chosen_rows)


def test_who_is_declared_dead_begins_nothing_new_and_says_so(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.01)
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)
    told = threading.Event()

    def beat(_now):
        return not (relay.taken and told.set() is None)

    async def wait(_envelope):
        await made._stopping.wait()

    made.ledger.heartbeat, relay.after = beat, wait
    ending = run(made)

    assert (ending, ending.value) == (Ending.FENCED, 75)
    assert told.is_set()
    assert 1 <= len(relay.taken) <= 3
    assert chosen_rows.states() == {
        DeliveryState.ACCEPTED: len(relay.taken),
        DeliveryState.PLANNED: 30 - len(relay.taken),
    }


def test_who_hears_nothing_of_the_database_ends_though_every_call_hangs(chosen_rows, dispatcher, monkeypatch):
    short = {"BEAT_SECONDS": 0.01, "LOOK_SECONDS": 0.01, "SILENT_SECONDS": 0.3}
    for name, seconds in short.items():
        monkeypatch.setattr(pulse, name, seconds)
    for name, seconds in {"FENCED_SECONDS": 0.1, "CUT_SECONDS": 0.1, "LAST_SECONDS": 1.0}.items():
        monkeypatch.setattr(module, name, seconds)
    monkeypatch.setattr(line, "LAST_WRITE_SECONDS", 0.1)
    chosen_rows.run(30)
    relay, back = FakeRelay(), threading.Event()
    made = dispatcher(relay, threaded=True, perish=back.set)
    names = ("commit", "claim", "heartbeat", "sweep", "release", "sign_off", "finished_runs", "standing")
    answers = {name: getattr(made.ledger, name) for name in names}

    def hanging(name):
        def call(*arguments):
            if len(relay.taken) > 3:
                assert back.wait(DEADLINE), "nobody ended what hangs"
            return answers[name](*arguments)

        return call

    for name in names:
        setattr(made.ledger, name, hanging(name))
    assert run(made) is Ending.FENCED
    assert back.is_set(), "the process ends at last"
    assert 4 <= len(relay.taken) <= 4 + 3, "at most one more a connection"


def test_a_pulse_that_finds_our_own_end_is_no_declaration_of_death(postgres_rows, dispatcher_over, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.001)
    postgres_rows.run(3)
    made, found = dispatcher_over(postgres_rows, FakeRelay(), threaded=True), threading.Event()
    beat, sign_off = made.ledger.heartbeat, made.ledger.sign_off

    def beaten(now):
        lives = beat(now)
        if not lives:
            found.set()
        return lives

    def signed_off(now):
        lived = sign_off(now)
        assert found.wait(DEADLINE), "the pulse goes on"
        return lived

    made.ledger.heartbeat, made.ledger.sign_off = beaten, signed_off
    assert run(made) is Ending.DONE


def test_a_heart_that_fails_for_good_ends_the_dispatcher(chosen_rows, dispatcher, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.01)
    chosen_rows.run(3)
    made = dispatcher(FakeRelay())

    def beat(_now):
        raise BrokenError

    made.ledger.heartbeat = beat
    with pytest.raises(BrokenError):
        run(made, until_done=False)


@pytest.mark.parametrize("method", ["release", "sign_off", "sweep"])
def test_a_fault_of_ours_in_the_ledger_is_no_outage(chosen_rows, dispatcher, method):
    chosen_rows.run(30)
    relay = FakeRelay()
    made = dispatcher(relay)

    def broken(*_arguments):
        raise BrokenError

    async def stop(_envelope):
        made.stop()

    relay.after = stop
    setattr(made.ledger, method, broken)
    with pytest.raises(BrokenError):
        run(made)


def test_what_others_left_when_they_died_is_taken_over_on_the_way(chosen_rows, dispatcher, monkeypatch, capsys):
    monkeypatch.setattr(module, "REAP_SECONDS", 0)
    made = dispatcher(FakeRelay())
    found = [(0, 0), (3, 1)]

    def reap(_now):
        if not found:
            stop_from_outside(made)
        return found.pop(0) if found else (0, 0)

    made.ledger.reap = reap
    assert run(made, until_done=False) is Ending.STOPPED
    said = capsys.readouterr()
    assert (said.out + said.err).count("taken over") == 1


@pytest.mark.parametrize("part", ["turn", "open", "compose", "sign"])
def test_a_fault_of_ours_ends_the_dispatcher_and_nobody_is_lost(chosen_rows, dispatcher, monkeypatch, part):
    chosen_rows.run(20)
    relay = FakeRelay()
    made = dispatcher(relay, composer=SigningComposer() if part == "sign" else FakeComposer())

    def broken(*_arguments):
        raise BrokenError

    async def broken_turn(envelope):
        if len(relay.taken) >= 5:
            raise BrokenError

    if part == "turn":
        relay.offered = broken_turn
    elif part == "open":
        relay.at_open = broken
    elif part == "sign":
        made._supply._signing._compose = broken
    else:
        made._supply._compose = broken
    with pytest.raises(BrokenError):
        run(made)
    relay.offered, relay.at_open = None, lambda: None
    assert not {DeliveryState.CLAIMED} & set(chosen_rows.states())

    assert run(dispatcher(relay)) is Ending.DONE
    assert set(relay.taken) == {f"d{number}" for number in range(20)}
    assert sound(chosen_rows)


class Slow(Unlimited):
    """A pace at which every message waits, the first one `first` seconds and the others `then`."""

    def __init__(self, first, then):
        self.waits = itertools.chain([first], itertools.repeat(then))
        self.heard = []

    def take(self, _recipient, *, now):
        return next(self.waits)

    def tell(self, outcome, *, recipient, now):
        self.heard.append((recipient, outcome.verdict))


def test_nothing_waits_for_its_time_with_a_354_open(chosen_rows, dispatcher):
    chosen_rows.run(12)
    relay, pace = FakeRelay(away=1), Slow(0.001, 0.001)

    assert run(dispatcher(relay, pace=pace, connections=2)) is Ending.DONE

    assert relay.turns == 2 * 12, "content and envelope apart"
    assert relay.abandoned == 0
    assert (None, Verdict.NOT_SENT) in pace.heard
    assert sorted(pace.heard[1:]) == sorted((f"d{number}", Verdict.ACCEPTED) for number in range(12))


def test_a_message_that_waits_for_its_time_is_given_back_when_asked_to_stop(chosen_rows, dispatcher):
    chosen_rows.run(3)
    relay = FakeRelay()
    made = dispatcher(relay, pace=Slow(0, 1000), connections=1)
    made.wake = lambda: len(relay.taken) == 1 and not relay.open_now and stop_from_outside(made)

    assert run(made, until_done=False) is Ending.STOPPED
    assert chosen_rows.states() == {DeliveryState.ACCEPTED: 1, DeliveryState.PLANNED: 2}


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("composer", [FakeComposer, SigningComposer])
def test_threads_change_nothing(rows, dispatcher_over, composer, threaded):
    run_id = rows.run(60)
    rows.change(update(DeliveryRow).where(DeliveryRow.digest == "d1").values(digest="gone"))
    relay = FakeRelay({"d2": [later()], "d3": [unknown()], "d4": [lost()], "d5": [cut()]})
    made = dispatcher_over(rows, relay, uncertain=Uncertain.SKIP, composer=composer(), threaded=threaded)

    assert run(made) is Ending.WAITING

    assert rows.states() == {
        DeliveryState.ACCEPTED: 56,
        DeliveryState.DEFERRED: 1,
        DeliveryState.REFUSED: 1,
        DeliveryState.UNCERTAIN: 1,
        DeliveryState.SUPPRESSED: 1,
    }
    assert len(set(relay.taken)) == len(relay.taken) == 57
    assert rows.get(RunRow, run_id).state is RunState.RUNNING
    assert sound(rows)


@pytest.mark.parametrize("composer", [FakeComposer, SigningComposer])
def test_only_a_few_messages_are_composed_ahead(chosen_rows, dispatcher, composer):
    chosen_rows.run(200)
    relay, composed = FakeRelay(), []
    made = dispatcher(relay, connections=2, composer=composer())
    compose = made.composer.compose

    def counting(draft):
        composed.append(draft)
        return compose(draft)

    made.composer.compose = counting
    made.__post_init__()
    ahead = []

    async def look(_envelope):
        ahead.append(len(composed) - len(relay.taken))

    relay.before = look
    assert run(made) is Ending.DONE
    assert max(ahead) <= 2 * 2 + 2 * 2


def test_a_paused_run_gives_back_what_was_composed_ahead(chosen_rows, dispatcher, now):
    run_id = chosen_rows.run(300)
    relay = FakeRelay()
    decided = []

    async def officer(_envelope):
        if len(relay.taken) >= 5 and not decided:
            decide(chosen_rows, run_id, now, run_state=RunState.PAUSED, state=DeliveryState.PLANNED)
            decided.append(True)

    relay.offered = officer
    assert run(dispatcher(relay, composer=SigningComposer())) is Ending.WAITING
    assert set(chosen_rows.states()) == {DeliveryState.ACCEPTED, DeliveryState.PLANNED}
    assert relay.abandoned <= 6
