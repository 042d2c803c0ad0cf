"""What works on the database is told: wrong only where something waits for it."""

import datetime as dt

import pytest

from newsletter.doctor.check import Status
from newsletter.doctor.working import (
    check_backup,
    check_clock,
    check_connections,
    check_jobs,
    check_scheduler,
    check_server,
    check_workers,
)

SERVER = {
    "server_version": "15.4",
    "server_version_num": "150004",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}


@pytest.mark.parametrize(
    ("changed", "code", "status"),
    [
        ({}, "durability", Status.OK),
        ({"synchronous_commit": "off"}, "durability", Status.WARNING),
        ({"fsync": "off"}, "durability", Status.ERROR),
        ({"full_page_writes": "off"}, "durability", Status.ERROR),
        ({}, "server", Status.OK),
        ({"server_version": "12.1", "server_version_num": "120001"}, "server", Status.ERROR),
    ],
)
def test_a_server_is_new_enough_and_keeps_what_it_says_it_has_stored(changed, code, status):
    told = {check.code: check.status for check in check_server({**SERVER, **changed})}
    assert told[code] is status


@pytest.mark.parametrize(("used", "status"), [(10, Status.OK), (90, Status.OK), (91, Status.WARNING)])
def test_a_server_has_connections_left_for_one_worker_more(used, status):
    assert check_connections(used, most=100).status is status


@pytest.mark.parametrize(("drift", "words"), [(0.5, "agrees"), (-9.4, "9 s behind"), (4, "4 s ahead of")])
def test_clocks_agree_to_two_seconds(drift, words):
    check = check_clock(drift)
    assert words in check.words
    assert (check.status is Status.OK) == (abs(drift) <= 2)


def test_a_missing_scheduler_is_wrong_where_a_run_waits_for_its_time():
    assert check_scheduler("here:7", waiting=3).words == "here:7 acts"
    assert check_scheduler("", waiting=0).status is Status.OK
    check = check_scheduler("", waiting=1)
    assert (check.status, "1 run waits" in check.words) == (Status.WARNING, True)


def test_a_missing_worker_is_wrong_where_a_run_goes_out():
    assert check_workers(2, 1, running=1).words == "2 workers alive, and 1 silent"
    assert check_workers(0, 0, running=0).status is Status.OK
    assert check_workers(0, 0, running=2).status is Status.WARNING


def test_jobs_that_failed_are_told():
    assert check_jobs({"todo": 3, "doing": 1}).status is Status.OK
    assert check_jobs({"failed": 1}).status is Status.WARNING


def test_a_backup_is_wanted_every_week():
    assert check_backup(None).status is Status.OK
    assert check_backup(dt.timedelta(hours=3)).status is Status.OK
    assert "8 days" in check_backup(dt.timedelta(days=8)).words
    assert check_backup(dt.timedelta(days=8)).status is Status.WARNING
