"""Who leads believes it for no longer than the one who keeps the seat does."""

import threading

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from newsletter.pipeline.election import SILENT_SECONDS, VALID_SECONDS, Election, FileSeat

AWAY = OperationalError("SELECT 1", {}, Exception("the server\nwas stopped"))


class Chair:
    """A seat that is free, taken by another one, or away."""

    def __init__(self):
        self.free = True
        self.away = False
        self.taken = 0
        self.seconds = 0.0
        self.clock = 0.0

    def take(self):
        self.taken += 1
        return self.holds()

    def holds(self):
        self.clock += self.seconds
        if self.away:
            raise AWAY
        return self.free

    def leave(self):
        self.free = True


@pytest.fixture
def chair():
    return Chair()


@pytest.fixture
def election(chair):
    return Election(chair, clock=lambda: chair.clock)


def said(logs):
    return [line["event"].partition(":")[0] for line in logs]


def test_a_leader_that_slept_does_nothing_before_it_has_asked(chair, election):
    done = []
    work = election.only(done.append)
    work("before anybody was asked")
    assert election.step()
    work("while it leads")
    chair.clock += VALID_SECONDS
    work("when it wakes up")
    assert not election.leads
    election.step()
    work("once it has asked")
    assert done == ["while it leads", "once it has asked"]
    assert VALID_SECONDS < SILENT_SECONDS


def test_the_time_that_an_answer_took_counts_against_it(chair, election):
    chair.seconds = VALID_SECONDS
    assert election.step()
    assert not election.leads


def test_who_has_lost_the_seat_asks_for_it_again(chair, election):
    with capture_logs() as logs:
        election.step()
        chair.free = False
        assert [election.step(), election.step(), election.leads] == [False, False, False]
        chair.free = True
        assert election.step()
    assert chair.taken == 3
    assert said(logs) == [
        "this scheduler leads",
        "this scheduler leads no more",
        "this scheduler follows",
        "this scheduler leads",
    ]


def test_a_database_that_is_away_is_said_once_and_nobody_leads(chair, election):
    election.step()
    chair.away = True
    with capture_logs() as logs:
        assert [election.step(), election.step(), election.leads] == [False, False, False]
        chair.away = False
        assert election.step()
    assert said(logs) == ["nothing is scheduled", "this scheduler leads"]
    assert logs[0]["words"] == "the server was stopped"


def test_it_says_when_that_changes_until_it_is_stopped(chair, election, monkeypatch):
    monkeypatch.setattr("newsletter.pipeline.election.EVERY_SECONDS", 0)
    stopped, heard = threading.Event(), []

    def gained():
        heard.append("gained")
        chair.free = False

    def lost():
        heard.append("lost")
        chair.free = True
        if len(heard) == 4:
            stopped.set()

    election.run(stopped, gained=gained, lost=lost)
    assert heard == ["gained", "lost", "gained", "lost"]


def test_who_leaves_leads_no_more(chair, election):
    election.step()
    chair.free = False
    election.leave()
    assert (election.leads, chair.free) == (False, True)


def test_a_file_names_the_one_who_has_it(tmp_path):
    first, second = (FileSeat(tmp_path / "n.scheduler", name=name) for name in ("a longer name", "second"))
    assert [first.take(), second.take(), first.holds(), second.holds()] == [True, False, True, False]
    first.leave()
    assert [first.holds(), second.take()] == [False, True]
    assert (tmp_path / "n.scheduler").read_text() == "second"
    second.leave()
