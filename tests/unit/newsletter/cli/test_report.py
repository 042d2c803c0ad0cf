"""How the state of a run is told."""

import datetime as dt

import pytest

from newsletter.assembly.facts import IssueState
from newsletter.cli.report import standing_json, standing_words
from newsletter.pipeline.control import OwnTimes, Staged, Standing
from newsletter.planning.models import DeliveryState
from newsletter.planning.stage import Stage

NOW = dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)
HOLD = dt.timedelta(minutes=15)


def a_standing(**values):
    counts = dict.fromkeys(DeliveryState, 0) | {DeliveryState.ACCEPTED: 20, DeliveryState.PLANNED: 40}
    plain = {"total": 60, "counts": counts, "languages": {"en": 60}, "segment": "all", "due": NOW, "held": None}
    return Standing(state=IssueState.SENDING, **{**plain, **values})


def a_stage(stage, **values):
    return Staged(**{"stage": stage, "first": 20, "hold": HOLD, "since": NOW, "until": None, "others": 40, **values})


def test_a_plain_run_is_told_in_numbers():
    assert standing_words("2026-12", a_standing()) == (
        "issue 2026-12 is sending: 60 deliveries: 40 planned, 20 accepted\nen 60"
    )
    told = standing_json(a_standing())
    assert (told["state"], told["total"], told["accepted"], told["stage"], told["times"]) == (
        "sending",
        60,
        20,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("staged", "words"),
    [
        (a_stage(None, since=None, others=0), "20 people go first, the others 15 minutes after that"),
        (a_stage(None, first=1), "1 person goes first, the others 15 minutes after that"),
        (a_stage(Stage.FIRST), "the first 20 go out; 40 others wait until 15 minutes after that"),
        (
            a_stage(Stage.HOLDING, until=NOW + HOLD),
            "the first 20 have gone out; 40 others follow at 2026-12-01T08:15:00Z if nothing is amiss",
        ),
        (a_stage(Stage.STOPPED), "the first 20 have gone out; 40 others wait until the run is resumed"),
        (a_stage(Stage.PASSED), "en 60"),
    ],
)
def test_a_staged_run_tells_who_waits_for_what(staged, words):
    assert standing_words("2026-12", a_standing(staged=staged)).splitlines()[-1] == words


def test_a_staged_run_is_data_too():
    assert standing_json(a_standing(staged=a_stage(Stage.HOLDING, until=NOW + HOLD)))["stage"] == {
        "state": "holding",
        "first": 20,
        "hold": 900.0,
        "since": NOW,
        "until": NOW + HOLD,
        "others": 40,
    }


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (NOW, "40 wait for 2026-12-01 09:00 where they are: the next at 2026-12-01T08:00:00Z"),
        (
            NOW + HOLD,
            (
                "40 wait for 2026-12-01 09:00 where they are: the next at 2026-12-01T08:00:00Z,"
                " the last at 2026-12-01T08:15:00Z"
            ),
        ),
        (None, "en 60"),
    ],
)
def test_own_hours_are_told_with_the_next_and_the_last(last, words):
    times = OwnTimes(wall="2026-12-01 09:00", waiting=40, next=last and NOW, last=last)

    assert standing_words("2026-12", a_standing(times=times)).splitlines()[-1] == words
    assert standing_json(a_standing(times=times))["times"]["waiting"] == 40
