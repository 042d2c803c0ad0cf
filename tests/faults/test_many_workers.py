"""
Several workers at one run on PostgreSQL: killed in its middle, and left by a server that fails again and again.

How long it takes until others may take what a dead one had is seen in the database, from the moment of the SIGKILL.
"""

import sys

import pytest
from faults.bench import CONNECTIONS, EAGER, SHORT_LEASES, account, assert_tags, doubts, people, until
from faults.crew import WORKER_LEASES, Crew
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

WORKERS = 4
RECOVERED_SECONDS = 10.0
SLOWLY = Script([Rule(step=Step.DOT, act=Act(delay=0.1))])
SHORT = Break(constants={**SHORT_LEASES.constants, **WORKER_LEASES})
IN_EARNEST = Break()


def tell(figures):
    """Say what was seen, to whoever runs the tests with `-s`."""
    sys.stdout.write(f"{figures}\n")


@pytest.mark.parametrize(
    ("command", "rounds", "count", "broken"),
    [
        ("dispatch", 1, 120, SHORT),
        ("worker", 1, 120, SHORT),
        pytest.param("dispatch", 10, 4000, IN_EARNEST, marks=pytest.mark.long),
        pytest.param("worker", 10, 4000, IN_EARNEST, marks=pytest.mark.long),
    ],
    ids=["dispatch", "worker", "dispatch, in earnest", "worker, in earnest"],
)
def test_what_killed_workers_had_is_open_to_others_within_ten_seconds(there, command, rounds, count, broken):
    recipients, seconds = people(count), []
    there.queue(recipients)
    there.relay.script = SLOWLY
    crew = Crew(there, WORKERS, command=command, broken=broken)
    for _ in range(rounds):
        held = crew.kill(WORKERS - 1)
        seconds += crew.freed(held)
        crew.replenish()
        crew.await_claims(held)
    there.relay.script = Script()
    crew.finish()

    result, attempts = account(there, recipients), there.attempts()
    tell(f"free after: {sorted(round(s, 1) for s in seconds)} s; repeated {result.repeated} in {crew.deaths} deaths")
    assert len(seconds) >= rounds * (WORKERS - 1) / 2
    assert max(seconds) <= RECOVERED_SECONDS
    assert (result.lost, result.strangers) == (set(), set())
    assert result.repeated <= crew.deaths * CONNECTIONS
    assert result.repeats <= doubts(attempts), "each was named uncertain before"
    assert assert_tags(attempts) >= count - crew.deaths * CONNECTIONS
    assert there.audit() == []


@pytest.mark.parametrize(
    ("command", "times", "count"),
    [
        ("worker", 2, 120),
        pytest.param("dispatch", 10, 3000, marks=pytest.mark.long),
        pytest.param("worker", 10, 3000, marks=pytest.mark.long),
    ],
)
def test_a_server_that_fails_again_and_again_is_waited_out_by_all_workers(there, postgres, command, times, count):
    recipients, workers = people(count), 3
    there.queue(recipients)
    there.relay.script = SLOWLY
    crew = Crew(there, workers, command=command, broken=EAGER)
    until(lambda: there.rows("SELECT count(DISTINCT worker) FROM attempt") == [(workers,)])
    for _ in range(times):
        had = len(there.taken())
        until(lambda had=had: len(there.taken()) > had + 10)
        postgres.fail()
        postgres.start()
    there.relay.script = Script()
    survivors = list(crew.processes)
    crew.finish()

    result = account(there, recipients)
    tell(f"repeated {result.repeated} in {times} failures, fenced {crew.deaths}")
    assert all(any("database away" in str(line["event"]) for line in process.log) for process in survivors)
    assert (result.lost, result.strangers) == (set(), set())
    assert result.repeated <= times * workers * CONNECTIONS
    assert result.repeats <= doubts(there.attempts())
    assert there.audit() == []
