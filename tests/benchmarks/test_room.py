"""How much room and time each step of a run takes, by person, on SQLite and on PostgreSQL; printed as tables."""

import contextlib
import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from benchmarks.fleet import used
from benchmarks.people import written
from benchmarks.scene import ISSUE, an_installation, queue
from faults.postgres import Postgres

from newsletter.bootstrap import Pipeline
from newsletter.dispatchers import build_dispatcher
from newsletter.planning.shards import shards_of
from newsletter.tasks.shards import hand_out

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

TOTAL = int(os.environ.get("NEWSLETTER_TESTS_ROOM", "200000"))
HERE = Path(__file__).parent
BATCH = 512
CLAIMS = 20

ON_SQLITE = """
SELECT master.tbl_name, sum(CASE master.type WHEN 'table' THEN pgsize ELSE 0 END),
    sum(CASE master.type WHEN 'index' THEN pgsize ELSE 0 END)
FROM dbstat('main', 1) AS stat JOIN sqlite_master AS master ON master.name = stat.name
GROUP BY master.tbl_name
"""

ON_POSTGRES = """
SELECT relname, pg_table_size(oid)::float8, pg_indexes_size(oid)::float8 FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


class Room(NamedTuple):
    """The bytes of a table and of its indexes, a person."""

    table: float
    index: float


class Sqlite:
    """A database in a file, and what it says of itself."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "newsletter.sqlite"
        self.url = f"sqlite:///{self._file}"

    def rooms(self) -> dict[str, Room]:
        """How much room each table takes."""
        with contextlib.closing(sqlite3.connect(self._file)) as connection:
            rows = connection.execute(ON_SQLITE).fetchall()
        return {name: Room(table / TOTAL, index / TOTAL) for name, table, index in rows}

    def written(self) -> float:
        """SQLite does not count what it writes ahead."""
        return 0.0

    def used(self) -> float:
        """The work is done in our own process."""
        return 0.0


class Server:
    """A database on a server that waits for the disk, and what it says of itself."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        server.do("CREATE DATABASE room")
        self.url = server.url("room")

    def rooms(self) -> dict[str, Room]:
        """How much room each table takes."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(ON_POSTGRES).fetchall()
        return {name: Room(table / TOTAL, index / TOTAL) for name, table, index in rows}

    def written(self) -> float:
        """The bytes that were written ahead since the beginning."""
        with psycopg.connect(self.url) as connection:
            return float(connection.execute("SELECT pg_current_wal_lsn() - '0/0'").fetchone()[0])

    def used(self) -> float:
        """Its processor time in seconds."""
        parent, *children = self._server.processes()
        return used(parent, ended=True) + used(*children)


Database = Sqlite | Server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path)
        return
    server = Postgres(durable=True)
    yield Server(server)
    server.close()


def test_each_step_of_a_run_takes_so_much_room_and_time(database, tmp_path):
    pipeline, _ = an_installation(tmp_path, database.url, people=1, queued=False)
    people = written(tmp_path / "readers.csv", TOTAL)
    with step("import", database):
        pipeline.people.imports.take(people, list_name="all")
    with step("freeze", database):
        queue(pipeline)
    claims(pipeline)
    shards(pipeline, database)
    with step("send", database):
        command = [sys.executable, HERE / "million.py", database.url, TOTAL]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    sent = json.loads(done.stdout.splitlines()[-1])
    print(
        f"sent to nowhere: {TOTAL / sent['seconds']:,.0f}/s over 20 connections, {sent['peak'] / 1024:.0f} MB at most"
    )
    assert sent["taken"] == pipeline.control.status(ISSUE, newsletter=None).total
    with step("audit", database):
        assert all(check.holds for check in pipeline.proof.audit(ISSUE, newsletter=None))
    pipeline.parts.engine.dispose()


@contextlib.contextmanager
def step(name: str, database: Database) -> Iterator[None]:
    """Print how long a step took, what it wrote ahead, and the tables that have grown by it."""
    before, ahead, worked, began = database.rooms(), database.written(), database.used(), time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    worked, ahead = database.used() - worked, (database.written() - ahead) / TOTAL
    print(
        f"\n{name}: {TOTAL:,} in {seconds:.1f} s, {seconds / TOTAL * 1e6:.0f} µs each, of which the server worked"
        f" {worked / TOTAL * 1e6:.0f} µs; {ahead:.0f} bytes written ahead each"
    )
    for table, room in sorted(database.rooms().items()):
        had = before.get(table, Room(0, 0))
        if sum(room) - sum(had) > 1:
            print(
                f"  {table:16} {had.table:6.0f} + {had.index:4.0f} -> {room.table:6.0f} + {room.index:4.0f} bytes each"
            )


def claims(pipeline: Pipeline) -> None:
    """Print how long it takes to claim a batch, and give all of them back."""
    ledger, now = build_dispatcher(pipeline).ledger, dt.datetime.now(dt.UTC)
    ledger.take_over(now)
    began = time.perf_counter()
    taken = [ledger.claim(BATCH, now) for _ in range(CLAIMS)]
    seconds = (time.perf_counter() - began) / CLAIMS
    assert [len(batch) for batch in taken] == [BATCH] * CLAIMS
    print(f"\nclaim: {BATCH} in {seconds * 1000:.1f} ms")
    for batch in taken:
        ledger.release(batch, now)
    ledger.sign_off(now)


def shards(pipeline: Pipeline, database: Database) -> None:
    """Print how long it takes to hand out a run's shards again; nothing comes of it."""
    if isinstance(database, Sqlite):
        return
    with pipeline.parts.sessions() as session:
        began = time.perf_counter()
        count = hand_out(session, 1)
        seconds = time.perf_counter() - began
        assert count == len(list(shards_of(session, 1)))
        session.rollback()
    print(f"shards: {count} jobs handed out in {seconds * 1000:.0f} ms")
