"""Readiness says in words what stands in the way, in time, and asks once however many want to know."""

import threading
import time

import pytest

from newsletter.database import migrate, open_engine
from newsletter.pipeline import readiness as module
from newsletter.pipeline.readiness import AWAY, FULL, Readiness, found


@pytest.fixture
def engine(tmp_path):
    made = open_engine(f"sqlite:///{tmp_path / 'newsletter.sqlite'}")
    yield made
    made.dispose()


def test_an_installation_is_ready_when_its_tables_are_there_and_there_is_room(engine, monkeypatch):
    assert found(engine) == AWAY
    migrate(engine)
    assert found(engine) == ""
    monkeypatch.setattr(module, "free_space", lambda _: 1_000)
    assert found(engine) == FULL


def test_a_database_that_says_nothing_is_given_up_in_time_and_asked_once(engine, monkeypatch):
    answer, asked = threading.Event(), []

    def hanging(_engine):
        asked.append(True)
        answer.wait(20)
        return ""

    monkeypatch.setattr(module, "found", hanging)
    readiness = Readiness(engine)
    began = time.monotonic()
    assert readiness.hindrance(patience=0.05) == AWAY
    assert readiness.hindrance(patience=0.05) == AWAY
    assert time.monotonic() - began < 5
    answer.set()
    assert readiness.hindrance(patience=20) == ""
    assert len(asked) == 1


def test_what_was_found_holds_for_a_moment(engine, monkeypatch):
    answers = iter(["", AWAY])
    monkeypatch.setattr(module, "found", lambda _: next(answers))
    readiness = Readiness(engine)
    assert [readiness.hindrance(), readiness.hindrance()] == ["", ""]
    monkeypatch.setattr(module, "FRESH", -1.0)
    assert readiness.hindrance() == AWAY
