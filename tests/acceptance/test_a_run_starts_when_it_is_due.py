"""A run starts at its time, whoever wakes it; one that was missed by much waits for an officer."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest


def wall(seconds):
    """The clock in Copenhagen so many seconds from now."""
    return f"{dt.datetime.now(ZoneInfo('Europe/Copenhagen')) + dt.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"


def missed_by(installation, hours):
    """Queue for a day far ahead, then let that day have been."""
    installation.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--at", "2090-01-02 09:00")
    due = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    installation.rows("UPDATE run SET due_at = ?", f"{due:%Y-%m-%d %H:%M:%S.%f}")


def test_a_time_that_is_past_is_refused(approved):
    refused = approved.run("issue", "queue", "2026-12", "--segment", "everybody", "--at", "2020-01-01 09:00", code=2)
    assert refused.problem == (
        "newsletter: 2020-01-01 09:00 in Europe/Copenhagen is past: choose a later time, or --now"
    )
    for wrong, words in (
        (("--at", "tomorrow"), "'tomorrow' is no date and time; write for example 2026-12-01 09:00"),
        (("--at", "2090-01-01 09:00", "--timezone", "Europe/Brusels"), "is no IANA time zone"),
        (("--at", "2090-01-01 09:00", "--now"), "say when: either --now or --at"),
        ((), "say when: either --now or --at"),
    ):
        refused = approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", *wrong, code=2)
        assert words in refused.problem
    assert approved.status()["state"] == "approved"


def test_the_time_is_the_newsletters_unless_another_zone_is_named(approved):
    queued = approved.run("issue", "queue", "2026-12", "--segment", "everybody", "--at", "2090-07-01 09:00")
    assert "is due Saturday 1 July 2090, 09:00 CEST (2090-07-01T07:00:00Z)" in queued.out
    standing = approved.status()
    assert (standing["state"], standing["due"]) == ("queued", "2090-07-01T07:00:00Z")
    assert (
        "is queued already"
        in approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now", code=1).problem
    )
    approved.quickly("issue", "cancel", "2026-12")
    options = ("--at", "2090-07-01 09:00", "--timezone", "America/Lima", "--json")
    assert (
        approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", *options).json["due"]
        == "2090-07-01T14:00:00Z"
    )


def test_the_scheduler_starts_it_and_a_dispatcher_sends_it(approved, mail):
    scheduler = approved.start("scheduler")
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--at", wall(3))
    assert approved.status()["state"] == "queued"
    approved.wait(lambda: approved.status()["planned"] == 60)
    assert approved.status()["state"] == "sending"
    assert mail.received == []
    scheduler.terminate()
    assert scheduler.wait() == 0
    approved.run("dispatch", "--until-done")
    assert len(mail.received) == 60


def test_run_supervises_all_three(approved, mail):
    supervisor = approved.start("run", "--port", "0")
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--at", wall(2))
    approved.wait(lambda: approved.status()["state"] == "sent")
    assert sorted(mail.recipients) == sorted(set(mail.recipients))
    assert len(mail.received) == 60
    supervisor.terminate()
    assert supervisor.wait() == 0


def test_the_dispatcher_alone_starts_what_was_missed_by_little(approved, mail):
    missed_by(approved, 2)
    approved.run("dispatch", "--until-done")
    assert len(mail.received) == 60
    assert approved.status()["state"] == "sent"


@pytest.mark.parametrize("waker", ["dispatch", "scheduler"])
def test_what_was_missed_by_more_than_six_hours_waits_for_an_officer(approved, mail, waker):
    missed_by(approved, 7)
    process = approved.start(waker)
    approved.wait(lambda: approved.status()["held"])
    process.terminate()
    process.wait()
    standing = approved.status()
    assert (standing["state"], standing["held"], standing["total"]) == (
        "queued",
        "missed by more than six hours: resume or cancel it",
        0,
    )
    assert "missed by more than six hours" in approved.quickly("issue", "status", "2026-12").out
    approved.quickly("issue", "resume", "2026-12")
    approved.run("dispatch", "--until-done")
    assert len(mail.received) == 60
