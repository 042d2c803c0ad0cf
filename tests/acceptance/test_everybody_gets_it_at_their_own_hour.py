"""A run may go out at the same hour everywhere: each person gets it when it is that time where they are."""

import datetime as dt
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import pytest

QUEUE = ("issue", "queue", "2026-12", "--segment", "everybody", "--at", "2090-07-01 09:00", "--recipient-local")
HERE, AHEAD = "Europe/Copenhagen", "Europe/Helsinki"


@pytest.fixture
def scattered(approved):
    """Ten of the sixty readers live an hour ahead of the newsletter, ten in Lima, of the others nothing is known."""
    approved.rows("UPDATE subscriber SET timezone = ? WHERE address LIKE '%@fr.example'", AHEAD)
    approved.rows("UPDATE subscriber SET timezone = 'America/Lima' WHERE address LIKE '%@hu.example'")
    return approved


def test_the_run_is_due_where_it_is_that_hour_first(scattered):
    queued = scattered.quickly(*QUEUE, "--json").json
    assert (queued["due"], queued["last"]) == ("2090-07-01T06:00:00Z", "2090-07-01T14:00:00Z")
    scattered.quickly("issue", "cancel", "2026-12")
    told = scattered.quickly(*QUEUE).out
    assert "is due Saturday 1 July 2090, 08:00 CEST (2090-07-01T06:00:00Z), where it is that time first; last" in told


def test_a_time_that_is_past_for_anybody_is_refused(scattered):
    begun = dt.datetime.now(ZoneInfo(AHEAD)) - dt.timedelta(minutes=5)
    queue = ("issue", "queue", "2026-12", "--segment", "everybody")
    refused = scattered.quickly(*queue, "--at", f"{begun:%Y-%m-%d %H:%M}", "--recipient-local", code=2)
    assert f"is past in {AHEAD}, where somebody reads it: choose a later time" in refused.problem
    for wrong, words in (
        (("--now", "--recipient-local"), "--recipient-local goes with --at"),
        (
            ("--at", "2090-07-01 09:00", "--timezone", HERE, "--recipient-local"),
            "either --timezone or --recipient-local",
        ),
        (
            ("--at", "2090-07-01 09:00", "--recipient-local", "--first", "5", "--hold", "1h"),
            "either --first or --recipient-local",
        ),
    ):
        assert words in scattered.quickly(*queue, *wrong, code=2).problem
    assert scattered.status()["state"] == "approved"


def test_each_gets_it_when_it_is_that_time_where_they_are(scattered, mail):
    scattered.quickly(*QUEUE)
    # It has just become that time in the zone ahead.
    hour = dt.datetime.now(ZoneInfo(AHEAD)).replace(microsecond=0)
    due = f"{hour.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}.000000"
    scattered.rows("UPDATE run SET wall = ?, due_at = ?", f"{hour:%Y-%m-%d %H:%M:%S}", due)

    scattered.quickly("dispatch", "--until-done", "--patience", "5", code=4)

    assert {recipient.partition("@")[2] for recipient in mail.recipients} == {"fr.example"}
    assert len(mail.received) == 10
    standing = scattered.status()
    assert (standing["state"], standing["accepted"], standing["planned"]) == ("sending", 10, 50)
    following = hour + dt.timedelta(hours=1)
    assert standing["times"]["waiting"] == 50
    assert standing["times"]["next"] == f"{following.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert "50 wait for" in scattered.quickly("issue", "status", "2026-12").out
    story = scattered.quickly("explain", "reader0000@en.example", "2026-12").out
    assert (
        f"Next: it goes out {standing['times']['next']}, when it is {hour:%Y-%m-%d %H:%M:%S} where the reader is."
        in story
    )

    # An hour passes, and then all the others.
    scattered.rows(
        "UPDATE delivery SET next_at = ? WHERE next_at < ?", due, f"{following.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.9}"
    )
    scattered.quickly("dispatch", "--until-done", "--patience", "5", code=4)
    assert len(mail.received) == 50
    scattered.rows("UPDATE delivery SET next_at = ? WHERE state = 'planned'", due)
    scattered.quickly("dispatch", "--until-done")

    assert len(set(mail.recipients)) == len(mail.received) == 60
    assert scattered.status()["state"] == "sent"
    [lima] = mail.to("reader0004@hu.example")
    dated = parsedate_to_datetime(lima.message["Date"])
    assert dated.astimezone(dt.UTC) == hour.replace(tzinfo=ZoneInfo("America/Lima")).astimezone(dt.UTC)
    scattered.quickly("issue", "audit", "2026-12")
