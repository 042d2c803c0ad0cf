"""
F6, F7, F13, F15 to F17, F21, F30: replies that are lost, late, endless or another's, and connections that break.

The timeouts are those of RFC 5321 in proportion: what a test cannot await is shortened (`short`), the long form keeps
it.
"""

import datetime as dt
import socket
from collections import Counter
from pathlib import Path

import pytest
from faults.bench import CONNECTIONS, SHORT_PAUSES, account, assert_tags, doubts, people, short, until, used_while_away
from faults.script import Act, Drop, Rule, Script, Step, Way
from faults.zygote import Break, Process

pytestmark = pytest.mark.faults

LOST = Act(drop=Drop.RST, taken=True)


def memory(process: Process) -> int:
    """The most that a process has had in memory, in megabytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the kernel does not say")


@pytest.mark.parametrize("count", [pytest.param(60, id="60"), pytest.param(5000, id="5000", marks=pytest.mark.long)])
@pytest.mark.timeout(600)
def test_a_lost_reply_is_named_held_and_repeated_once(bench, count):
    recipients = people(count)
    bench.relay.script = script = Script([Rule(step=Step.DOT, act=LOST, odds=0.1 if count < 100 else 0.01)], seed=3)
    bench.queue(recipients)

    process = bench.dispatch(broken=Break(constants=SHORT_PAUSES))
    assert process.wait(500) in {0, 5}, process.error

    result = account(bench, recipients)
    attempts = bench.attempts()
    named = doubts(attempts)
    assert result.lost == set()
    assert 0 < result.repeated <= script.done[0] == named.total()
    assert set(result.repeats) <= set(named)
    at = {(attempt.recipient, attempt.number): dt.datetime.fromisoformat(attempt.at) for attempt in attempts}
    held = [
        (at[person, number + 1] - at[person, number]).total_seconds()
        for person, number in at
        if number == 1 and person in named
    ]
    assert min(held) >= 0.5, "none is repeated before its time"
    assert bench.audit() == []


def test_a_late_reply_is_awaited(bench):
    recipients = [*people(3, "slow+dot-0.8"), *people(10)]
    bench.queue(recipients)

    bench.finish(broken=Break(constants=short(content=3)))

    assert account(bench, recipients) == (set(), Counter(), set())
    assert doubts(bench.attempts()).total() == 0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_reply_that_takes_ten_minutes_is_awaited(bench):
    recipients = [f"slow+dot-{seconds}+1@lakes.example" for seconds in (65, 300, 590)]
    bench.settings["NEWSLETTER_SMTP__CONNECTIONS"] = "3"
    bench.queue(recipients)

    bench.finish(wait=800)

    assert account(bench, recipients) == (set(), Counter(), set())
    assert doubts(bench.attempts()).total() == 0


def test_a_slow_recipient_keeps_one_connection_and_nobody_else(bench):
    slow, others = people(1, "slow+rcpt-3"), people(30)
    bench.queue([*slow, *others])

    bench.finish()

    took = {message.recipient: message.at for message in bench.taken()}
    assert account(bench, [*slow, *others]) == (set(), Counter(), set())
    late = [person for person in others if took[person] > took[slow[0]]]
    assert len(late) <= len(others) // 10


def test_what_a_relay_does_not_read_is_given_up_in_time(bench):
    recipients = people(12)
    stalls = Act(stalls=True, mute=True)
    bench.relay.script = Script([Rule(step=Step.CONTENT, act=stalls, limit=CONNECTIONS)])
    bench.queue(recipients)

    process = bench.dispatch(broken=Break(constants={**short(content=1), **SHORT_PAUSES}))
    until(lambda: len(bench.taken()) == len(recipients))
    peak = memory(process)
    assert process.wait() == 0, process.error

    result = account(bench, recipients)
    assert result.lost == set()
    assert result.repeats <= doubts(bench.attempts())
    assert peak < 250
    assert bench.audit() == []


def test_replies_without_end_or_sense_are_cut(bench):
    recipients = people(30)
    strange = (
        Act(slices=0.2),
        Act(flood=-1),
        Act(flood=1_000_000),
        Act(before="250 \x00\x00", after_it="\x00"),
        Act(before="2" * 1_000_000),
        Act(before="no number at all\r\n"),
        Act(way=Way.OMIT, before="250 without an end"),
    )
    bench.relay.script = Script([Rule(step=Step.RCPT, act=act, limit=1) for act in strange])
    bench.queue(recipients)

    process = bench.dispatch(broken=Break(constants={**short(mail=1, rcpt=1, data=1, content=1), **SHORT_PAUSES}))
    until(lambda: len(bench.taken()) >= len(recipients))
    peak = memory(process)
    assert process.wait() == 0, process.error

    assert set(bench.relay.script.done.values()) == {1}
    assert account(bench, recipients) == (set(), Counter(), set())
    assert {attempt.fault for attempt in bench.attempts()} <= {None, "relay"}
    assert peak < 250, "a reply is not kept longer than it is of use"
    assert bench.audit() == []


def test_connections_that_break_at_any_phase_lose_nobody(bench):
    verbs = (
        "drop+rcpt",
        "drop+data",
        "drop+content",
        "drop+dot",
        "drop-after-dot",
        "mute+rcpt",
        "mute+dot",
        "slice+dot",
    )
    recipients = [*people(20), *(person for verb in verbs for person in people(1, verb))]
    bench.queue(recipients)

    bench.finish(broken=Break(constants={**short(mail=1, rcpt=1, data=1, content=1), **SHORT_PAUSES}))

    result = account(bench, recipients)
    named = doubts(bench.attempts())
    assert result.lost == set()
    assert result.repeats == {"drop-after-dot+0@lakes.example": 1}
    assert result.repeats <= named
    assert {"mute+dot+0@lakes.example", "drop+dot+0@lakes.example"} <= set(named)
    assert not {person for person in named if "rcpt" in person or "data" in person}, "certainly not sent"
    assert bench.audit() == []


def test_a_relay_that_takes_no_connection_costs_nothing(bench):
    recipients = people(10)
    bench.queue(recipients)
    with socket.socket() as black_hole:
        black_hole.bind(("127.0.0.1", 0))
        black_hole.listen(0)  # never accepted, and nobody greets
        process = bench.dispatch(
            broken=Break(constants={**short(connect=0.3), **SHORT_PAUSES}),
            patience=1,
            NEWSLETTER_SMTP__PORT=str(black_hole.getsockname()[1]),
        )
        assert process.wait() == 4

    assert bench.attempts() == []
    assert set(bench.states().values()) == {"planned"}


@pytest.mark.parametrize("seconds", [2, pytest.param(1800, marks=pytest.mark.long)])
@pytest.mark.timeout(2400)
def test_a_relay_that_goes_and_comes_back_finds_us_at_rest_and_awake(bench, seconds):
    recipients = people(40)
    bench.queue(recipients)
    bench.relay.script = Script([Rule(step=Step.DOT, act=Act(delay=0.05))])
    process = bench.dispatch(patience=2400)
    until(lambda: len(bench.taken()) > 4)

    bench.relay.call(bench.relay.stop())
    used = used_while_away(process, seconds)
    had = len(bench.taken())
    bench.relay.call(bench.relay.start())
    resumed = until(lambda: len(bench.taken()) > had, patience=90)
    assert process.wait(120) == 0, process.error

    assert used <= max(0.02 * seconds, 0.1)
    assert resumed <= 60
    result = account(bench, recipients)
    assert result.lost == set()
    assert result.repeats <= doubts(bench.attempts())
    assert result.repeated <= CONNECTIONS
    assert bench.audit() == []


OUT_OF_STEP = (
    ("merged", Step.RCPT, Act(way=Way.MERGE)),
    ("doubled", Step.RCPT, Act(way=Way.TWICE)),
    ("doubled after the dot", Step.DOT, Act(way=Way.TWICE)),
    ("omitted", Step.RCPT, Act(way=Way.OMIT)),
    ("omitted after the dot", Step.DOT, Act(way=Way.OMIT)),
    ("reordered", Step.RCPT, Act(way=Way.SWAP)),
    ("reordered after the dot", Step.DOT, Act(way=Way.SWAP)),
    ("unasked", Step.MAIL, Act(before="421 4.3.2 Closing\r\n")),
    ("too much", Step.DATA, Act(after_it="250 2.0.0 and one more\r\n")),
)


def test_replies_out_of_step_are_never_taken_for_anothers(bench):
    recipients = people(60)
    rules = [Rule(step=step, act=act, limit=1, nth=2) for _, step, act in OUT_OF_STEP]
    bench.relay.script = Script(rules)
    bench.queue(recipients)

    process = bench.finish(broken=Break(constants={**short(mail=1, rcpt=1, data=1, content=1), **SHORT_PAUSES}))

    result = account(bench, recipients)
    attempts = bench.attempts()
    assert result.lost == set()
    assert result.repeats <= doubts(attempts)
    assert assert_tags(attempts) >= len(recipients)
    assert any("pipelining reduced" in str(line["event"]) for line in process.log)
    assert bench.audit() == []


def test_after_two_losses_of_step_less_is_pipelined(bench):
    recipients = people(40)
    bench.relay.script = Script([Rule(step=Step.RCPT, act=Act(way=Way.TWICE), limit=4)])
    bench.settings["NEWSLETTER_SMTP__CONNECTIONS"] = "1"
    bench.queue(recipients)

    bench.finish(broken=Break(constants=SHORT_PAUSES))

    last = bench.relay.connections
    assert bench.relay.pipelined[last] == 0, "command by command in the end"
    assert last == 5
    assert account(bench, recipients) == (set(), Counter(), set())
