"""
F23, F25, F26 on PostgreSQL: the server fails, a dispatcher sleeps and wakes, and many are at work on one run.

The lease's times are a tenth of what they are in earnest; the long form keeps them.
"""

import datetime as dt
import itertools
import signal
from collections import Counter

import pytest
from faults.bench import CONNECTIONS, SHORT_PAUSES, Bench, account, assert_tags, copied, doubts, made, people, until
from faults.conftest import PACK
from faults.postgres import Postgres
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = pytest.mark.faults

LEASES = {
    "newsletter.dispatch.workers:SILENCE": 1.0,
    "newsletter.dispatch.lock:IDLE": 0.5,
    "newsletter.dispatch.pulse:BEAT_SECONDS": 0.2,
    "newsletter.dispatch.dispatcher:REAP_SECONDS": 0.2,
}
SHORT_LEASES = Break(constants={**SHORT_PAUSES, **LEASES, "newsletter.dispatch.outage:RETRY_SECONDS": 0.1})
EAGER = Break(constants={name: value for name, value in SHORT_LEASES.constants.items() if "SILENCE" not in name})
"""Nobody dies, so nobody may be taken for dead: the lease is the real one, which a busy machine does not outlast."""

SLOWLY = [Rule(step=Step.DOT, act=Act(delay=0.03))]
FENCED = 75

_numbers = itertools.count()


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def approved_there(postgres, zygote, tmp_path_factory):
    """The folder of an installation on PostgreSQL with an approved issue; its database is a template."""
    postgres.do("CREATE DATABASE approved")
    return made(tmp_path_factory.mktemp("there"), zygote=zygote, pack=PACK, url=postgres.url("approved"))


@pytest.fixture
def there(postgres, approved_there, zygote, relay, tmp_path):
    """An installation on PostgreSQL."""
    name = f"bench_{next(_numbers)}"
    postgres.do(f"CREATE DATABASE {name} TEMPLATE approved")
    bench = Bench(copied(approved_there, tmp_path / "there"), zygote=zygote, relay=relay, url=postgres.url(name))
    yield bench
    bench.end()


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
    result = account(there, recipients)
    attempts = there.attempts()
    assert result.lost == set()
    assert result.repeated <= CONNECTIONS
    assert result.repeats <= doubts(attempts)
    assert assert_tags(attempts) >= len(recipients) - CONNECTIONS
    assert there.audit() == []


@pytest.mark.parametrize("count", [60, pytest.param(20_000, marks=pytest.mark.long)])
@pytest.mark.timeout(900)
def test_many_dispatchers_and_schedulers_start_one_run_and_claim_each_row_once(there, count):
    recipients = people(count)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=4 if count < 100 else 60)
    there.queue_at(recipients, f"{soon:%Y-%m-%d %H:%M:%S}", zone="UTC")
    there.relay.script = Script(SLOWLY if count < 100 else ())
    processes = [there.start("scheduler") for _ in range(2)]
    processes += [there.start("dispatch", broken=EAGER) for _ in range(4)]

    until(lambda: there.rows("SELECT count(*) FROM run WHERE state = 'finished'") == [(1,)], patience=800)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait() for process in processes] == [0] * 6, [process.error for process in processes]

    assert account(there, recipients) == (set(), Counter(), set())
    assert there.rows("SELECT count(*) FROM run") == [(1,)]
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
