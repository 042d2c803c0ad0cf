"""How a run goes out may not contradict itself."""

import datetime as dt

import pytest

from newsletter.errors import InvalidInput
from newsletter.planning.manner import AT_ONCE, Manner

HOLD = dt.timedelta(minutes=15)
WALL = "2026-12-01 09:00"


@pytest.mark.parametrize(
    ("manner", "at", "zone"),
    [
        (AT_ONCE, None, None),
        (AT_ONCE, WALL, "Europe/Brussels"),
        (Manner(first=1, hold=HOLD), None, None),
        (Manner(first=200, hold=HOLD, missed=True), WALL, "Europe/Brussels"),
        (Manner(local=True), WALL, None),
        (Manner(local=True, missed=True, doubtful=True), WALL, None),
    ],
)
def test_what_fits_together_is_taken(manner, at, zone):
    assert manner.ensure_sound(at=at, zone=zone) is None


@pytest.mark.parametrize(
    ("manner", "at", "zone", "words"),
    [
        (Manner(first=200), None, None, "--first and --hold go together: for example --first 200 --hold 15m"),
        (Manner(hold=HOLD), None, None, "--first and --hold go together"),
        (Manner(first=0, hold=HOLD), None, None, "--first 0 is no number of people"),
        (Manner(first=-5, hold=HOLD), None, None, "--first -5 is no number of people"),
        (Manner(doubtful=True), None, None, "--even-uncertain goes with --missed"),
        (Manner(local=True), None, None, "--recipient-local goes with --at"),
        (Manner(local=True), WALL, "Europe/Brussels", "either --timezone or --recipient-local"),
        (Manner(local=True, first=1, hold=HOLD), WALL, None, "either --first or --recipient-local"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_do(manner, at, zone, words):
    with pytest.raises(InvalidInput, match=words):
        manner.ensure_sound(at=at, zone=zone)
