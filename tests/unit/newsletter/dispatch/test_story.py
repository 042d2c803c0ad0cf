"""The story of a delivery, as an administrator reads it."""

import datetime as dt

import pytest

from newsletter.dispatch.entries import DIED
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.dispatch.story import ENDS, SPOKEN, Doubt, tell
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.stage import HELD_BACK, Stage
from newsletter.settings import Uncertain
from subscribers.models import SuppressionReason

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=15)
WHO = "anna@lakes.example"


def a_delivery(state=DeliveryState.ACCEPTED, **values):
    plain = {"mailing": "issue:rivers/2026-12", "digest": "d0", "language": "fr", "artifact": "abc123" * 10}
    return DeliveryRow(**{**plain, "run_id": 1, "changed": NOW, "attempts": 1, **values}, state=state)


def a_run(state=RunState.RUNNING, **values):
    plain = {"issue_id": 1, "mailing": "issue:rivers/2026-12", "segment": "everybody", "expression": "all"}
    return RunRow(**{**plain, "operator": "anna", "created": NOW, "started": NOW, "total": 60, **values}, state=state)


def an_attempt(verdict=Verdict.ACCEPTED, **values):
    plain = {"number": 1, "epoch": 1, "worker": "host:1", "relay": "relay.example:25", "phase": int(Phase.CONTENT)}
    said = {"code": 250, "enhanced": "2.0.0", "text": "2.0.0 Ok: queued as 4Xq2mT", "at": LATER, "began": NOW}
    return AttemptRow(**{**plain, **said, "delivery_id": 1, "verdict": verdict, **values})


def told(delivery, *attempts, run=None, others=(), doubt=None, suppressed=None):
    rest = {"suppressed": suppressed, "run": run, "others": others, "doubt": doubt}
    return list(tell(WHO, "2026-12", delivery=delivery, attempts=attempts, **rest).lines)


def test_every_state_and_every_verdict_has_words():
    assert set(ENDS) == set(DeliveryState)
    assert set(SPOKEN) == set(Verdict)


def test_whoever_is_not_in_the_audience_has_no_story():
    assert told(None, suppressed=SuppressionReason.UNSUBSCRIBED) == [
        "anna@lakes.example is not in the audience of issue 2026-12: nothing was planned for this address.",
        "The address is suppressed now: unsubscribed.",
    ]


def test_the_story_of_an_accepted_message_begins_with_the_frozen_audience():
    assert told(a_delivery(), an_attempt(), run=a_run()) == [
        (
            "anna@lakes.example, issue 2026-12, edition fr: was accepted by the relay (whether it reached the mailbox, only"
            " a bounce would tell)."
        ),
        (
            "Planned 2026-12-01T08:00:00Z with the audience of segment 'everybody', which was frozen then at 60; every"
            " message of the run has the same Date."
        ),
        "The bytes are those that were approved: artifact abc123abc123.",
        "  1. 2026-12-01T08:15:00Z over relay.example:25: accepted at CONTENT: 250 2.0.0 Ok: queued as 4Xq2mT",
    ]


def test_a_run_that_was_never_started_has_no_frozen_audience():
    assert [line[:9] for line in told(a_delivery(), run=a_run(started=None))] == ["anna@lake", "The bytes"]


def test_a_deferral_says_when_the_next_attempt_is_due():
    deferred = an_attempt(Verdict.DEFERRED, fault=Fault.RELAY, code=451, text="later")

    assert told(a_delivery(DeliveryState.DEFERRED, next_at=LATER), deferred)[1:] == [
        "  1. 2026-12-01T08:15:00Z over relay.example:25: deferred at CONTENT, by fault of the relay: 451 later",
        "Next attempt 2026-12-01T08:15:00Z.",
    ]


def test_what_was_put_off_by_us_was_not_deferred_by_the_relay():
    why = "held back: the provider of this address wants less at once"

    lines = told(a_delivery(DeliveryState.DEFERRED, next_at=LATER, reason=why, attempts=0))

    assert lines[0].endswith(": was put off and will be sent later: nothing has been sent yet.")
    assert f"Put off 2026-12-01T08:00:00Z: {why}." in lines


def test_a_death_is_told_with_what_is_not_known():
    lost = an_attempt(Verdict.UNCERTAIN, fault=Fault.RELAY, relay="", code=None, enhanced=None, text=DIED)
    delivery = a_delivery(DeliveryState.PLANNED, reason=DIED)

    assert told(delivery, lost, run=a_run())[3:] == [
        (
            "  1. 2026-12-01T08:15:00Z: uncertain: dispatcher host:1 died with this message on the wire, whose content had"
            " begun to go out 2026-12-01T08:00:00Z; nobody heard what the relay replied"
        ),
        "Planned again 2026-12-01T08:00:00Z: the dispatcher died before the relay replied.",
        "Next: a dispatcher takes it as soon as one is free.",
    ]
    lost.began = None
    assert "on the wire; nobody" in told(delivery, lost)[1]


