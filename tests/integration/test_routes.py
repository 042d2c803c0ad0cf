"""Several relays, their pace and their absence: the dispatcher over a real ledger and relays that do as they are told."""

import asyncio
import datetime as dt
import time
from types import SimpleNamespace

import pytest
from integration.test_dispatcher import (  # noqa: F401  fixtures among them
    FakeComposer,
    FakeRelay,
    clock,
    cut,
    dispatcher,
    dispatcher_over,
    impatient,
    later,
    lost,
    run,
    sound,
    stop_from_outside,
)

from newsletter.dispatch import line
from newsletter.dispatch.breaker import FAULTS
from newsletter.dispatch.bucket import TokenBucket
from newsletter.dispatch.dispatcher import Dispatcher, Ending
from newsletter.dispatch.groups import Groups
from newsletter.dispatch.ledger import Ledger
from newsletter.dispatch.outcome import Phase, Verdict, classify, reply
from newsletter.dispatch.pace import Together
from newsletter.dispatch.relay import Envelope
from newsletter.dispatch.retry import Backoff
from newsletter.dispatch.route import Route
from newsletter.dispatch.warm_up import WarmUp
from newsletter.planning.models import DeliveryState
from newsletter.settings import Uncertain

HOLD = dt.timedelta(seconds=900)
FOR_EVER = 10**6


class Provided(FakeComposer):
    """A composer whose recipients have a provider: every second one, by number, the same."""

    def compose(self, draft):
        digest = draft.claim.digest
        domain = "gmail.com" if int(digest[1:]) % 2 else f"{digest}.example"
        return Envelope(
            sender="a@b.example", recipient=f"{digest}@{domain}", needs_smtputf8=False, name="", pieces=(b"x",)
        )


@pytest.fixture
def over(chosen_rows, clock):  # noqa: F811
    """Makes a dispatcher over routes."""

    def make(*routes, uncertain=Uncertain.REPEAT, composer=None, **more):
        ledger = Ledger(chosen_rows.sessions, worker="host:1", uncertain=uncertain, hold=HOLD)
        parts = {"composer": composer or FakeComposer(), "backoff": Backoff(first=300, expiry=3600), "now": clock}
        return Dispatcher(ledger=ledger, routes=routes, **{**parts, **more})

    return make


def a_route(relay, *, name="north", connections=2, **more):
    relay.name = name
    return Route(relay=relay, connections=connections, **more)


def fail(route):
    for _ in range(FAULTS):
        route.breaker.fault(route, now=float("inf"), first=1, longest=1)


def everybody(count):
    return sorted(f"d{number}" for number in range(count))


def test_all_relays_are_used_at_once(chosen_rows, over):
    chosen_rows.run(120)
    north, south = FakeRelay(), FakeRelay()

    ending = run(over(a_route(north, connections=4), a_route(south, name="south", connections=2)))

    assert ending is Ending.DONE
    assert sorted(north.taken + south.taken) == everybody(120)
    assert len(north.taken) > len(south.taken) > 20, "in proportion to their connections"
    relays = {attempt.relay for number in range(120) for attempt in chosen_rows.attempts(f"d{number}")}
    assert relays == {"north", "south"}
    assert sound(chosen_rows)


def test_what_was_certainly_not_sent_over_one_relay_goes_over_the_other(chosen_rows, over, capsys):
    chosen_rows.run(40)
    north, south = FakeRelay({"everybody": [cut()] * 99}), FakeRelay()

    assert run(over(a_route(north), a_route(south, name="south")), patience=5) is Ending.DONE

    assert (north.taken, sorted(south.taken)) == ([], everybody(40))
    assert {len(chosen_rows.attempts(f"d{number}")) for number in range(40)} == {1}, "no attempt is counted"
    assert "relay back" not in "".join(capsys.readouterr())
    assert sound(chosen_rows)


