"""Chores are done by a worker where one lives, and here where none does; an import that is left goes on elsewhere."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from databases import SERVED
from integration.signing import Clock, bare_pipeline
from sqlalchemy import text

from newsletter.bootstrap import Pipeline, _ToWorkers
from newsletter.database import open_engine
from newsletter.dispatch.granted import Granted
from newsletter.errors import NotFound
from newsletter.pipeline.chores import Chore, Chores
from newsletter.pipeline.upload_work import Plan
from newsletter.pipeline.uploads import BROKEN_AFTER
from newsletter.queue_schema import bring_up_to_date
from newsletter.settings import Settings
from newsletter.tasks import chores as module
from newsletter.tasks.worker import make_working
from subscribers import store
from subscribers.columns import Base
from subscribers.importing import loading
from subscribers.models import UploadState

PEOPLE = "email,city\n" + "".join(f"p{number}@town.example,Ghent\n" for number in range(40)) + "nobody,\n"


@pytest.fixture(scope="module")
def url():
    SERVED.server.do("CREATE DATABASE chores")
    address = SERVED.server.url("chores")
    engine = open_engine(address)
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        bring_up_to_date(connection)
    engine.dispose()
    yield address
    SERVED.server.do("DROP DATABASE chores WITH (FORCE)")


@pytest.fixture
def served(url):
    """The tables of the program and those of jobs, empty."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join((*tables, 'procrastinate_jobs', 'procrastinate_workers'))} CASCADE")
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def pipeline(served):
    """The verbs, which leave chores to workers."""
    made = bare_pipeline(served, Clock())
    parts = replace(made.parts, leaving=_ToWorkers(made.parts.sessions))
    made = Pipeline(parts=parts)
    made.people.lists.create("members")
    return made


class Done:
    """Notes what was done, and in which thread."""

    def __init__(self, leaving):
        self.chores = Chores(leaving, {chore: self._note(chore) for chore in Chore})
        self.what = []
        self.threads = set()
        self.finishes = True

    def _note(self, chore):
        def verb(words, _stopping):
            self.threads.add(threading.current_thread().name.partition("_")[0])
            self.what.append((chore, dict(words)))
            return self.finishes

        return verb


@pytest.fixture
def done(pipeline):
    return Done(pipeline.parts.leaving)


def jobs(engine):
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT task_name, args, status::text, queue_name FROM procrastinate_jobs ORDER BY id")
        )
        return [tuple(row) for row in found]


def change(engine, statement):
    with engine.begin() as connection:
        connection.execute(text(statement))


def a_worker_lives(engine, *, silent=0):
    change(
        engine, f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - {silent} * interval '1 second')"
    )


async def at_work(url, chores, until):
    """A real worker does chores until a condition holds."""
    working = make_working(Settings(database={"url": url}), granted=Granted(), chores=chores)
    running = asyncio.ensure_future(working.run())
    async with asyncio.timeout(30):
        while not until():
            assert not running.done(), await running
            await asyncio.sleep(0.02)
    working.stop()
    await running


def test_without_a_worker_a_chore_is_done_here(served, done):
    a_worker_lives(served, silent=9)
    assert not done.chores.do(Chore.WEBHOOKS)
    assert done.what == [(Chore.WEBHOOKS, {})]
    assert jobs(served) == []


def test_what_waits_for_a_worker_waits_once(served, done):
    a_worker_lives(served)
    words = {"key": "k", "operator": "grace"}
    assert [done.chores.do(Chore.WEBHOOKS), done.chores.do(Chore.WEBHOOKS)] == [True, True]
    assert [done.chores.do(Chore.IMPORT, **words), done.chores.do(Chore.IMPORT, **words)] == [True, True]
    assert done.chores.do(Chore.IMPORT, key="another", operator="grace")
    assert done.what == []
    assert jobs(served) == [
        ("chores:webhooks", {}, "todo", "chores"),
        ("chores:import", words, "todo", "chores"),
        ("chores:import", {"key": "another", "operator": "grace"}, "todo", "chores"),
    ]


def test_what_no_worker_comes_for_is_done_here(served, done):
    a_worker_lives(served)
    assert done.chores.do(Chore.NOTICES)
    change(served, f"UPDATE procrastinate_events SET at = at - {module.WAITED_SECONDS + 1} * interval '1 second'")
    assert not done.chores.do(Chore.NOTICES)
    assert done.what == [(Chore.NOTICES, {})]


def test_a_worker_does_what_is_left_to_it_and_leaves_no_rows(served, done, url):
    a_worker_lives(served)
    for chore in (Chore.WEBHOOKS, Chore.NOTICES, Chore.DRAFTS, Chore.REPORTS):
        assert done.chores.do(chore)
    asyncio.run(at_work(url, done.chores, lambda: not jobs(served)))
    assert sorted(chore for chore, _ in done.what) == ["drafts", "notices", "reports", "webhooks"]
    assert done.threads == {"chore"}