def test_what_is_planned_for_the_first_time_is_not_planned_again():
    assert told(a_delivery(DeliveryState.PLANNED, attempts=0)) == [
        "anna@lakes.example, issue 2026-12, edition fr: is planned: nothing has been sent yet.",
        "Next: a dispatcher takes it as soon as one is free.",
    ]


def test_what_was_tried_without_a_reason_is_planned_again():
    line_broke = an_attempt(Verdict.NOT_SENT, relay="", code=None, text="the line broke", fault=Fault.RELAY)

    assert told(a_delivery(DeliveryState.PLANNED), line_broke)[1:3] == [
        "  1. 2026-12-01T08:15:00Z: not sent at CONTENT, by fault of the relay: the line broke",
        "Planned again 2026-12-01T08:00:00Z.",
    ]


@pytest.mark.parametrize("state", [DeliveryState.CLAIMED, DeliveryState.SENDING])
def test_what_a_dispatcher_has_is_told_with_its_name(state):
    lines = told(a_delivery(state, worker="host:1"), run=a_run())

    assert lines[3:] == ["Dispatcher host:1 has it since 2026-12-01T08:00:00Z."]


@pytest.mark.parametrize(
    ("reason", "why"), [("left", " (left); nothing more goes out."), (None, "; nothing more goes out.")]
)
@pytest.mark.parametrize("state", [DeliveryState.SUPPRESSED, DeliveryState.CANCELLED, DeliveryState.EXPIRED])
def test_a_stop_is_told_with_its_time_and_reason(state, reason, why):
    assert told(a_delivery(state, reason=reason))[-1] == f"Stopped 2026-12-01T08:00:00Z{why}"


def test_a_stop_after_an_attempt_does_not_deny_the_attempt():
    assert "was not sent again" in told(a_delivery(DeliveryState.SUPPRESSED), an_attempt(Verdict.UNCERTAIN))[0]


@pytest.mark.parametrize(("next_at", "end"), [(None, "resumed."), (LATER, "resumed, not before 2026-12-01T08:15:00Z.")])
def test_a_paused_run_keeps_its_deliveries_waiting(next_at, end):
    paused = a_run(RunState.PAUSED, held="paused by anna")

    assert told(a_delivery(DeliveryState.DEFERRED, next_at=next_at), run=paused)[-2:] == [
        "The run is paused: paused by anna.",
        f"Next: it goes out when the run is {end}",
    ]


def test_a_run_that_is_still_being_planned_is_named():
    assert told(a_delivery(DeliveryState.PLANNED), run=a_run(RunState.PLANNING))[-1] == "The run is planning."


@pytest.mark.parametrize(
    ("policy", "repeats", "state", "words"),
    [
        (Uncertain.REPEAT, 0, RunState.RUNNING, "Next: held until 2026-12-01T08:15:00Z in case the relay had taken it"),
        (Uncertain.REPEAT, 1, RunState.RUNNING, "It stays uncertain: it has been repeated once"),
        (Uncertain.SKIP, 0, RunState.RUNNING, "It stays uncertain: under the policy `skip`"),
        (Uncertain.ASK, 0, RunState.RUNNING, "It stays uncertain until somebody decides"),
        (Uncertain.REPEAT, 0, RunState.CANCELLED, "It stays uncertain: the run is cancelled."),
        (Uncertain.REPEAT, 0, RunState.FINISHED, "It stays uncertain: the run is finished."),
    ],
)
def test_what_follows_a_doubt_depends_on_the_policy(policy, repeats, state, words):
    doubt = Doubt(policy=policy, hold=LATER - NOW)
    delivery = a_delivery(DeliveryState.UNCERTAIN, repeats=repeats)

    assert told(delivery, an_attempt(Verdict.UNCERTAIN), run=a_run(state), doubt=doubt)[-1].startswith(words)


def test_a_doubt_over_a_single_message_is_held_too():
    doubt = Doubt(policy=Uncertain.REPEAT, hold=LATER - NOW)

    assert told(a_delivery(DeliveryState.UNCERTAIN, run_id=None), doubt=doubt)[-1].startswith("Next: held until")
    assert len(told(a_delivery(DeliveryState.UNCERTAIN, run_id=None))) == 1


DAY = dt.timedelta(days=1)


