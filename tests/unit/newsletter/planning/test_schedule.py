"""When a run is due."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InvalidInput
from newsletter.planning.schedule import (
    LATEST,
    Reading,
    due_at,
    due_locally,
    instants,
    reading_of,
    starts,
    too_late,
)

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def at(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("wall", "zone", "due"),
    [
        ("2026-12-01 09:00", "Europe/Brussels", at(2026, 12, 1, 8)),
        ("2026-07-01 09:00", "Europe/Brussels", at(2026, 7, 1, 7)),
        ("2026-12-01T09:00", "America/New_York", at(2026, 12, 1, 14)),
        (" 2026-12-01 9:05 ", "UTC", at(2026, 12, 1, 9, 5)),
        ("2026-12-01 09:00:30", "Asia/Kathmandu", at(2026, 12, 1, 3, 15, 30)),
        # 02:30 does not exist on the day the clocks go forward: the first instant after the gap
        ("2026-03-29 02:30", "Europe/Paris", at(2026, 3, 29, 1)),
        # 02:30 occurs twice on the day they go back: the first
        ("2026-10-25 02:30", "Europe/Paris", at(2026, 10, 25, 0, 30)),
    ],
)
def test_wall_clock_time_in_a_zone_is_one_instant(wall, zone, due):
    assert due_at(wall, zone=zone, now=NOW) == due


@pytest.mark.parametrize(
    "wall",
    [
        "",
        "tomorrow",
        "2026-12-01",
        "09:00",
        "2026-13-01 09:00",
        "2026-12-01 25:00",
        "2026-02-30 09:00",
        "1.12.2026 09:00",
    ],
)
def test_what_is_no_date_and_time_is_refused_with_an_example(wall):
    with pytest.raises(InvalidInput, match="is no date and time; write for example"):
        due_at(wall, zone="UTC", now=NOW)


@pytest.mark.parametrize("zone", ["Europe/Brusels", "", "CET/../etc", "+02:00"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(InvalidInput, match="is no IANA time zone"):
        due_at("2026-12-01 09:00", zone=zone, now=NOW)


@pytest.mark.parametrize("wall", ["2025-12-31 23:59", "2026-01-01 00:00"])
def test_a_time_that_is_past_is_refused(wall):
    with pytest.raises(InvalidInput, match="is past: choose a later time, or --now"):
        due_at(wall, zone="UTC", now=NOW)


def test_one_hour_is_as_many_instants_as_there_are_zones():
    zones = ["Pacific/Auckland", "America/Lima", None, "Atlantis/Capital"]

    assert instants("2026-12-04 09:00", zones=zones, default="Europe/Brussels") == {
        "Pacific/Auckland": at(2026, 12, 3, 20),
        "America/Lima": at(2026, 12, 4, 14),
        None: at(2026, 12, 4, 8),
        "Atlantis/Capital": at(2026, 12, 4, 8),
    }


def test_each_zone_has_its_own_gaps_and_folds():
    # In Paris 02:30 does not exist that day; in Cairo, which changes a month later, it does.
    spring = instants("2026-03-29 02:30", zones=["Europe/Paris", "Africa/Cairo"], default="UTC")
    assert spring == {"Europe/Paris": at(2026, 3, 29, 1), "Africa/Cairo": at(2026, 3, 29, 0, 30)}
    autumn = instants("2026-10-25 02:30", zones=["Europe/Paris", "Africa/Cairo"], default="UTC")
    assert autumn == {"Europe/Paris": at(2026, 10, 25, 0, 30), "Africa/Cairo": at(2026, 10, 24, 23, 30)}


@pytest.mark.parametrize(
    ("zones", "first", "last"),
    [
        (["Pacific/Auckland", None, "America/Lima"], at(2026, 12, 3, 20), at(2026, 12, 4, 14)),
        (["Europe/Paris", None], at(2026, 12, 4, 8), at(2026, 12, 4, 8)),
        ([], at(2026, 12, 4, 8), at(2026, 12, 4, 8)),
    ],
)
def test_a_run_at_everybodys_own_hour_is_due_where_it_is_that_hour_first(zones, first, last):
    assert due_locally("2026-12-04 09:00", zones=zones, default="Europe/Brussels", now=NOW) == (first, last)


def test_an_hour_that_is_past_for_anybody_is_refused_with_the_place():
    now = at(2026, 12, 3, 20)
    for zones, place in (["Pacific/Auckland", None], "Pacific/Auckland"), ([None, "America/Lima"], "Asia/Tokyo"):
        with pytest.raises(InvalidInput, match=f"is past in {place}, where somebody reads it"):
            due_locally("2026-12-04 05:00", zones=zones, default="Asia/Tokyo", now=now)
    with pytest.raises(InvalidInput, match="is no IANA time zone"):
        due_locally("2026-12-04 09:00", zones=[], default="Europe/Brusels", now=NOW)


@given(st.lists(st.sampled_from(["Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu", "Europe/Lisbon", None])))
def test_nobody_gets_it_before_the_run_starts_or_after_the_last(zones):
    first, last = due_locally("2026-12-04 09:00", zones=zones, default="UTC", now=NOW)

    found = instants("2026-12-04 09:00", zones=zones, default="UTC").values()
    assert all(first <= instant <= last for instant in found)
    assert last - first <= dt.timedelta(hours=25)


def test_a_run_starts_at_its_time_and_up_to_six_hours_later():
    assert not starts(NOW, now=NOW - SECOND)
    assert starts(NOW, now=NOW)
    assert starts(NOW, now=NOW + LATEST)
    assert not starts(NOW, now=NOW + LATEST + SECOND)


def test_a_run_that_was_missed_by_more_waits_for_an_officer():
    assert not too_late(NOW, now=NOW + LATEST)
    assert too_late(NOW, now=NOW + LATEST + SECOND)


@given(st.timedeltas(min_value=-dt.timedelta(days=30), max_value=dt.timedelta(days=30)))
def test_a_run_is_early_due_or_too_late_and_never_two_of_them(passed):
    now = NOW + passed

    assert [now < NOW, starts(NOW, now=now), too_late(NOW, now=now)].count(True) == 1


def test_an_ordinary_time_is_read_without_remarks():
    assert reading_of("2026-12-01 09:00", zone="Europe/Brussels") == Reading(instant=at(2026, 12, 1, 8))


def test_a_time_that_no_clock_shows_is_said_to_be_skipped():
    read = reading_of("2026-03-29 02:30", zone="Europe/Paris")
    assert (read.instant, read.skipped, read.again) == (at(2026, 3, 29, 1), True, None)


def test_a_time_that_comes_twice_says_when_it_comes_again():
    read = reading_of("2026-10-25 02:30", zone="Europe/Paris")
    assert (read.instant, read.skipped, read.again) == (at(2026, 10, 25, 0, 30), False, at(2026, 10, 25, 1, 30))


def test_reading_refuses_what_due_at_refuses_but_the_past():
    assert reading_of("2001-01-01 00:00", zone="UTC").instant == at(2001, 1, 1)
    with pytest.raises(InvalidInput):
        reading_of("tomorrow", zone="UTC")
