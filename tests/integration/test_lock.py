"""The dispatcher's lock: one dispatcher per SQLite file, any number on PostgreSQL."""

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newsletter.dispatch import lock
from newsletter.dispatch.lock import dispatcher_lock
from newsletter.dispatch.outage import may_pass
from newsletter.errors import DispatcherRunning


def test_one_dispatcher_holds_a_file_at_a_time(sqlite_engine):
    with dispatcher_lock(sqlite_engine):
        with pytest.raises(DispatcherRunning), dispatcher_lock(sqlite_engine):
            pytest.fail("two of them")
        assert sqlite_engine.connect().close() is None, "the lock keeps nobody else out"

    with dispatcher_lock(sqlite_engine):
        pass


def test_several_dispatchers_share_a_server(postgres_engine):
    with dispatcher_lock(postgres_engine), dispatcher_lock(postgres_engine):
        assert postgres_engine.connect().close() is None


def test_a_server_does_not_wait_for_a_dispatcher_that_sleeps_within_a_transaction(postgres_engine, monkeypatch):
    monkeypatch.setattr(lock, "IDLE", dt.timedelta(milliseconds=50))
    with dispatcher_lock(postgres_engine):
        sleeper = postgres_engine.connect()
        sleeper.execute(text("LOCK TABLE worker"))

        with postgres_engine.begin() as other:
            other.execute(text("LOCK TABLE worker"))

        with pytest.raises(DBAPIError) as raised:
            sleeper.execute(text("SELECT 1"))
        assert may_pass(raised.value)
        sleeper.close()

    with postgres_engine.connect() as outside:
        assert outside.scalar(text("SHOW idle_in_transaction_session_timeout")) == "0", "that is for dispatchers only"
