"""F29 over the web: subscribers leave by one click while messages go out, and are answered at once."""

import contextlib
import random
import re
import threading
import time
from collections import Counter, defaultdict

import httpx
import pytest
from faults.bench import SHORT_PAUSES, account, people, until
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

from newsletter.keyring import load_keys
from newsletter.settings import load
from subscribers.tokens import sign

pytestmark = pytest.mark.faults

SLOWLY = [Rule(step=Step.DOT, act=Act(delay=0.02))]
BRISK = Break(constants=SHORT_PAUSES)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
P99_SECONDS = 0.3
"""What the 99th of a hundred one-click POSTs may take while a run is under way."""


def paths(bench):
    """The path of each reader's unsubscribe link, as their message has it."""
    with contextlib.chdir(bench.folder):  # where the keys are to be found
        keys = load_keys(load(database={"url": bench.environment["NEWSLETTER_DATABASE__URL"]}))
    [(mailing,)] = bench.rows("SELECT DISTINCT mailing FROM run")
    known = bench.rows("SELECT address, uid FROM subscriber")
    return {address: f"/u/{sign(keys, 'unsubscribe', f'{uid}/{mailing}')}" for address, uid in known}


@pytest.mark.parametrize(("leaving", "count"), [(8, 60), pytest.param(1000, 20_000, marks=pytest.mark.long)])
@pytest.mark.timeout(2400)
def test_nobody_is_written_to_who_has_left_by_one_click(bench, leaving, count):
    recipients = people(count)
    bench.relay.script = Script(SLOWLY)
    heard: defaultdict[str, list[float]] = defaultdict(list)
    bench.relay.watch = lambda step, recipient: heard[recipient].append(time.monotonic()) if step is Step.CONTENT else 0
    web = bench.start("web", "--port", "0")
    bench.queue(recipients)
    links = paths(bench)
    until(lambda: "served at" in web.error)
    process = bench.dispatch(broken=BRISK)
    until(lambda: len(bench.taken()) > 2)
    left, took = {}, []

    def leave() -> None:
        with httpx.Client(base_url=re.search(r"served at (\S+)", web.error)[1]) as provider:
            for person in random.Random(5).sample(recipients[count // 3 :], leaving):
                began = time.monotonic()
                answer = provider.post(links[person], data=ONE_CLICK)
                left[person] = time.monotonic()
                took.append(left[person] - began)
                assert (answer.status_code, answer.text) == (200, "unsubscribed\n")

    leaver = threading.Thread(target=leave)
    leaver.start()
    leaver.join()
    assert process.wait(2000) == 0, process.error
    web.terminate()
    assert web.wait() == 0

    assert len(left) == leaving
    assert [person for person, at in left.items() if any(begun > at for begun in heard[person])] == []
    states = bench.states()
    spared = {person for person, state in states.items() if state == "suppressed"}
    assert spared == set(left) - {message.recipient for message in bench.taken()}
    assert account(bench, recipients, refused=spared) == (set(), Counter(), set())
    assert bench.audit() == []
    departed = bench.rows("SELECT s.address FROM departure d JOIN subscriber s ON s.id = d.subscriber_id")
    assert sorted(address for (address,) in departed) == sorted(left)
    assert not any(link.removeprefix("/u/") in web.error for link in links.values())
    took.sort()
    assert leaving < 100 or took[int(leaving * 0.99)] <= P99_SECONDS, f"median {took[leaving // 2]:.3f} s"