def test_a_story_over_two_runs_is_told_in_order():
    first = a_run(RunState.FINISHED, id=1, ended=LATER)
    topped_up = a_run(id=2, segment="new", started=NOW + DAY, total=3, missed=True)
    expired = an_attempt(Verdict.DEFERRED, fault=Fault.RELAY, code=451, text="later")
    attempts = [expired, an_attempt(number=2, at=LATER + DAY)]

    lines = told(a_delivery(run_id=2), *attempts, run=topped_up, others=[first])

    assert lines[1:] == [
        "The issue went out before: 2026-12-01T08:00:00Z to segment 'everybody', 60 people; finished 2026-12-01T08:15:00Z.",
        "  1. 2026-12-01T08:15:00Z over relay.example:25: deferred at CONTENT, by fault of the relay: 451 later",
        (
            "Planned 2026-12-02T08:00:00Z with the audience of segment 'new', those who had missed the issue, which was"
            " frozen then at 3; every message of the run has the same Date."
        ),
        "The bytes are those that were approved: artifact abc123abc123.",
        "  2. 2026-12-02T08:15:00Z over relay.example:25: accepted at CONTENT: 250 2.0.0 Ok: queued as 4Xq2mT",
    ]


def test_a_story_over_three_runs_puts_each_attempt_into_its_run():
    first, second = a_run(RunState.FINISHED, id=1), a_run(RunState.CANCELLED, id=2, started=NOW + DAY)
    third, never = a_run(id=3, started=NOW + 2 * DAY), a_run(RunState.CANCELLED, id=4, started=None)
    attempts = [an_attempt(number=number, at=LATER + (number - 1) * DAY) for number in (1, 2, 3)]

    lines = told(a_delivery(run_id=3), *attempts, run=third, others=[first, second, never])

    assert [line[:12] for line in lines[1:]] == [
        "The issue we", "  1. 2026-12", "The issue we", "  2. 2026-12", "Planned 2026", "The bytes ar", "  3. 2026-12",
    ]  # fmt: skip


def test_a_later_run_that_passed_it_over_is_named():
    later = a_run(id=2, segment="new", started=NOW + DAY, missed=True)

    assert told(a_delivery(), an_attempt(), run=a_run(id=1), others=[later])[-1] == (
        "The issue went out again 2026-12-02T08:00:00Z to segment 'new'; this delivery was left as it was."
    )
    assert told(a_delivery(run_id=None), an_attempt(), others=[later])[-1].startswith("  1.")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stage": Stage.FIRST}, "Next: it waits for the first 20 of the run, and goes out 15 minutes after that if"),
        (
            {"stage": Stage.HOLDING, "staged": NOW},
            "20 of the run, and goes out 2026-12-01T08:15:00Z if nothing is amiss.",
        ),
        ({"stage": Stage.PASSED, "staged": NOW}, "Next: a dispatcher takes it as soon as one is free."),
    ],
)
def test_what_is_held_back_tells_whom_it_waits_for(values, words):
    held = a_delivery(DeliveryState.PLANNED, attempts=0, next_at=HELD_BACK)

    assert words in told(held, run=a_run(first=20, hold=900, **values))[-1]


@pytest.mark.parametrize(
    ("stage", "end"), [(Stage.STOPPED, "when the run is resumed."), (Stage.HOLDING, "resumed, after the first 20.")]
)
def test_what_is_held_back_in_a_paused_run_tells_what_follows_the_officer(stage, end):
    held = a_delivery(DeliveryState.PLANNED, attempts=0, next_at=HELD_BACK)

    assert told(held, run=a_run(RunState.PAUSED, first=20, hold=900, stage=stage))[-1].endswith(end)


def test_what_waits_for_its_own_hour_tells_which_and_has_that_date():
    waits = a_delivery(DeliveryState.PLANNED, attempts=0, next_at=LATER, dated=LATER)
    local = a_run(local=True, wall="2026-12-01 09:15", zone="Europe/Brussels")

    lines = told(waits, run=local)

    assert lines[1].endswith("frozen then at 60; this message has a Date of its own, 2026-12-01T08:15:00Z.")
    assert lines[-1] == "Next: it goes out 2026-12-01T08:15:00Z, when it is 2026-12-01 09:15 where the reader is."


def test_the_story_is_also_plain_data():
    story = tell(WHO, "2026-12", delivery=a_delivery(), attempts=[an_attempt()], suppressed=None)

    assert story.to_json() == {
        "address": WHO,
        "issue": "2026-12",
        "state": "accepted",
        "language": "fr",
        "attempts": [
            {
                "number": 1,
                "began": "2026-12-01T08:00:00Z",
                "at": "2026-12-01T08:15:00Z",
                "worker": "host:1",
                "relay": "relay.example:25",
                "verdict": "accepted",
                "fault": None,
                "phase": "CONTENT",
                "code": 250,
                "enhanced": "2.0.0",
                "text": "2.0.0 Ok: queued as 4Xq2mT",
            }
        ],
        "story": list(story.lines),
    }
    nobody = tell(WHO, "2026-12", delivery=None, attempts=[], suppressed=None).to_json()
    assert (nobody["state"], nobody["attempts"]) == (None, [])
    unmarked = tell(WHO, "2026-12", delivery=a_delivery(), attempts=[an_attempt(began=None)], suppressed=None)
    assert unmarked.attempts[0]["began"] is None
