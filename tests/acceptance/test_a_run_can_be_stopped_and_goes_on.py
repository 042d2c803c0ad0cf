"""An officer stops a run, lets it go on, or stops it for good; each says how many are beyond recall."""

from collections import Counter

import pytest
from databases import CHOSEN


def under_way(installation):
    """Let a dispatcher begin and come to where the relay keeps four messages without an answer."""
    mail = installation.mail
    installation.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    mail.answers = 12
    dispatcher = installation.start("dispatch")
    installation.wait(lambda: len(mail.unanswered) == 4)
    return dispatcher


def test_a_paused_run_begins_nothing_new_and_resumes_where_it_was(approved, mail):
    under_way(approved)
    pausing = approved.start("issue", "pause", "2026-12")
    approved.wait(lambda: approved.status()["state"] == "paused")
    assert pausing.poll() is None  # it waits for what is on the wire
    mail.answers = None
    assert pausing.wait() == 0
    standing = approved.status()
    assert (standing["accepted"], standing["planned"], standing["sending"]) == (16, 44, 0)
    assert standing["held"] == "paused by system"
    assert "paused already" in approved.quickly("issue", "pause", "2026-12", code=1).problem

    resumed = approved.quickly("issue", "resume", "2026-12", "--json").json
    assert resumed["state"] == "sending"
    approved.wait(lambda: approved.status()["state"] == "sent")
    assert Counter(mail.recipients).most_common(1)[0][1] == 1
    assert len(mail.received) == 60
    approved.quickly("issue", "audit", "2026-12")


def test_a_cancelled_run_never_goes_out(approved, mail):
    dispatcher = under_way(approved)
    said = approved.run("issue", "cancel", "2026-12").out
    assert said == "issue 2026-12 is cancelled; 16 of 60 are beyond recall\n"
    mail.answers = None
    approved.wait(lambda: approved.status()["accepted"] == 16)
    dispatcher.terminate()
    dispatcher.wait()
    standing = approved.status()
    assert (standing["state"], standing["cancelled"]) == ("cancelled", 44)
    approved.run("dispatch", "--until-done")
    assert len(mail.received) == 16
    approved.quickly("issue", "audit", "2026-12")
    assert "no run of it is under way" in approved.quickly("issue", "resume", "2026-12", code=1).problem

    again = approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now", "--json").json
    assert again["audience"] == 60
    approved.run("dispatch", "--until-done")
    assert Counter(mail.recipients).most_common(1)[0][1] == 1
    assert len(mail.received) == 60
    assert approved.status()["accepted"] == 60


def test_halt_pauses_whatever_is_under_way(approved, mail):
    assert approved.quickly("halt").out == "nothing was being sent\n"
    under_way(approved)
    assert approved.run("halt").out == "paused: 2026-12; go on with `newsletter issue resume SLUG`\n"
    mail.answers = None
    approved.wait(lambda: approved.status()["sending"] == 0)
    standing = approved.status()
    assert (standing["state"], standing["accepted"], standing["planned"]) == ("paused", 16, 44)


def test_a_dispatcher_that_is_asked_to_end_ends_what_it_has_begun(approved, mail):
    dispatcher = under_way(approved)
    dispatcher.terminate()
    mail.answers = None
    assert dispatcher.wait() == 0
    standing = approved.status()
    assert 16 <= standing["accepted"] < 60  # the signal may take a moment longer than the relay's answers
    assert standing["planned"] == 60 - standing["accepted"]
    assert len(set(mail.recipients)) == len(mail.recipients) == standing["accepted"]


@pytest.mark.skipif(CHOSEN != "sqlite", reason="many dispatchers may share a server")
def test_there_is_one_dispatcher_at_a_time(approved):
    under_way(approved)
    refused = approved.run("dispatch", "--until-done", code=1)
    assert refused.problem == "newsletter: Another dispatcher holds this database: only one may run on SQLite."
