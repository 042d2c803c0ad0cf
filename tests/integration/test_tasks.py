"""Procrastinate's workers do jobs, give back what they do not end, and survive what ends them."""

import asyncio
import contextlib

import pytest
from procrastinate import Blueprint
from sqlalchemy import text

from newsletter.dispatch.granted import Granted
from newsletter.planning.shards import Shard
from newsletter.tasks import worker as module
from newsletter.tasks.app import SHARDS, conninfo_of, defer, make_app
from newsletter.tasks.shards import NAMESPACE, SEND, shard_tasks
from newsletter.tasks.worker import Working

PATIENCE = 30
SHARD = Shard(1, 1, 1000)


@pytest.fixture
def url(postgres_engine):
    return postgres_engine.url.render_as_string(hide_password=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name, seconds in (("AGAIN_SECONDS", 0.05), ("SWEEP_SECONDS", 0.2), ("POLL_SECONDS", 0.05)):
        monkeypatch.setattr(module, name, seconds)


def handed(rows, *shards, queue=SHARDS):
    with rows.sessions() as session:
        defer(session, SEND, *(shard._asdict() for shard in shards), queue=queue)
        session.commit()


def states(rows):
    with rows.sessions() as session:
        return list(session.scalars(text("SELECT status::text FROM procrastinate_jobs ORDER BY id")))


def change(rows, statement):
    rows.change(text(statement))


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def at_work(url, granted, slots=2):
    """A worker's jobs, until the context ends; they must end by themselves then."""
    app = make_app(url)
    app.add_tasks_from(shard_tasks(granted), namespace=NAMESPACE)
    working = Working(app, {SHARDS: slots})
    granted.on_close = working.stop
    running = asyncio.ensure_future(working.run())
    try:
        yield running
    finally:
        granted.close()
        async with asyncio.timeout(PATIENCE):
            await running


def test_a_job_grants_its_shard_and_ends_when_that_is_spent(postgres_rows, url):
    handed(postgres_rows, SHARD)
    granted = Granted()

    async def scene():
        async with at_work(url, granted):
            await until(lambda: granted.shards == (SHARD,))
            assert states(postgres_rows) == ["doing"]
            granted.spend([SHARD])
            await until(lambda: states(postgres_rows) == ["succeeded"])

    asyncio.run(scene())


def test_no_more_shards_are_granted_at_once_than_was_said(postgres_rows, url):
    shards = [Shard(1, first, first + 9) for first in (1, 11, 21)]
    handed(postgres_rows, *shards)
    granted = Granted()

    async def scene():
        async with at_work(url, granted):
            await until(lambda: len(granted.shards) == 2)
            assert sorted(states(postgres_rows)) == ["doing", "doing", "todo"]
            granted.spend(granted.shards)
            await until(lambda: granted.shards == (shards[2],))

    asyncio.run(scene())


def test_a_shard_that_is_not_spent_is_given_back_at_once(postgres_rows, url):
    handed(postgres_rows, SHARD)
    granted, other = Granted(), Granted()

    async def scene():
        async with at_work(url, granted):
            await until(lambda: granted.shards)
        assert states(postgres_rows) == ["todo"]
        async with at_work(url, other):
            await until(lambda: other.shards == (SHARD,))
            other.spend([SHARD])
            await until(lambda: states(postgres_rows) == ["succeeded"])

    asyncio.run(scene())


def test_a_job_that_is_handed_out_twice_ends_twice(postgres_rows, url):
    handed(postgres_rows, SHARD, SHARD)
    granted = Granted()

    async def scene():
        async with at_work(url, granted):
            await until(lambda: states(postgres_rows) == ["doing", "doing"] and granted.shards == (SHARD,))
            while granted.shards:
                granted.spend([SHARD])
                await asyncio.sleep(0.02)
            await until(lambda: states(postgres_rows) == ["succeeded", "succeeded"])

    asyncio.run(scene())


def test_what_a_dead_worker_had_is_handed_out_again_before_all_else(postgres_rows, url):
    handed(postgres_rows, SHARD)
    change(postgres_rows, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '9 seconds')")
    change(
        postgres_rows,
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)",
    )
    granted = Granted()

    async def scene():
        async with at_work(url, granted):
            await until(lambda: granted.shards == (SHARD,))
            with postgres_rows.sessions() as session:
                assert session.scalar(text("SELECT priority FROM procrastinate_jobs")) == module.FIRST
                alive = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat < now() - interval '8 seconds'"
                assert session.scalar(text(alive)) == 0

    asyncio.run(scene())


def test_one_that_was_taken_for_dead_begins_again(postgres_rows, url):
    granted = Granted()
    known = "SELECT count(*) FROM procrastinate_workers"

    def count():
        with postgres_rows.sessions() as session:
            return session.scalar(text(known))

    async def scene():
        async with at_work(url, granted) as running:
            await until(lambda: count() == 1)
            change(postgres_rows, "DELETE FROM procrastinate_workers")
            handed(postgres_rows, SHARD)
            await until(lambda: granted.shards == (SHARD,))
            assert not running.done()

    asyncio.run(scene())


def test_connections_that_are_cut_are_made_again(postgres_rows, url):
    granted = Granted()
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    mine = f"{cut} AND datname = current_database() AND application_name = 'cut'"

    def cut_off():
        with postgres_rows.sessions() as session:
            return session.scalar(text(mine))

    async def scene():
        async with at_work(f"{url}&application_name=cut", granted):
            await until(lambda: cut_off() > 0)
            handed(postgres_rows, SHARD)
            await until(lambda: granted.shards == (SHARD,))

    asyncio.run(scene())


def test_a_task_that_fails_stays_failed_and_harms_nobody(postgres_rows, url):
    failing = Blueprint()

    @failing.task(name="fail", queue=SHARDS)
    async def fail():
        raise ValueError("a fault of ours")

    with postgres_rows.sessions() as session:
        assert defer(session, "failing:fail", {}, queue=SHARDS) == 1
        session.commit()
    app = make_app(url)
    app.add_tasks_from(failing, namespace="failing")
    working = Working(app, {SHARDS: 1})

    async def scene():
        running = asyncio.ensure_future(working.run())
        await until(lambda: states(postgres_rows) == ["failed"])
        working.stop()
        await running

    asyncio.run(scene())


def test_of_jobs_with_a_lock_one_waits(postgres_rows):
    with postgres_rows.sessions() as session:
        assert [defer(session, SEND, {}, queue=SHARDS, lock="one") for _ in range(2)] == [1, 0]
        assert defer(session, SEND, {}, queue=SHARDS) == 1, "the transaction goes on"
        assert defer(session, SEND, queue=SHARDS) == 0
        session.commit()
    assert states(postgres_rows) == ["todo", "todo"]


def test_the_address_is_said_in_the_words_of_libpq():
    said = conninfo_of("postgresql://anna:p%40ss@db.example:5433/letters?sslmode=require")
    assert all(
        word in said for word in ("user=anna", "password=p@ss", "host=db.example", "port=5433", "dbname=letters")
    )
    assert "sslmode=require" in said
    assert "host=/run/postgresql" in conninfo_of("postgresql://anna@/letters?host=/run/postgresql")
