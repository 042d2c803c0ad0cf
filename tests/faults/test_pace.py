"""A rate is the relay's, whatever the number of processes: several over PostgreSQL, counted where their mail arrives."""

import time
from collections import Counter

import pytest
from faults.bench import account, people, until
from faults.zygote import Break

from newsletter.dispatch.leased_bucket import KEEP_SECONDS

pytestmark = pytest.mark.faults

PROCESSES = 4
QUICK_LEASES = Break(
    constants={
        "newsletter.dispatch.workers:SILENCE": 3.0,
        "newsletter.dispatch.pulse:BEAT_SECONDS": 0.3,
        "newsletter.dispatch.dispatcher:REAP_SECONDS": 0.3,
        "newsletter.dispatch.leased_warm_up:HELD_SECONDS": 0.3,
    }
)
BEGINNING = 2.0
"""Seconds for the burst, and for what is taken ahead of its time, to be over."""


def arrivals(bench):
    """When messages arrived, in seconds since the first."""
    times = sorted(message.at for message in bench.taken())
    return [at - times[0] for at in times]


def seen(bench, *, seconds):
    """The messages a second that the relay saw for so long, after the beginning."""
    until(bench.taken)
    time.sleep(BEGINNING + seconds + 0.5)  # the span that is looked at
    return sum(BEGINNING <= at < BEGINNING + seconds for at in arrivals(bench)) / seconds


@pytest.mark.parametrize(
    ("command", "rate", "seconds", "slack"),
    [
        ("dispatch", 20, 4, 0.3),  # on a machine that is busy with other tests
        pytest.param("worker", 50, 30, 0.05, marks=pytest.mark.long),
        pytest.param("dispatch", 50, 30, 0.05, marks=pytest.mark.long),
        pytest.param("dispatch", 5, 30, 0.05, marks=pytest.mark.long),
        pytest.param("dispatch", 200, 30, 0.05, marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(300)
def test_the_rate_of_a_relay_is_the_rate_seen_with_four_processes(there, command, rate, seconds, slack):
    recipients = people(int(rate * (seconds + BEGINNING + 6)))
    there.queue(recipients)
    limits = {"NEWSLETTER_SMTP__RATE": str(rate), "NEWSLETTER_SMTP__CONNECTIONS": "8"}
    processes = [there.start(command, **limits) for _ in range(PROCESSES)]

    late = max(0.05, KEEP_SECONDS / seconds)  # what a busy machine has held up comes within the span
    assert rate * (1 - slack) <= seen(there, seconds=seconds) <= rate * (1 + late)
    for process in processes:
        process.terminate()
    assert [process.wait() for process in processes] == [0] * PROCESSES

    times = arrivals(there)
    delayed = rate * 0.1  # the sink notes when it has read a message
    for start in times[:: max(1, len(times) // 200)]:
        assert sum(start <= at < start + 1 for at in times) <= rate + rate + delayed, "a second's worth, and the burst"
    assert account(there, [attempt.recipient for attempt in there.attempts()]) == (set(), Counter(), set())
    assert len(there.rows("SELECT DISTINCT worker FROM attempt")) > 1


def test_the_part_of_a_killed_process_goes_to_the_others_at_once(there):
    rate = 6
    there.queue(people(480))
    *killed, other = (there.start("dispatch", NEWSLETTER_SMTP__RATE=str(rate)) for _ in range(4))
    until(lambda: len(there.taken()) > rate and len(set(there.rows("SELECT worker FROM attempt"))) == 4)

    for process in killed:
        process.kill()
    began, had = time.monotonic(), len(there.taken())
    until(lambda: len(there.taken()) >= had + 3 * rate)
    assert time.monotonic() - began < 10, "a fourth of the rate would take twelve seconds"
    other.terminate()
    assert other.wait() == 0


def test_the_number_of_a_day_holds_for_several_processes_and_what_a_killed_one_held_is_not_lost(there):
    there.queue(people(90))
    today = there.rows("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")[0][0]
    limits = {"RATE": "40", "WARM_UP": "[60, 60]", "WARM_UP_START": today.isoformat()}
    settings = {f"NEWSLETTER_SMTP__{name}": value for name, value in limits.items()}
    killed, *others = [there.dispatch(broken=QUICK_LEASES, **settings) for _ in range(3)]
    until(lambda: len(there.taken()) > 20)
    killed.kill()

    assert [process.wait() for process in others] == [4, 4], "the rest waits for tomorrow"
    assert there.rows("SELECT count(*) FROM attempt WHERE verdict IN ('accepted', 'uncertain')") == [(60,)]
    assert len(there.taken()) <= 60
