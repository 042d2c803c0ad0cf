"""
A million rows: imported in a few times what the database takes for the bare rows, in flat memory; again without any
change; and, killed in the middle and started again, to the same end. On SQLite and on PostgreSQL.
"""

import datetime as dt
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from benchmarks.people import written
from faults.postgres import Postgres

from newsletter.database import migrate, open_engine, session_factory
from subscribers import store

TOTAL = int(os.environ.get("NEWSLETTER_TESTS_MILLION", "1000000"))
SHORT = 20_000
NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
HERE = Path(__file__).parent
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "cache_size = -65536",
)

TABLES = ("subscriber", "subscriber_tag", "membership", "consent_entry")
"""What an import writes, in an order in which rows may refer to each other."""

STATE = {
    "subscriber": "address_key, address, digest, first_name, last_name, organisation, city, country, language,"
    " timezone, attributes",
    "subscriber_tag": "(SELECT address_key FROM subscriber WHERE id = subscriber_id), tag",
    "membership": "(SELECT address_key FROM subscriber WHERE id = subscriber_id), list_id, state",
    "consent_entry": "digest, action, list_name, newsletter, source, operator, proof",
}
"""What must be the same whichever way the rows came in: everything but ids, random names and times."""


class Home:
    """Databases of one kind by name, all of them with the same keys."""

    def __init__(self, folder, server=None):
        self.folder, self.server = folder, server

    def url(self, name):
        """The address of a database."""
        return self.server.url(name) if self.server else f"sqlite:///{self.folder / name}.sqlite"

    def made(self, name):
        """Make an installation with the list `all` and nobody on it."""
        if self.server is not None:
            self.server.do(f"CREATE DATABASE {name}")
        engine = open_engine(self.url(name))
        migrate(engine)
        with session_factory(engine)() as session:
            store.create_list(session, "all", now=NOW)
            session.commit()
        engine.dispose()

    def run(self, name, file, *, times=1, dead_after=0):
        """Import a file in a process of its own; returns what it prints each time."""
        command = [sys.executable, HERE / "importing.py", self.url(name), file, times, dead_after]
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == (-signal.SIGKILL if dead_after else 0)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Sqlite(Home):
    """The same as files."""

    def copied(self, source, name):
        """Make a database that is as another one."""
        shutil.copy(f"{self.folder / source}.sqlite", f"{self.folder / name}.sqlite")

    def bare(self, source, name):
        """Seconds in which the rows of one database go into another in one transaction, as plain tuples."""
        self.copied("empty", name)
        seconds = 0.0
        with closing(self._open(source)) as reading, closing(self._open(name)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                rows = reading.execute(f"SELECT * FROM {table}")
                while batch := rows.fetchmany(50_000):
                    marks = ", ".join("?" * len(batch[0]))
                    began = time.perf_counter()
                    writing.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)
                    seconds += time.perf_counter() - began
            began = time.perf_counter()
            writing.execute("COMMIT")
            return seconds + time.perf_counter() - began

    def state(self, name):
        """How many rows each table has, and a sum over all that matters in them."""
        with closing(self._open(name)) as connection:
            connection.create_function("weighed", -1, lambda *values: hash(values) & 0xFFFFFFFF, deterministic=True)
            return [
                connection.execute(f"SELECT count(*), sum(weighed({columns})) FROM {table}").fetchone()
                for table, columns in STATE.items()
            ]

    def _open(self, name):
        connection = sqlite3.connect(f"{self.folder / name}.sqlite", isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection


class Server(Home):
    """The same on a PostgreSQL server."""

    def copied(self, source, name):
        """Make a database that is as another one."""
        self.server.do(f"CREATE DATABASE {name} TEMPLATE {source}")

    def bare(self, source, name):
        """Seconds in which the rows of one database go into another by COPY in one transaction."""
        self.copied("empty", name)
        seconds = 0.0
        with psycopg.connect(self.url(source)) as reading, psycopg.connect(self.url(name)) as writing:
            for table in TABLES:
                spool = self.folder / f"{table}.copy"
                with spool.open("wb") as file, reading.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                    for block in rows:
                        file.write(block)
                began = time.perf_counter()
                with spool.open("rb") as file, writing.cursor().copy(f"COPY {table} FROM STDIN") as rows:
                    while block := file.read(1 << 20):
                        rows.write(block)
                seconds += time.perf_counter() - began
                spool.unlink()
            began = time.perf_counter()
            writing.commit()
            return seconds + time.perf_counter() - began

    def state(self, name):
        """How many rows each table has, and a sum over all that matters in them."""
        with psycopg.connect(self.url(name)) as connection:
            return [
                connection.execute(
                    f"SELECT count(*), sum(hashtextextended(CAST(ROW({columns}) AS text), 0)) FROM {table}"
                ).fetchone()
                for table, columns in STATE.items()
            ]


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request, tmp_path):
    """Where databases are made."""
    if request.param == "sqlite":
        yield Sqlite(tmp_path)
        return
    server = Postgres()
    yield Server(tmp_path, server)
    server.close()


def proven(home, tmp_path, rows):
    """Import twice, import with a kill in between, and compare; returns what the first two imports told."""
    file, repeated = written(tmp_path / "people.csv", rows), rows // 1000
    home.made("empty")
    home.copied("empty", "once")
    home.copied("empty", "killed")
    once, again = home.run("once", file, times=2)
    assert (once["rows"], once["new"], once["unchanged"]) == (rows, rows - repeated, repeated)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, rows)
    home.run("killed", file, dead_after=rows // 2)
    (resumed,) = home.run("killed", file)
    assert 0 < resumed["new"] < rows - repeated
    stored = home.state("once")
    assert stored == home.state("killed")
    assert [stored[place][0] for place in (0, 2, 3)] == [rows - repeated] * 3
    return once, again


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_an_import_that_is_repeated_or_killed_ends_in_the_same_state(home, tmp_path):
    proven(home, tmp_path, SHORT)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_million_are_imported_in_four_times_what_the_bare_rows_take_and_in_flat_memory(home, tmp_path, request):
    once, again = proven(home, tmp_path, TOTAL)
    bare = home.bare("once", "bare")
    print(
        f"\n{request.node.callspec.id}: {TOTAL:,} rows imported in {once['seconds']:.1f} s"
        f" ({TOTAL / once['seconds']:,.0f}/s), bare {bare:.1f} s, {once['seconds'] / bare:.1f} times;"
        f" again in {again['seconds']:.1f} s; at most {once['peak']} MB"
    )
    assert once["seconds"] <= 4 * bare
    assert max(once["peak"], again["peak"]) < 250
