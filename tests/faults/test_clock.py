"""F27: clocks that are wrong, that jump in the middle of a run, and that change with the season in six zones."""

import datetime as dt
from collections import Counter

import pytest
from faults.bench import account, people
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

from newsletter.planning.schedule import due_at

pytestmark = pytest.mark.faults

HOUR, DAY = 3600.0, 86400.0
LATER = {"NEWSLETTER_DISPATCH__FIRST_RETRY": "60"}

ZONES = {
    # zone: a wall time in the gap, the instant it means; a wall time that occurs twice, the instant it means
    "Europe/Brussels": ("2027-03-28 02:30", "2027-03-28T01:00", "2027-10-31 02:30", "2027-10-31T00:30"),
    "Europe/Lisbon": ("2027-03-28 01:30", "2027-03-28T01:00", "2027-10-31 01:30", "2027-10-31T00:30"),
    "America/New_York": ("2027-03-14 02:30", "2027-03-14T07:00", "2027-11-07 01:30", "2027-11-07T05:30"),
    "America/Santiago": ("2027-09-05 00:30", "2027-09-05T04:00", "2027-04-03 23:30", "2027-04-04T02:30"),
    "Australia/Lord_Howe": ("2027-10-03 02:15", "2027-10-02T15:30", "2027-04-04 01:45", "2027-04-03T14:45"),
    "Pacific/Auckland": ("2027-09-26 02:30", "2027-09-25T14:00", "2027-04-04 02:30", "2027-04-03T13:30"),
}


@pytest.mark.parametrize(("zone", "changes"), ZONES.items(), ids=ZONES)
def test_a_time_that_is_skipped_or_comes_twice_means_one_instant(zone, changes):
    gap, after, fold, first = changes
    now = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)

    assert due_at(gap, zone=zone, now=now) == dt.datetime.fromisoformat(f"{after}:00+00:00")
    assert due_at(fold, zone=zone, now=now) == dt.datetime.fromisoformat(f"{first}:00+00:00")


@pytest.mark.parametrize(
    ("clock", "contradictions"),
    [
        pytest.param([(0, -DAY), (0.3, 0)], set(), id="a day slow, then right"),
        pytest.param([(0.3, HOUR), (0.6, -HOUR)], {"I5"}, id="an hour fast, then an hour slow"),
    ],
)
def test_a_clock_that_jumps_repeats_nothing_and_reaps_nobody(bench, clock, contradictions):
    recipients = [*people(40), *people(4, "defer+rcpt-451")]
    bench.relay.script = Script([Rule(step=Step.DOT, act=Act(delay=0.05), recipient="accept")])
    bench.queue(recipients)

    process, contradictions = bench.dispatch(broken=Break(clock=clock)), set()
    while process.wait() == 4:  # what was put off by a clock that was fast is due later by one that is right
        contradictions = {"I5"} if clock[-1][1] < 0 else set()  # set back between two dispatchers
        bench.rows("UPDATE delivery SET next_at = '2026-01-01 00:00:00.000000' WHERE state = 'deferred'")
        process = bench.dispatch(broken=Break(clock=[(0, clock[-1][1])]))
    assert process.wait() == 0, process.error

    assert account(bench, recipients) == (set(), Counter(), set())
    assert {attempt.verdict for attempt in bench.attempts()} <= {"accepted", "deferred"}
    assert set(bench.audit()) <= contradictions, "of the times that were written down, and nothing else"


def test_a_clock_that_is_set_back_between_two_dispatchers_repeats_nothing(bench):
    recipients = [*people(10), *people(4, "defer+rcpt-451")]
    bench.queue(recipients)

    assert bench.dispatch(broken=Break(clock=[(0, DAY)]), patience=0, **LATER).wait() == 4
    bench.rows("UPDATE delivery SET next_at = '2026-01-01 00:00:00.000000' WHERE state = 'deferred'")
    bench.finish()

    assert account(bench, recipients) == (set(), Counter(), set())
    assert set(bench.audit()) <= {"I5"}, "the times that were written down contradict each other, and nothing else"


def test_a_run_starts_once_whatever_the_clock_does(bench):
    recipients = people(12)
    bench.queue_at(recipients, "2037-03-29 02:30", zone="Europe/Brussels")
    due = dt.datetime(2037, 3, 29, 1, tzinfo=dt.UTC).timestamp() - dt.datetime.now(dt.UTC).timestamp()

    early = bench.dispatch(broken=Break(clock=[(0, due - 60)]), patience=0.2)
    assert early.wait() in {0, 4}, early.error
    assert bench.taken() == []

    for offset in (due + 60, due + HOUR + 60, due - HOUR, due + 120):
        process = bench.dispatch(broken=Break(clock=[(0, offset)]), patience=0.2)
        assert process.wait() in {0, 4}, process.error

    assert account(bench, recipients) == (set(), Counter(), set())
    assert bench.rows("SELECT count(*) FROM run WHERE state = 'finished'") == [(1,)]
    assert bench.audit() == []
