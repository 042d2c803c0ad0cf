"""When the others of a staged run may follow the first ones."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InvalidInput
from newsletter.planning.stage import LONGEST_HOLD, Bounds, Sample, hold_words, objection, read_hold

NOW = dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)
BOUNDS = Bounds(refused=0.05)


def a_sample(tried=200, refused=0, complained=0):
    return Sample(tried=tried, refused=refused, complained=complained, last=NOW)


@pytest.mark.parametrize(
    ("words", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), (" 15 m ", 900), ("30d", 30 * 86400)]
)
def test_a_duration_is_a_number_with_a_unit(words, seconds):
    assert read_hold(words) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "words", ["", "15", "m", "15min", "-15m", "1.5h", "1h30m", "quarter of an hour", "9999999999s"]
)
def test_what_is_no_duration_is_refused_with_examples(words):
    with pytest.raises(InvalidInput, match="is no duration; write for example 90s, 15m, 2h or 1d"):
        read_hold(words)


@pytest.mark.parametrize("words", ["0s", "0d", "31d", "999999999d", "2592001s"])
def test_a_time_that_nobody_waits_is_refused(words):
    with pytest.raises(InvalidInput, match="choose between 1s and 30d"):
        read_hold(words)


@pytest.mark.parametrize(
    ("words", "told"),
    [("90s", "90 seconds"), ("60s", "1 minute"), ("15m", "15 minutes"), ("120m", "2 hours"), ("24h", "1 day")],
)
def test_a_duration_is_told_in_the_largest_unit_that_fits(words, told):
    assert hold_words(read_hold(words)) == told


@given(st.integers(1, int(LONGEST_HOLD.total_seconds())))
def test_a_duration_that_is_told_is_the_one_that_was_read(seconds):
    hold = read_hold(f"{seconds}s")
    number, unit = hold_words(hold).split()

    assert read_hold(f"{number.replace(',', '')}{unit[0]}") == hold


@pytest.mark.parametrize("sample", [a_sample(), a_sample(refused=10), a_sample(tried=1), a_sample(1000, complained=3)])
def test_the_others_follow_when_it_has_gone_well(sample):
    assert objection(sample, BOUNDS) is None


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (a_sample(refused=11), "11 of the first 200 were refused (5.5 %, more than 5 %)"),
        (a_sample(complained=1), "1 of the first 200 complained (0.5 %, more than 0.3 %)"),
        (a_sample(refused=200, complained=9), "200 of the first 200 were refused (100.0 %, more than 5 %)"),
        (a_sample(tried=0), "none of the first could be written to: nothing is known of what the others would meet"),
    ],
)
def test_too_much_that_went_wrong_is_told_in_figures(sample, reason):
    assert objection(sample, BOUNDS) == reason


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_with_a_bound_of_nothing_one_refusal_is_too_many_and_with_everything_none_is(tried, refused):
    sample = a_sample(tried=max(tried, refused), refused=refused)

    assert (objection(sample, Bounds(refused=0)) is None) is (refused == 0)
    assert objection(sample, Bounds(refused=1)) is None
