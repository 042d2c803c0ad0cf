"""
F8 to F12, F14: what the relay says instead of 250, at each phase.

Whatever it says of itself or of us, nobody is counted out for it; what it says of a recipient is that recipient's alone.
"""

import datetime as dt
from collections import Counter

import pytest
from faults.bench import account, assert_tags, people
from faults.script import Act, Rule, Script, Step
from faults.zygote import Break

pytestmark = pytest.mark.faults

BYE = Act(reply="421 4.3.2 Service shutting down", hangs_up=True)
NO = Act(reply="554 5.7.1 Not from you")


def test_a_relay_that_hangs_up_at_any_phase_delays_and_changes_nothing(bench):
    recipients = people(40)
    steps = (Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.DOT)
    bench.relay.script = Script([Rule(step=step, act=BYE, limit=2) for step in steps])
    bench.queue(recipients)

    bench.finish(broken=Break(constants={"newsletter.dispatch.line:FIRST_PAUSE": 0.05}))

    assert set(bench.relay.script.done.values()) == {2}
    assert account(bench, recipients) == (set(), Counter(), set())
    assert bench.audit() == []


def test_what_is_put_off_comes_again_on_schedule(bench):
    asked = ("rcpt-450", "rcpt-451", "rcpt-452", "data-451", "data-450", "dot-450", "dot-451", "dot-452")
    deferred = [person for step in asked for person in people(2, f"defer+{step}")]
    recipients = [*deferred, *people(10)]
    early = (Step.CONNECT, Step.EHLO, Step.MAIL)
    bench.relay.script = Script([Rule(step=step, act=Act(reply="451 4.3.0 Not now"), limit=1) for step in early])
    bench.queue(recipients)

    bench.finish(
        broken=Break(constants={"newsletter.dispatch.line:FIRST_PAUSE": 0.05}), NEWSLETTER_DISPATCH__FIRST_RETRY="1"
    )

    assert account(bench, recipients) == (set(), Counter(), set())
    attempts = bench.attempts()
    at = {(attempt.recipient, attempt.number): dt.datetime.fromisoformat(attempt.at) for attempt in attempts}
    waits = [(at[person, 2] - at[person, 1]).total_seconds() for person in deferred]
    assert min(waits) >= 0.75
    assert Counter(attempt.verdict for attempt in attempts) == {"accepted": 26, "deferred": 16}
    assert bench.audit() == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_first_retry_comes_after_five_minutes_give_or_take_a_quarter(bench):
    recipients = people(20, "defer+rcpt-451")
    bench.queue(recipients)

    process = bench.dispatch(patience=400, NEWSLETTER_DISPATCH__FIRST_RETRY="300")
    assert process.wait(800) == 0, process.error

    at = {(attempt.recipient, attempt.number): dt.datetime.fromisoformat(attempt.at) for attempt in bench.attempts()}
    waits = [(at[person, 2] - at[person, 1]).total_seconds() for person in recipients]
    assert min(waits) >= 0.75 * 300
    assert max(waits) <= 1.25 * 300 + 5
    assert max(waits) - min(waits) > 30, "not all at once"


def test_exactly_those_are_refused_whom_the_relay_refuses(bench):
    asked = ("rcpt-550", "rcpt-551", "rcpt-552", "rcpt-553", "data-550", "dot-550", "dot-552")
    refused = [person for step in asked for person in people(2, f"refuse+{step}")]
    recipients = [*refused, *people(26)]
    bench.queue(recipients)

    bench.finish()

    states = bench.states()
    assert {person for person, state in states.items() if state == "refused"} == set(refused)
    assert account(bench, recipients, refused=refused) == (set(), Counter(), set())
    attempts = bench.attempts()
    assert {attempt.fault for attempt in attempts if attempt.verdict == "refused"} == {"recipient"}
    assert assert_tags(attempts) == len(recipients)
    assert bench.audit() == []


def test_a_relay_that_will_not_have_us_costs_no_subscriber(bench):
    recipients = people(12)
    bench.queue(recipients)
    bench.relay.options.login = ("rivers", "secret")
    login = {"NEWSLETTER_SMTP__USERNAME": "rivers", "NEWSLETTER_SMTP__PASSWORD": "guess"}
    clear = {**login, "NEWSLETTER_SMTP__TLS": "none"}

    for step in (Step.CONNECT, Step.EHLO):
        bench.relay.script = Script([Rule(step=step, act=NO)])
        away = bench.dispatch(patience=0.2)
        assert away.wait() == 4
        assert [line["event"] for line in away.log if line["level"] == "error"] == ["relay away"]
        assert set(bench.states().values()) == {"planned"}
    bench.relay.script = Script()
    unknown = bench.dispatch(patience=0.2, **clear)
    assert unknown.wait() == 4
    assert "AUTH" in {line.get("phase") for line in unknown.log}
    assert bench.attempts() == []

    bench.relay.options.login = None
    bench.finish()
    assert account(bench, recipients) == (set(), Counter(), set())


@pytest.mark.parametrize(
    ("step", "act"),
    [
        pytest.param(Step.MAIL, NO, id="MAIL"),
        pytest.param(Step.RCPT, NO, id="RCPT", marks=pytest.mark.long),
        pytest.param(Step.DOT, Act(reply="550 5.7.26 Unauthenticated mail is not accepted"), id="dot"),
    ],
)
def test_a_block_of_the_sender_pauses_the_run_and_counts_nobody_out(bench, step, act):
    recipients = people(20)
    bench.relay.script = Script([Rule(step=step, act=act)])
    bench.queue(recipients)

    process = bench.dispatch(patience=5)
    assert process.wait(10) == 4

    assert "run paused" in {line["event"] for line in process.log}
    standing = bench.status()
    assert standing["state"] == "paused"
    assert standing["refused"] == 0
    assert bench.taken() == []

    bench.relay.script = Script()
    bench.run("issue", "resume", "2026-12")
    bench.finish()
    assert account(bench, recipients) == (set(), Counter(), set())
    assert bench.audit() == []


def test_greylisting_is_met_at_the_second_attempt_with_the_same_envelope(bench):
    recipients = [*people(10, "greylist"), *people(5)]
    bench.queue(recipients)

    bench.finish(NEWSLETTER_BOUNCE__DOMAIN="bounce.rivers.example")

    assert account(bench, recipients) == (set(), Counter(), set())
    attempts = Counter(attempt.recipient.partition("+")[0] for attempt in bench.attempts())
    assert attempts == {"greylist": 20, "accept": 5}
    assert bench.audit() == []


def test_a_refusal_amid_the_content_is_the_one_that_counts(bench):
    early = Act(reply="550 5.1.1 Nobody of that name after all", after=100, hangs_up=True)
    later = Act(reply="451 4.3.0 Not now after all", after=100, hangs_up=True)
    recipients = [*people(2, "early"), *people(2, "later"), *people(20)]
    bench.relay.script = Script(
        [
            Rule(step=Step.CONTENT, act=early, recipient="early"),
            Rule(step=Step.CONTENT, act=later, recipient="later", limit=2),
        ]
    )
    bench.queue(recipients)

    bench.finish(broken=Break(constants={"newsletter.dispatch.line:FIRST_PAUSE": 0.05}))

    states = bench.states()
    assert {person for person, state in states.items() if state != "accepted"} <= {*people(2, "early")}
    assert account(bench, recipients, refused=people(2, "early")) == (set(), Counter(), set())
    assert bench.audit() == []
