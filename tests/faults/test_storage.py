"""
F22, F23: the disk is full, and the database is locked by somebody else.

What cannot be recorded is not sent: what the relay takes meanwhile is bounded by the connections.
"""

import contextlib
import resource
import sqlite3

import pytest
from databases import CHOSEN
from faults.bench import CONNECTIONS, SHORT_PAUSES, account, doubts, people, until
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(CHOSEN != "sqlite", reason="about the disk and the lock of a file; a server has its own"),
]

QUICK_WAITS = {**SHORT_PAUSES, "newsletter.dispatch.outage:RETRY_SECONDS": 0.1}


def is_away(process):
    return any("database away" in str(line["event"]) for line in process.log)


def unrecorded(bench):
    """Whom the relay has and the ledger does not call accepted."""
    known = {person for person, state in bench.states().items() if state == "accepted"}
    return {message.recipient for message in bench.taken()} - known


def still(bench):
    """Wait until the relay has heard nothing more for a while; returns how many messages it has."""
    had, steps = -1, -1

    def is_still():
        nonlocal had, steps
        before, had, steps = (had, steps), len(bench.taken()), bench.relay.steps.total()
        return before == (had, steps)

    until(lambda: is_still() and bench.relay.open_now <= CONNECTIONS)
    return had


def test_a_full_disk_stops_what_could_not_be_recorded_and_goes_on_by_itself(bench):
    recipients = people(150)
    bench.queue(recipients)
    bench.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    room = bench.database.stat().st_size

    process = bench.dispatch(broken=Break(constants=QUICK_WAITS, limits={"RLIMIT_FSIZE": room}))
    until(lambda: is_away(process))
    had = still(bench)
    outside = unrecorded(bench)
    assert process.poll() is None, process.error
    assert 0 < had < len(recipients)
    assert len(outside) <= CONNECTIONS

    limit = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    assert process.wait() == 0, process.error

    result = account(bench, recipients)
    assert result.lost == set()
    assert set(result.repeats) <= outside
    assert result.repeats <= doubts(bench.attempts())
    assert any("database back" in str(line["event"]) for line in process.log)
    assert bench.audit() == []


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.long)])
def test_a_database_that_somebody_locks_is_waited_for(bench, seconds):
    recipients = people(60)
    bench.queue(recipients)
    bench.relay.script = Script([Rule(step=Step.DOT, act=Act(delay=0.02))])
    constants = QUICK_WAITS if seconds > 30 else {**QUICK_WAITS, "newsletter.database:BUSY_SECONDS": 0.2}
    process = bench.dispatch(broken=Break(constants=constants))
    until(lambda: len(bench.taken()) > 4)

    with contextlib.closing(sqlite3.connect(bench.database, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        until(lambda: is_away(process), patience=seconds + 60)
        still(bench)
        outside = unrecorded(bench)
        other.execute("ROLLBACK")
    assert process.wait() == 0, process.error

    result = account(bench, recipients)
    assert len(outside) <= CONNECTIONS
    assert result.lost == set()
    assert result.repeats <= doubts(bench.attempts())
    assert bench.audit() == []
