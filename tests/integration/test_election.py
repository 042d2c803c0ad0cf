"""One of several schedulers leads, on either database, and another as soon as that one is gone."""

import time

import pytest
from sqlalchemy import text

from newsletter.pipeline import election as module
from newsletter.pipeline.election import Election, FileSeat, Leader, SessionSeat, leader, seat_of


@pytest.fixture
def elections(engine):
    """Three of them, called first, second and third."""
    path = module._file(engine)
    is_file = engine.dialect.name == "sqlite"
    names = ("first", "second", "third")
    made = [Election(FileSeat(path, name=name) if is_file else SessionSeat(engine, name=name)) for name in names]
    yield made
    for each in made:
        each.leave()


def test_one_leads_and_the_others_know_who(engine, elections):
    first, second, third = elections
    assert leader(engine) is None
    assert [each.step() for each in elections] == [True, False, False]
    assert [each.step() for each in elections] == [True, False, False]
    assert leader(engine) == Leader("first")
    assert (first.leads, second.leads) == (True, False)
    first.leave()
    assert leader(engine) is None
    assert [third.step(), second.step(), first.step()] == [True, False, False]
    assert leader(engine) == Leader("third")


def test_a_process_names_itself_by_host_and_number(engine):
    seat = seat_of(engine)
    assert seat.take()
    host, _, number = leader(engine).name.rpartition(":")
    assert host
    assert number.isdecimal()
    seat.leave()


def test_a_leader_that_is_silent_loses_its_session_and_the_seat(postgres_engine, monkeypatch):
    monkeypatch.setattr(module, "SILENT_SECONDS", 1.5)
    monkeypatch.setattr(module, "_AT_SERVER", {"idle_session_timeout": 1.5})
    sleeper, other = (Election(SessionSeat(postgres_engine, name=name)) for name in ("sleeper", "other"))
    assert sleeper.step()
    tries = 0
    while not other.step():
        tries += 1
        time.sleep(0.05)
    assert tries > 0
    assert [sleeper.step(), sleeper.leads] == [False, False], "its session is gone"
    assert leader(postgres_engine) == Leader("other")
    other.leave()


def test_a_leader_whose_session_was_ended_leads_again_by_a_new_one(postgres_engine):
    only = Election(SessionSeat(postgres_engine, name="only"))
    assert only.step()
    with postgres_engine.connect() as server:
        server.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'only'"))
    assert [only.step(), only.leads, only.step(), only.leads] == [False, False, True, True]
    only.leave()


def test_the_lock_has_to_belong_to_the_very_session_that_is_asked(postgres_engine):
    seat = SessionSeat(postgres_engine, name="pooled")
    assert seat.take()
    seat._session.execute(text("SELECT pg_advisory_unlock_all()"))
    assert not seat.holds()
    assert seat.take()
    seat.leave()