def test_what_is_uncertain_is_not_moved_before_its_hold(chosen_rows, over, clock):  # noqa: F811
    chosen_rows.run(20)
    north, south = FakeRelay({"everybody": [lost()] * 99}), FakeRelay()
    routes = a_route(north, connections=1), a_route(south, name="south")

    assert run(over(*routes)) is Ending.WAITING

    doubted = list(north.taken)
    assert doubted
    assert not set(doubted) & set(south.taken)
    clock.forward(HOLD)
    north.script = {}
    assert run(over(*routes)) is Ending.DONE
    assert sorted(set(north.taken + south.taken)) == everybody(20)
    assert len(north.taken + south.taken) == 20 + len(doubted)
    assert sound(chosen_rows)


def test_a_spare_is_left_alone_while_a_primary_relay_is_heard(chosen_rows, over):
    chosen_rows.run(60)
    north, spare = FakeRelay(), FakeRelay()
    primary = a_route(north)

    assert run(over(primary, a_route(spare, name="spare", stands_in_for=(primary,)))) is Ending.DONE

    assert (len(north.taken), spare.opened) == (60, 0)


def test_a_spare_steps_in_when_no_primary_relay_is_heard_and_steps_back(chosen_rows, over, monkeypatch, capsys):
    monkeypatch.setattr(line, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr("newsletter.dispatch.route.SPARE_SECONDS", 0.01)
    monkeypatch.setattr("newsletter.dispatch.breaker.LOOK_SECONDS", 0.01)
    chosen_rows.run(20)
    north, spare = FakeRelay(away=FOR_EVER), FakeRelay()
    primary = a_route(north)
    made = over(primary, a_route(spare, name="spare", stands_in_for=(primary,)))
    more = []

    def wake():
        if len(spare.taken) == 20 and not more:
            north.away = 0
            more.append([chosen_rows.single(f"s{number}") for number in range(5)])
        elif len(north.taken) >= 1 and len(more) == 1 and not spare.open_now:
            more.append([chosen_rows.single(f"t{number}") for number in range(9)])
        elif {f"t{number}" for number in range(9)} <= set(north.taken):
            stop_from_outside(made)

    made.wake = wake
    assert run(made, until_done=False) is Ending.STOPPED

    assert sorted(spare.taken)[:20] == everybody(20)
    said = "".join(capsys.readouterr())
    assert said.count("relay away") == said.count("relay back") == 1
    told = [text for text in said.splitlines() if "relay left alone" in text]
    assert ["warning" in text for text in told] == [True] + [False] * (len(told) - 1), "loud once, whatever it lasts"
    assert sound(chosen_rows)


def test_when_all_relays_stay_away_the_patience_ends_and_nothing_is_left_claimed(chosen_rows, over):
    chosen_rows.run(10)
    primary = a_route(FakeRelay(away=FOR_EVER))
    spare = a_route(FakeRelay(away=FOR_EVER), name="spare", stands_in_for=(primary,))

    assert run(over(primary, spare), patience=0.3) is Ending.WAITING

    assert chosen_rows.states() == {DeliveryState.PLANNED: 10}
    assert spare.relay.away < FOR_EVER, "it was tried"


def test_one_line_probes_a_relay_that_is_left_alone_and_the_others_hold_nothing(chosen_rows, over, monkeypatch):
    monkeypatch.setattr("newsletter.dispatch.breaker.LOOK_SECONDS", 0.01)
    chosen_rows.run(30)
    relay = FakeRelay(away=FAULTS)
    route, opened = a_route(relay, connections=5), []

    relay.at_open = lambda: opened.append(route.breaker.is_closed)
    assert run(over(route), patience=10) is Ending.DONE

    assert opened[: FAULTS + 1] == [True] * FAULTS + [False]
    assert opened.count(False) == 1
    assert sorted(relay.taken) == everybody(30)


def test_a_connection_that_takes_long_to_make_keeps_nobody_waiting(chosen_rows, over, monkeypatch):
    monkeypatch.setattr(line, "SLOW_OPENING", 0.01)
    chosen_rows.run(10)
    slow, quick = FakeRelay(), FakeRelay()
    made = over(a_route(slow), a_route(quick, name="south"))
    opening = slow.open

    everything = asyncio.Event()

    async def late():
        await everything.wait()
        return await opening()

    async def count(_envelope):
        if len(quick.taken) == 10:
            everything.set()

    slow.open, quick.after = late, count
    assert run(made) is Ending.DONE
    assert sorted(quick.taken) == everybody(10)


def test_a_rate_holds_over_all_connections(chosen_rows, over):
    chosen_rows.run(30)
    went = []
    relay = FakeRelay()

    async def note(_envelope):
        went.append(asyncio.get_running_loop().time())

    relay.before = note
    began = time.monotonic()
    assert run(over(a_route(relay, connections=4, pace=TokenBucket(20)))) is Ending.DONE

    assert len(went) == 30
    assert went[-1] - began >= 0.5, "twenty at once, and ten more at twenty a second"
    assert relay.abandoned == 0, "nothing waits with a 354 open"


def test_todays_number_is_kept_and_what_is_left_waits_for_tomorrow(chosen_rows, over, clock):  # noqa: F811
    chosen_rows.run(30)
    relay = FakeRelay({"d3": [later()], "d5": [cut()]})

    def pace():
        return Together([WarmUp([10, 15], start=clock().date(), sent=len(relay.taken), clock=clock)])

    assert run(over(a_route(relay, pace=pace()))) is Ending.WAITING
    assert len(relay.taken) == 10
    assert run(over(a_route(relay, pace=pace()))) is Ending.WAITING
    assert len(relay.taken) == 10, "a restart makes no more room"
    assert set(chosen_rows.states()) == {DeliveryState.ACCEPTED, DeliveryState.PLANNED, DeliveryState.DEFERRED}

    clock.forward(dt.timedelta(days=1))
    assert run(over(a_route(relay, pace=WarmUp([10, 15], start=dt.date(2026, 12, 1), sent=0, clock=clock))))
    assert len(relay.taken) == 25


def test_a_spare_does_not_help_a_relay_out_whose_number_is_used_up(chosen_rows, over, clock):  # noqa: F811
    chosen_rows.run(30)
    north, spare = FakeRelay(), FakeRelay()
    primary = a_route(north, pace=WarmUp([10], start=clock().date(), sent=0, clock=clock))

    assert run(over(primary, a_route(spare, name="spare", stands_in_for=(primary,)))) is Ending.WAITING
    assert (len(north.taken), spare.opened) == (10, 0)


def test_the_last_message_of_todays_number_is_an_end_like_any_other(chosen_rows, over, clock):  # noqa: F811
    chosen_rows.run(10)
    pace = WarmUp([10], start=clock().date(), sent=0, clock=clock)

    assert run(over(a_route(FakeRelay(), pace=pace))) is Ending.DONE


class AtOnce(FakeRelay):
    """Counts how many messages to one provider are on the wire at once."""

    def __init__(self, script=None):
        super().__init__(script)
        self.most = 99
        self.under_way = self.most_under_way = 0
        self.before, self.after = self.begin, self.end

    async def begin(self, content):
        if content.recipient.endswith("@gmail.com"):
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            await asyncio.sleep(0.005)

    async def end(self, content):
        if content.recipient.endswith("@gmail.com"):
            self.under_way -= 1


def test_a_provider_gets_no_more_at_once_than_its_group_may_have(chosen_rows, over, monkeypatch):
    monkeypatch.setattr("newsletter.dispatch.groups.BUSY_SECONDS", 0.005)
    monkeypatch.setattr(line, "CROWDED_SECONDS", 0.005)
    chosen_rows.run(80)
    relay = AtOnce()

    assert run(over(a_route(relay, connections=12, pace=Groups()), composer=Provided())) is Ending.DONE

    assert len(set(relay.taken)) == len(relay.taken) == 80
    assert 1 < relay.most_under_way <= 10, "five at first, and one more after as many successes as there may be at once"
    assert sound(chosen_rows)


def test_a_provider_that_closes_its_door_waits_in_the_ledger_and_nobody_else_does(chosen_rows, over, clock):  # noqa: F811
    closed = classify(Phase.RCPT, reply(451, "4.7.28 unusual rate"))
    chosen_rows.run(80)
    relay = FakeRelay({f"d{number}@gmail.com": [closed] for number in range(80)})
    made = over(a_route(relay, pace=Groups()), composer=Provided())

    assert run(made) is Ending.WAITING

    others = {f"d{number}@d{number}.example" for number in range(0, 80, 2)}
    assert set(relay.taken) == others
    tried = [recipient for recipient in relay.tries if recipient.endswith("@gmail.com")]
    assert 1 <= len(tried) <= 4, "what was under way when the door closed"
    assert chosen_rows.states() == {DeliveryState.ACCEPTED: 40, DeliveryState.DEFERRED: 40}
    waits = [chosen_rows.delivery(f"d{number}") for number in range(1, 80, 2)]
    untried = [row for row in waits if row.attempts == 0]
    assert len(untried) == 40 - len(tried), "it was no attempt"
    assert all(300 <= (row.next_at - clock()).total_seconds() <= 600 for row in untried)
    assert sound(chosen_rows)

    clock.forward(dt.timedelta(seconds=900))
    relay.script = {}
    again = over(a_route(relay, pace=Groups()), composer=Provided())
    assert run(again) is Ending.DONE
    assert len(set(relay.taken)) == len(relay.taken) == 80


def test_asked_to_stop_what_is_set_aside_is_given_back(chosen_rows, over):
    chosen_rows.run(20)
    relay = FakeRelay()
    made = over(a_route(relay, pace=Groups(), connections=4), composer=Provided())
    aside = SimpleNamespace(seen=False)

    async def stop(_envelope):
        if len(relay.taken) > 3:
            made.stop()

    def busy(_recipient, *, now):
        aside.seen = True
        return 1.0 if "gmail" in _recipient else 0.0

    made.routes[0].pace.holds = busy
    relay.after = stop
    assert run(made, until_done=False) is Ending.STOPPED
    assert aside.seen
    assert set(chosen_rows.states()) == {DeliveryState.ACCEPTED, DeliveryState.PLANNED}


def test_a_probe_that_finds_nothing_to_send_is_left_to_the_next(chosen_rows, over, monkeypatch):
    monkeypatch.setattr(line, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr("newsletter.dispatch.breaker.LOOK_SECONDS", 0.01)
    chosen_rows.run(1)
    relay = FakeRelay()
    route = a_route(relay, connections=3)
    made = over(route)
    fail(route)
    route.breaker._until = 0.0
    fenced = []
    commit = made.ledger.commit

    def commit_none_at_first(entries, now):
        if not fenced:
            fenced.append(entries)
            return [False] * len(entries)
        return commit(entries, now)

    made.ledger.commit = commit_none_at_first

    def wake():
        if fenced and relay.open_now == 0 and len(fenced) == 1:
            fenced.append(chosen_rows.single("single"))
        return "single" in relay.taken and stop_from_outside(made)

    made.wake = wake
    assert run(made, until_done=False) is Ending.STOPPED
    assert route.breaker.is_closed
    assert relay.taken == ["single"]


def test_verdicts_of_every_kind_are_told_to_the_pace_of_their_own_route(chosen_rows, over):
    class Listening(TokenBucket):
        def __init__(self):
            super().__init__(1000)
            self.told = []

        def tell(self, outcome, *, recipient, now):
            self.told.append((recipient, outcome.verdict))

    chosen_rows.run(40)
    routes = [a_route(FakeRelay(), name=name, pace=Listening()) for name in ("north", "south")]

    assert run(over(*routes)) is Ending.DONE
    for route in routes:
        assert sorted(route.pace.told) == sorted((recipient, Verdict.ACCEPTED) for recipient in route.relay.taken)
