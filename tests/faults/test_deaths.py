"""
F1, F2, F4, F31: nothing goes wrong; the dispatcher is killed at each of twelve steps; it is asked to stop.

What may be repeated is known at the moment of the death: the messages that the relay has and the ledger is not sure of.
Afterwards exactly these have come twice, and nobody not at all. (F3, kills at random times, is `test_kill`.)
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import need
from databases import CHOSEN
from faults.bench import CONNECTIONS, SHORT_PAUSES, Bench, account, assert_tags, doubts, people, until
from faults.script import Act, Drop, Rule, Script, Step
from faults.zygote import Break, Kill

pytestmark = pytest.mark.faults

STATEMENTS = {
    "sqlite": "newsletter.dispatch.on_sqlite:SqliteStatements",
    "postgresql": "newsletter.dispatch.on_postgres:PostgresStatements",
}
LEDGER = "newsletter.dispatch.ledger:Ledger"
CLAIM = {"sqlite": f"{LEDGER}.claim", "postgresql": f"{LEDGER}.claim_within"}
SOONEST = {"sqlite": 5.0, "postgresql": 15.0}[CHOSEN]
"""Seconds from the start of the next dispatcher to its first message; on a server the dead must have been silent."""

BLOCKED = Act(reply="550 5.7.1 blocked for a while")


class Death(NamedTuple):
    """A step at which the dispatcher is killed: by its own hand, or when the relay sees something for the nth time."""

    step: str
    kill: Kill | None = None
    sees: tuple[Step, int] | None = None
    rules: tuple[Rule, ...] = ()
    may_repeat: bool = False


DEATHS = (
    Death("before the claim", Kill(target=CLAIM[CHOSEN])),
    Death("after the claim", Kill(target=CLAIM[CHOSEN], is_after=True)),
    Death("after the mark", Kill(target=f"{LEDGER}.commit", is_after=True)),
    Death("amid MAIL", sees=(Step.MAIL, 1)),
    Death("after RCPT", sees=(Step.RCPT, 1)),
    Death("at 354", sees=(Step.DATA, 1)),
    Death(
        "amid the content",
        sees=(Step.CONTENT, 1),
        # Late, so that the dispatcher is dead by then: a relay that is lost leaves a doubt of its own.
        rules=(Rule(step=Step.CONTENT, act=Act(stalls=True, delay=0.3, drop=Drop.RST), limit=CONNECTIONS),),
    ),
    Death("after the dot, before the reply", sees=(Step.DOT, 3), may_repeat=True),
    Death("after the reply, before the result", Kill(target=f"{LEDGER}.commit", nth=4), may_repeat=True),
    Death(
        "amid the group commit",
        Kill(target=f"{STATEMENTS[CHOSEN]}.write", is_after=True, nth=4),
        may_repeat=True,
    ),
    Death(
        "amid the pause",
        Kill(target="newsletter.assembly.store:set_state", within=f"{LEDGER}.pause"),
        rules=(Rule(step=Step.RCPT, act=BLOCKED, limit=3),),
        may_repeat=True,
    ),
    Death("amid the completion", Kill(target="newsletter.assembly.store:set_state", within=f"{LEDGER}.finished_runs")),
)


def die(bench: Bench, death: Death) -> set[str]:
    """Let a dispatcher die; returns who may get the message again: the relay has it, the ledger does not know."""
    relay, before, had = bench.relay, bench.relay.steps.copy(), len(bench.taken())
    relay.script = Script(death.rules)
    process = bench.dispatch(broken=Break(kill=death.kill))
    if death.sees:
        step, count = death.sees

        def watch(seen: Step, _recipient: str) -> None:
            if seen is step and relay.steps[step] - before[step] >= count:
                process.send_signal(signal.SIGKILL)

        relay.watch = watch
    if death.sees == (Step.DOT, 3):
        assert until(lambda: len(bench.taken()) > had) < SOONEST, "the next dispatcher sends at once"
    assert process.wait() == -signal.SIGKILL, f"{death.step}: {process.error}"
    relay.watch = lambda _step, _recipient: None
    until(lambda: relay.open_now == 0)
    sending = bench.sent_by(process)
    assert len(sending) <= CONNECTIONS, death.step
    in_doubt = sending & {message.recipient for message in bench.taken()[had:]}
    assert death.may_repeat or not in_doubt, f"{death.step}: {in_doubt} would come twice"
    return in_doubt


def test_nothing_goes_wrong_where_nothing_is_broken(bench):
    recipients = people(60)
    bench.queue(recipients)

    bench.finish()

    assert account(bench, recipients) == (set(), Counter(), set())
    assert len(bench.taken()) == len(recipients) == assert_tags(bench.attempts())
    assert bench.audit() == []
    assert sum(bench.relay.pipelined.values()) > 2 * len(recipients), "nearly everything shares a write with another"


@pytest.fixture
def dumps():
    """A folder that a server which has given up its rights can write into."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_a_sink_of_postfix_gets_every_message_once(bench, dumps):
    sink = need("smtp-sink", "apt-get install postfix")
    recipients = people(60)
    bench.queue(recipients)
    port = bench.relay.port
    bench.relay.call(bench.relay.stop())
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [sink, *user, "-d", str(dumps / "%M."), f"127.0.0.1:{port}", "64"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            bench.finish(broken=Break(constants=SHORT_PAUSES))
        finally:
            server.terminate()

    told = [dump.read_text().partition("X-Rcpt-Args: <")[2].partition(">")[0] for dump in dumps.iterdir()]
    assert sorted(told) == sorted(recipients)
    assert bench.audit() == []


def test_whoever_dies_at_any_step_loses_nobody_and_repeats_only_what_was_in_doubt(bench):
    recipients = people(48)
    bench.queue(recipients)
    expected: Counter[str] = Counter()
    for death in DEATHS[:-1]:
        expected.update(die(bench, death))
    assert die(bench, DEATHS[-1]) == set()

    last = bench.finish()

    assert account(bench, recipients) == (set(), expected, set())
    named = doubts(bench.attempts())
    assert expected <= named
    assert bench.audit() == []
    assert bench.status()["state"] == "sent"
    assert "Traceback" not in last.error


def test_who_skips_what_is_uncertain_repeats_nothing_and_names_everybody(bench):
    recipients = people(30)
    bench.settings["NEWSLETTER_DISPATCH__UNCERTAIN"] = "skip"
    bench.queue(recipients)
    for death in (DEATHS[7], DEATHS[8]):
        die(bench, death)

    bench.finish(code=5)

    result = account(bench, recipients)
    uncertain = {recipient for recipient, state in bench.states().items() if state == "uncertain"}
    assert result.repeated == 0
    assert result.lost <= uncertain
    assert set(doubts(bench.attempts())) == uncertain
    assert 1 <= len(uncertain) <= 2 * CONNECTIONS
    assert bench.audit() == []


def test_a_wish_to_stop_ends_what_is_on_the_wire_and_repeats_nothing(bench):
    recipients = people(40)
    bench.queue(recipients)
    bench.relay.script = Script([Rule(step=Step.DOT, act=Act(delay=0.05))])
    process = bench.dispatch()
    until(lambda: len(bench.taken()) > 4)

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert time.monotonic() - began < 10
    assert set(bench.states().values()) == {"accepted", "planned"}
    assert len(bench.taken()) < len(recipients)
    bench.relay.script = Script()
    bench.finish()
    assert account(bench, recipients) == (set(), Counter(), set())
    assert bench.audit() == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("death", DEATHS, ids=[death.step for death in DEATHS])
def test_twenty_deaths_at_one_step_lose_nobody(bench, death):
    recipients = people(1500)
    bench.queue(recipients)
    bench.settings["NEWSLETTER_SMTP__CONNECTIONS"] = "2"
    expected: Counter[str] = Counter()
    times = 1 if death is DEATHS[-1] else 20
    for _ in range(times):
        expected.update(die(bench, death))

    bench.finish(wait=300)

    assert account(bench, recipients) == (set(), expected, set())
    assert bench.audit() == []