def test_what_a_worker_leaves_unfinished_is_done_again(served, done, url):
    a_worker_lives(served)
    words = {"key": "k", "operator": "grace"}
    done.chores.do(Chore.IMPORT, **words)
    done.finishes = False

    def until():
        done.finishes = len(done.what) > 1
        return not jobs(served)

    asyncio.run(at_work(url, done.chores, until))
    assert done.what == [(Chore.IMPORT, words)] * len(done.what)
    assert len(done.what) > 1


def test_a_file_is_imported_by_a_worker_that_shares_no_folder_with_the_pages(
    served, pipeline, url, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    a_worker_lives(served)
    key = pipeline.uploads.stage(PEOPLE.encode(), name="people.csv", list_name="members")
    assert [column.target for column in pipeline.uploads.look(key).columns] == ["email", "city"]
    for begin, state in ((pipeline.uploads.check, UploadState.CHECKED), (pipeline.uploads.run, UploadState.FINISHED)):
        a_worker_lives(served)  # a moment has passed
        begun = begin(key)
        assert begun.thread is None
        assert pipeline.uploads.get(key).is_busy
        asyncio.run(at_work(url, pipeline.chores, lambda: not jobs(served)))
        begun.join(0)
        assert pipeline.uploads.get(key).state is state
    found = pipeline.uploads.get(key)
    assert found.report["counts"]["new"] == 40
    assert (found.has_file, found.has_refused) == (False, True)
    assert b"nobody" in pipeline.uploads.refused(key)
    assert pipeline.people.show("p7@town.example").consent[0].operator == "grace"
    assert list(tmp_path.iterdir()) == [], "files of people lie in the database alone"
    pipeline.people.erase("p7@town.example")
    with pytest.raises(NotFound):
        pipeline.uploads.refused(key)


@pytest.fixture
def counted(pipeline, monkeypatch):
    """The key of an upload that was counted here, and is to be imported in chunks of ten rows."""
    monkeypatch.setattr(loading, "CHUNK", 10)
    monkeypatch.setattr(loading, "WIDE", 10)
    key = pipeline.uploads.stage(PEOPLE.encode(), name="people.csv", list_name="members")
    pipeline.uploads.settle(key, Plan(), list_name="members")
    pipeline.uploads.check(key).join(30)
    assert pipeline.uploads.get(key).state is UploadState.CHECKED
    return key


def running(pipeline, key):
    """The upload as somebody begins to import it who never comes to it."""
    with pipeline.parts.sessions() as session:
        store.change_upload(
            session, key, expected=[UploadState.CHECKED], now=pipeline.parts.now(), state=UploadState.RUNNING
        )
        session.commit()


def test_an_import_that_has_to_stop_goes_on_elsewhere(pipeline, counted):
    running(pipeline, counted)
    assert not pipeline.uploads.work(counted, stopping=lambda: True)
    found = pipeline.uploads.get(counted)
    assert (found.state, found.done) == (UploadState.RUNNING, 10)
    assert pipeline.uploads.work(counted)
    found = pipeline.uploads.get(counted)
    assert found.state is UploadState.FINISHED
    assert (found.report["counts"]["new"], found.report["counts"]["unchanged"]) == (30, 10)


def test_who_was_taken_for_dead_and_wakes_up_writes_no_more(pipeline, counted, monkeypatch):
    running(pipeline, counted)
    take, taken = loading._Loader.take, []

    def overtaken(self, *given, **named):
        take(self, *given, **named)
        taken.append(1)
        if len(taken) == 1:  # it sleeps here, and another one does it all
            assert pipeline.uploads.work(counted)

    monkeypatch.setattr(loading._Loader, "take", overtaken)
    assert pipeline.uploads.work(counted)
    assert len(taken) == 1 + 5, "the sleeper stopped at once"
    found = pipeline.uploads.get(counted)
    assert (found.state, found.report["counts"]["new"]) == (UploadState.FINISHED, 30)
    with pipeline.parts.sessions() as session:
        assert store.count_subscribers(session) == 40


def test_an_import_that_nobody_works_on_any_more_is_taken_up_once(pipeline, counted):
    running(pipeline, counted)
    assert pipeline.uploads.left_behind() == []
    pipeline.parts.now.forward(seconds=BROKEN_AFTER.total_seconds() + 1)
    pipeline.take_up()
    assert pipeline.uploads.left_behind() == []
    assert pipeline.uploads.get(counted).state is UploadState.FINISHED


def test_what_nobody_wants_done_any_more_is_not_done(pipeline, counted):
    assert pipeline.uploads.work(counted)
    assert pipeline.uploads.get(counted).state is UploadState.CHECKED
    pipeline.uploads.discard(counted)
    assert pipeline.uploads.work(counted)
    with pipeline.parts.sessions() as session:
        assert store.count_subscribers(session) == 0


def test_files_that_nobody_has_come_back_to_are_swept(pipeline, counted):
    pipeline.parts.now.forward(hours=25)
    pipeline.retention.run()
    found = pipeline.uploads.get(counted)
    assert (found.has_file, found.has_refused) == (False, False)
    assert not list(Path.cwd().glob("var/uploads/*"))
