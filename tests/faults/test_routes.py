"""F20 and F21 with two relays: one of them dies amid a run, or both are away."""

import datetime as dt
import json
from collections import Counter

import pytest
from faults.bench import CONNECTIONS, SHORT_PAUSES, Bench, account, copied, doubts, people, until, used_while_away
from faults.relay import Relay, running, seen, taken
from faults.script import Act, Drop, Rule, Script, Step
from faults.zygote import Break

pytestmark = pytest.mark.faults

SLOW = Script([Rule(step=Step.DOT, act=Act(delay=0.02))])
DEAD = Script(
    [
        Rule(step=Step.CONNECT, act=Act(drop=Drop.RST)),
        Rule(step=Step.DOT, act=Act(drop=Drop.RST, taken=True)),
    ]
)
"""Every connection is reset: at once, or where it stands with a message that was taken, and nobody is told."""

QUICK_BREAKER = {**SHORT_PAUSES, "newsletter.dispatch.route:SPARE_SECONDS": 0.05}


class Pair(Bench):
    """An installation that sends to two relays, `north` (which is `relay`) and `south`."""

    def __init__(self, *arguments, south, **named):
        super().__init__(*arguments, **named)
        self.south = south
        self.role = "primary"

    @property
    def environment(self):
        both = [
            {"name": name, "host": "127.0.0.1", "port": relay.port, "connections": CONNECTIONS, "role": role}
            for name, relay, role in (("north", self.relay, "primary"), ("south", self.south, self.role))
        ]
        plain = {name: value for name, value in super().environment.items() if "SMTP" not in name}
        return {**plain, "NEWSLETTER_RELAYS": json.dumps(both)}

    def taken(self):
        return [*taken(self.relay.folder), *taken(self.south.folder)]

    def violations(self):
        return [*seen(self.relay.folder), *seen(self.south.folder)]

    def by_relay(self):
        """Every attempt that left a trace: recipient, number, relay, verdict and when it began and ended, in order."""
        query = (
            "SELECT s.address, a.number, a.relay, a.verdict, a.began, a.at FROM attempt a"
            " JOIN delivery d ON d.id = a.delivery_id JOIN subscriber s ON s.id = d.subscriber_id ORDER BY a.id"
        )
        return self.rows(query)


@pytest.fixture
def pair(zygote, approved, relay, tmp_path):
    with running(Relay(tmp_path / "south")) as south:
        bench = Pair(copied(approved, tmp_path / "installation"), zygote=zygote, relay=relay, south=south)
        yield bench
        bench.end()


