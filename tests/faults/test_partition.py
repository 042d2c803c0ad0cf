"""
F24: a worker that cannot reach its database any more, though it still reaches its relay, ends by itself.

The network is a real one, whose cable is pulled; a server that hangs is one whose processes are stopped. In the short
form a worker takes itself for dead after 2 s in place of 20; the long form keeps the times.
"""

import os
import signal
import sys
import time

import pytest
from faults.bench import CONNECTIONS, SHORT_LEASES, account, doubts, people, until
from faults.network import Network
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

FENCED = 75
SLOWLY = [Rule(step=Step.DOT, act=Act(delay=0.05))]
SHORT_SILENCE = Break(
    constants={
        **SHORT_LEASES.constants,
        "newsletter.dispatch.pulse:SILENT_SECONDS": 2.0,
        "newsletter.dispatch.pulse:LOOK_SECONDS": 0.1,
        "newsletter.dispatch.dispatcher:FENCED_SECONDS": 0.3,
        "newsletter.dispatch.dispatcher:CUT_SECONDS": 0.3,
        "newsletter.dispatch.dispatcher:LAST_SECONDS": 1.5,
        "newsletter.dispatch.line:LAST_WRITE_SECONDS": 0.3,
    }
)
FORMS = pytest.mark.parametrize(
    ("broken", "limit"),
    [(SHORT_SILENCE, 10.0), pytest.param(Break(), 30.0, marks=pytest.mark.long)],
    ids=["short", "in earnest"],
)


@pytest.fixture
def network():
    network = Network()
    yield network
    network.close()


@pytest.fixture
def distant(postgres, network):
    """The server's address on another machine, to which it has moved with all its databases."""
    postgres.fail()
    postgres.start(within=network.inside, address=network.there)
    yield network.there
    postgres.fail()
    postgres.start()


@FORMS
def test_a_worker_that_is_cut_off_from_the_database_alone_ends_by_itself(there, distant, network, broken, limit):
    recipients = people(120)
    there.queue(recipients)
    there.relay.script = Script(SLOWLY)
    lonely = there.dispatch(broken=broken, NEWSLETTER_DATABASE__URL=there.url_at(distant))
    until(lambda: len(there.taken()) > 10)

    network.cut()
    cut = time.monotonic()
    other = there.dispatch(broken=broken)
    ended = lonely.wait(limit + 30)
    seconds = time.monotonic() - cut

    assert ended == FENCED, lonely.error
    assert seconds <= limit
    assert any(str(line["event"]).startswith("no word from the database") for line in lonely.log)
    assert other.wait() == 0, other.error
    sys.stdout.write(f"ended {seconds:.1f} s after it was cut off\n")
    result = account(there, recipients)
    assert (result.lost, result.strangers) == (set(), set())
    assert result.repeated <= CONNECTIONS
    assert result.repeats <= doubts(there.attempts()), "each was named uncertain before"
    assert there.audit() == []


@FORMS
def test_a_worker_whose_server_hangs_ends_by_itself(there, postgres, broken, limit):
    recipients = people(60)
    there.queue(recipients)
    there.relay.script = Script(SLOWLY)
    waiting = there.dispatch(broken=broken)
    until(lambda: len(there.taken()) > 4)

    _signal(postgres, signal.SIGSTOP)
    began = time.monotonic()
    ended = waiting.wait(limit + 30)
    seconds = time.monotonic() - began
    had = len(there.taken())
    _signal(postgres, signal.SIGCONT)

    assert ended == FENCED, waiting.error
    assert seconds <= limit
    sys.stdout.write(f"ended {seconds:.1f} s after the server hung\n")
    there.relay.script = Script()
    there.finish(broken=broken)
    result = account(there, recipients)
    assert had < len(recipients)
    assert (result.lost, result.strangers) == (set(), set())
    assert result.repeated <= CONNECTIONS
    assert result.repeats <= doubts(there.attempts())
    assert there.audit() == []


def _signal(postgres, number):
    """Send a signal to the server and all its processes, the parent first: what is stopped starts no other."""
    os.kill(postgres.processes()[0], number)
    for process in postgres.processes()[1:]:
        os.kill(process, number)
