import threading

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.dispatch import pulse as module
from newsletter.dispatch.pulse import Pulse

DEADLINE = 20
ALIVE, DEAD = True, False


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.001)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)


class Heart:
    """Answers each beat as told, an error is raised; then says that it has been asked everything."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.told = []
        self.is_over = threading.Event()

    def beat(self):
        answer = self.answers.pop(0) if self.answers else self.end()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self):
        self.is_over.set()
        return True

    def tell(self, what):
        self.told.append(what)
        self.is_over.set()

    def run(self):
        with Pulse(self.beat, fenced=lambda: self.tell("fenced"), failed=self.tell):
            assert self.is_over.wait(DEADLINE)
        return self


def test_it_goes_on_while_the_database_says_that_we_live():
    heart = Heart([ALIVE] * 3).run()

    assert (heart.told, heart.answers) == ([], [])


def test_whoever_is_declared_dead_is_told_once_and_beats_no_more():
    heart = Heart([ALIVE, DEAD, ALIVE]).run()

    assert (heart.told, heart.answers) == (["fenced"], [ALIVE])


def test_a_database_that_is_away_is_asked_again():
    heart = Heart([OperationalError("UPDATE", {}, Exception("starting up")), ALIVE, DEAD]).run()

    assert heart.told == ["fenced"]


def test_a_fault_that_does_not_pass_is_handed_on():
    fault = KeyError("heartbeat")

    assert Heart([ALIVE, fault, ALIVE]).run().told == [fault]


def test_a_beat_that_hangs_is_told_by_the_clock_alone(monkeypatch):
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.05)
    silent, hangs = threading.Event(), threading.Event()

    def beat():
        return hangs.wait(DEADLINE)

    with Pulse(beat, fenced=pytest.fail, failed=pytest.fail, silent=silent.set):
        assert silent.wait(DEADLINE)
        assert not hangs.is_set()
    hangs.set()


def test_a_database_that_stays_away_is_told_once(monkeypatch):
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.05)
    away = OperationalError("UPDATE", {}, Exception("no route to host"))
    told, heart = threading.Semaphore(0), Heart([away] * 10_000)

    with Pulse(heart.beat, fenced=pytest.fail, failed=pytest.fail, silent=told.release):
        assert told.acquire(timeout=DEADLINE)
        assert not told.acquire(timeout=0.1)


def test_who_is_heard_is_not_silent(monkeypatch):
    monkeypatch.setattr(module, "SILENT_SECONDS", 5.0)
    heart = Heart([ALIVE] * 50)

    with Pulse(heart.beat, fenced=pytest.fail, failed=pytest.fail, silent=lambda: heart.tell("silent")):
        assert heart.is_over.wait(DEADLINE)
    assert heart.told == []