@pytest.mark.parametrize(
    ("role", "count"),
    [
        pytest.param("primary", 60, id="primary"),
        pytest.param("spare", 60, id="spare"),
        pytest.param("primary", 20_000, id="primary-20000", marks=pytest.mark.long),
        pytest.param("spare", 20_000, id="spare-20000", marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(600)
def test_when_one_relay_dies_the_run_ends_over_the_other(pair, role, count):
    recipients = people(count)
    pair.role = role
    pair.relay.script = pair.south.script = SLOW if count < 100 else Script()
    pair.queue(recipients)

    process = pair.dispatch(broken=Break(constants=QUICK_BREAKER))
    until(lambda: len(taken(pair.relay.folder)) >= 10)
    assert (pair.south.connections > 0) is (role == "primary")
    pair.relay.script = DEAD
    assert process.wait(500) == 0, process.error

    result, attempts = account(pair, recipients), pair.by_relay()
    named = doubts(pair.attempts())
    assert result.lost == set()
    assert 0 < named.total() <= CONNECTIONS, "a message a connection is in doubt when a relay dies"
    assert result.repeats == named, "the relay had them all"
    assert pair.audit() == []
    moved = [(person, number, began) for person, number, relay, _, began, _ in attempts if number == 2]
    ended = {(person, number): at for person, number, _, verdict, _, at in attempts if verdict == "uncertain"}
    assert Counter(person for person, _, _ in moved) == named
    for person, number, began in moved:
        held = dt.datetime.fromisoformat(began) - dt.datetime.fromisoformat(ended[person, number - 1])
        assert held.total_seconds() >= 0.5, "what is in doubt is not moved before its hold"
    assert {relay for _, _, relay, *_ in attempts} == {"north", "south"}
    said = [line["event"] for line in process.log if line.get("relay") == "north"]
    assert {"relay away", "relay left alone"} <= set(said)


def test_what_a_dead_relay_had_not_taken_is_tried_over_the_other_at_once_and_counts_for_nothing(pair):
    recipients = people(40)
    pair.south.script = SLOW
    pair.relay.script = Script([Rule(step=Step.CONNECT, act=Act(reply="421 4.3.2 away"))])
    pair.queue(recipients)

    pair.finish(broken=Break(constants=QUICK_BREAKER))

    assert account(pair, recipients) == (set(), Counter(), set())
    assert {(number, relay, verdict) for _, number, relay, verdict, *_ in pair.by_relay()} == {(1, "south", "accepted")}
    assert pair.audit() == []


@pytest.mark.parametrize("seconds", [2, pytest.param(1800, marks=pytest.mark.long)])
@pytest.mark.timeout(2400)
def test_two_relays_that_are_away_find_us_at_rest_and_awake_when_one_is_back(pair, seconds):
    recipients = people(40)
    pair.queue(recipients)
    pair.relay.script = pair.south.script = Script([Rule(step=Step.DOT, act=Act(delay=0.05))])
    shorter = Break(constants={"newsletter.dispatch.line:LONGEST_PAUSE": 1.0}) if seconds < 60 else None
    process = pair.dispatch(patience=2400, broken=shorter)
    until(lambda: len(pair.taken()) > 4)

    for relay in (pair.relay, pair.south):
        relay.call(relay.stop())
    used = used_while_away(process, seconds)
    had = len(pair.taken())
    pair.south.call(pair.south.start())
    resumed = until(lambda: len(pair.taken()) > had, patience=90)
    assert process.wait(120) == 0, process.error

    assert used <= max(0.02 * seconds, 0.1)
    assert resumed <= 60
    result = account(pair, recipients)
    assert result.lost == set()
    assert result.repeats <= doubts(pair.attempts())
    assert result.repeated <= 2 * CONNECTIONS
    assert pair.audit() == []


def test_two_relays_that_stay_away_end_the_patience(pair):
    recipients = people(6)
    pair.role = "spare"
    refused = Script([Rule(step=Step.CONNECT, act=Act(reply="554 5.7.1 no"))])
    pair.relay.script = pair.south.script = refused
    pair.queue(recipients)

    process = pair.dispatch(broken=Break(constants=QUICK_BREAKER), patience=0.4)
    assert process.wait() == 4, process.error

    assert pair.attempts() == []
    assert set(pair.states().values()) == {"planned"}
    assert pair.south.connections > 0, "the spare was asked too"


def test_todays_number_survives_a_restart_and_a_rate_holds_over_all_connections(bench):
    recipients = people(30)
    today = dt.datetime.now(dt.UTC).date()
    bench.settings |= {"NEWSLETTER_SMTP__RATE": "20", "NEWSLETTER_SMTP__WARM_UP": "[25]"}
    bench.settings["NEWSLETTER_SMTP__WARM_UP_START"] = str(today)
    bench.queue(recipients)

    for _ in range(2):
        assert bench.dispatch(patience=1).wait() == 4
        assert len(bench.taken()) == 25

    at = sorted(message.at for message in bench.taken())
    assert at[-1] - at[0] > 0.15, "twenty at once, and five at twenty a second"
    bench.settings["NEWSLETTER_SMTP__WARM_UP_START"] = str(today - dt.timedelta(days=1))
    bench.finish()
    assert account(bench, recipients) == (set(), Counter(), set())


def test_a_provider_that_wants_less_waits_and_the_others_do_not(bench):
    held, others = [f"{number}@gmail.com" for number in range(15)], people(15)
    closed = Act(reply="450 4.7.28 unusual rate of mail")
    bench.relay.script = Script([Rule(step=Step.RCPT, act=closed, recipient="@gmail.com")])
    bench.settings["NEWSLETTER_SMTP__GROUPS"] = "true"
    bench.queue([*held, *others])

    assert bench.dispatch(patience=1).wait() == 4

    assert {message.recipient for message in bench.taken()} == set(others)
    tried = {attempt.recipient for attempt in bench.attempts()} & set(held)
    assert 1 <= len(tried) <= 2 * CONNECTIONS
    assert {bench.states()[person] for person in held} == {"deferred"}
    assert bench.audit() == []
