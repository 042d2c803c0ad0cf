"""F28, F29: officers stop and go on, and subscribers leave, while messages go out."""

import random
import signal
import threading
import time
from collections import Counter, defaultdict

import pytest
from faults.bench import SHORT_PAUSES, SLUG, account, people, until
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = pytest.mark.faults

SLOWLY = [Rule(step=Step.DOT, act=Act(delay=0.02))]
AT_LEISURE = [Rule(step=Step.DOT, act=Act(delay=0.05))]
"""Slow enough that commands are through before everybody has the issue."""

BRISK = Break(constants=SHORT_PAUSES)


@pytest.mark.parametrize(("times", "count"), [(2, 600), pytest.param(100, 6000, marks=pytest.mark.long)])
@pytest.mark.timeout(900)
def test_nothing_goes_out_after_a_pause_is_acknowledged(bench, times, count):
    recipients = people(count)
    bench.relay.script = Script(AT_LEISURE)
    bench.queue(recipients)
    process = bench.start("dispatch", broken=BRISK)
    for _ in range(times):
        had = len(bench.taken())
        until(lambda had=had: len(bench.taken()) > had)
        bench.run("issue", "pause", SLUG)
        had, contents = len(bench.taken()), bench.relay.steps[Step.CONTENT]
        time.sleep(0.1)  # nothing may happen now
        assert (len(bench.taken()), bench.relay.steps[Step.CONTENT]) == (had, contents)
        bench.run("issue", "resume", SLUG)
    had = len(bench.taken())
    until(lambda: len(bench.taken()) > had)

    bench.run("issue", "cancel", SLUG)
    until(lambda: bench.status()["sending"] == 0)
    had = len(bench.taken())
    time.sleep(0.1)  # nor now
    assert len(bench.taken()) == had < count

    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0, process.error
    standing = bench.status()
    assert standing["accepted"] == had
    assert standing["accepted"] + standing["cancelled"] == standing["total"] == count
    assert account(bench, recipients).repeats == Counter()
    assert bench.audit() == []


@pytest.mark.parametrize(("leaving", "count"), [(3, 60), pytest.param(1000, 20_000, marks=pytest.mark.long)])
@pytest.mark.timeout(2400)
def test_nobody_is_written_to_who_has_left(bench, leaving, count):
    recipients = people(count)
    bench.relay.script = Script(SLOWLY)
    heard: defaultdict[str, list[float]] = defaultdict(list)
    bench.relay.watch = lambda step, recipient: heard[recipient].append(time.monotonic()) if step is Step.CONTENT else 0
    bench.queue(recipients)
    process = bench.dispatch(broken=BRISK)
    until(lambda: len(bench.taken()) > 2)
    left = {}

    def leave() -> None:
        for person in random.Random(5).sample(recipients[count // 3 :], leaving):
            bench.run("subscribers", "unsubscribe", person, "--list", "readers")
            left[person] = time.monotonic()

    leaver = threading.Thread(target=leave)
    leaver.start()
    leaver.join()
    assert process.wait(2000) == 0, process.error

    assert len(left) == leaving
    assert [person for person, at in left.items() if any(begun > at for begun in heard[person])] == []
    states = bench.states()
    spared = {person for person, state in states.items() if state == "suppressed"}
    assert spared == set(left) - {message.recipient for message in bench.taken()}
    assert account(bench, recipients, refused=spared) == (set(), Counter(), set())
    assert bench.audit() == []
