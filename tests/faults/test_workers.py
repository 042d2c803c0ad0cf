"""
F23, F25, F26 on PostgreSQL: the server fails, a dispatcher sleeps and wakes, and many are at work on one run.

The lease's times are a tenth of what they are in earnest; the long form keeps them.
"""

import datetime as dt
import signal
from collections import Counter

import pytest
from faults.bench import CONNECTIONS, EAGER, SHORT_LEASES, SLUG, account, assert_tags, doubts, people, until
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = pytest.mark.faults

SLOWLY = [Rule(step=Step.DOT, act=Act(delay=0.03))]
FENCED = 75


@pytest.mark.parametrize(
    "broken", [SHORT_LEASES, pytest.param(Break(), marks=pytest.mark.long)], ids=["short", "in earnest"]
)
def test_a_dispatcher_that_sleeps_is_taken_over_and_fenced_when_it_wakes(there, broken):
    recipients = people(80)
    there.queue(recipients)
    there.relay.script = Script(SLOWLY)
    sleeper = there.dispatch(broken=broken)
    until(lambda: len(there.taken()) > 4)

    sleeper.send_signal(signal.SIGSTOP)
    there.relay.script = Script()
    other = there.dispatch(broken=broken)
    assert other.wait() == 0, other.error
    had = len(there.taken())
    sleeper.send_signal(signal.SIGCONT)

    assert sleeper.wait() == FENCED, sleeper.error
    assert len(there.taken()) - had <= CONNECTIONS, "at most what it had marked before it slept"
    late = [line for line in sleeper.log if str(line["event"]).startswith("late write refused")]
    assert sum(line["marks"] + line["results"] for line in late) > 0
    result = account(there, recipients)
    attempts = there.attempts()
    assert result.lost == set()
    assert result.repeated <= CONNECTIONS
    assert result.repeats <= doubts(attempts)
    assert assert_tags(attempts) >= len(recipients) - CONNECTIONS
    assert there.audit() == []


@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("worker", 60),
        pytest.param("dispatch", 60, marks=pytest.mark.long),
        pytest.param("dispatch", 10_000, marks=pytest.mark.long),
        pytest.param("worker", 10_000, marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(900)
def test_many_workers_and_schedulers_start_one_run_and_claim_each_row_once(there, command, count):
    recipients = people(count)
    there.admit(recipients)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)
    when = ["--at", f"{soon:%Y-%m-%d %H:%M:%S}", "--timezone", "UTC"]
    there.run("issue", "queue", SLUG, "--segment", "everybody", *when)
    there.relay.script = Script(SLOWLY if count < 100 else ())
    processes = [there.start("scheduler") for _ in range(2)]
    processes += [there.start(command, broken=EAGER) for _ in range(4)]

    until(lambda: there.rows("SELECT count(*) FROM run WHERE state = 'finished'") == [(1,)], patience=800)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait() for process in processes] == [0] * 6, [process.error for process in processes]

    assert account(there, recipients) == (set(), Counter(), set())
    assert there.rows("SELECT count(*) FROM run") == [(1,)]
    assert there.rows("SELECT DISTINCT epoch FROM delivery") == [(1,)]
    assert len({worker for (worker,) in there.rows("SELECT DISTINCT worker FROM attempt")}) > 1
    attempts = there.attempts()
    assert {attempt.number for attempt in attempts} == {1}
    assert assert_tags(attempts) == len(attempts) == count
    assert there.audit() == []


def test_a_database_server_that_fails_and_recovers_loses_nobody(there, postgres):
    recipients = people(60)
    there.queue(recipients)
    there.relay.script = Script(SLOWLY)
    process = there.dispatch(broken=SHORT_LEASES)
    until(lambda: len(there.taken()) > 4)

    postgres.fail()
    until(lambda: any("database away" in str(line["event"]) for line in process.log))
    postgres.start()

    ended = process.wait()
    while ended == FENCED:  # it was away for longer than its lease
        ended = there.dispatch(broken=SHORT_LEASES).wait()
    assert ended == 0, process.error
    result = account(there, recipients)
    assert result.lost == set()
    assert result.repeats <= doubts(there.attempts())
    assert result.repeated <= CONNECTIONS
    assert there.audit() == []
