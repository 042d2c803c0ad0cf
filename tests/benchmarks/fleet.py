"""
Workers at one run on PostgreSQL, each over a slow line of its own: how fast they are together, and what it costs.

Takes how many there are, yields figures from the ledger itself (from the first content to the last reply, so without
the processes' start) and from the kernel's account of processor time.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from benchmarks.scene import an_installation, slow_line
from faults.postgres import Postgres

from newsletter.bootstrap import build
from newsletter.settings import load

CONNECTIONS = 2
"""So few that four workers, their server, their lines and the sink find room on two cores: the way is the bound."""

TICKS = os.sysconf("SC_CLK_TCK")


class Figures(NamedTuple):
    """
    What a run took.

    Attributes:
        seconds: from the first mark to the last result.
        epochs: the most often that one delivery was claimed.
        workers: how many had a part in it.
        worker_cpu: of all workers, in seconds a message.
        server_cpu: of PostgreSQL, in seconds a message.
    """

    messages: int
    seconds: float
    epochs: int
    workers: int
    worker_cpu: float
    server_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


class Fleet:
    """A server with an installation that is ready to start its run, to be used again and again."""

    def __init__(self, folder: Path, *, people: int) -> None:
        self.postgres = Postgres()
        self.folder = folder
        self._people = people
        self.postgres.do("CREATE DATABASE ready")
        with contextlib.chdir(folder):  # where its keys are
            pipeline, _ = an_installation(folder, self.postgres.url("ready"), people=people, start=False)
        pipeline.parts.engine.dispose()
        self._runs = 0

    def close(self) -> None:
        """End the server."""
        self.postgres.close()

    def _copy(self) -> str:
        name = f"run_{self._runs}"
        self.postgres.do(f"CREATE DATABASE {name} TEMPLATE ready")
        return self.postgres.url(name)

    def run(self, workers: int, *, sink: int, round_trip: float, command: str = "dispatch") -> Figures:
        """Have so many workers send the whole run."""
        self._runs += 1
        url = self._copy()
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(slow_line(sink, round_trip=round_trip)) for _ in range(workers)]
            working = [stack.enter_context(self._worker(url, port, command)) for port in lines]
            _await(url, "SELECT count(*) FROM worker WHERE ended IS NULL", workers)
            before = [_used(process.pid) for process in working], self._server_used()
            with contextlib.chdir(self.folder):
                pipeline = build(load(database={"url": url}, public_url="https://news.example"), operator="bench")
            pipeline.sending.start_due(pipeline.parts.now())
            pipeline.parts.engine.dispose()
            _await(url, "SELECT count(*) FROM run WHERE state = 'finished'", 1)
            after = [_used(process.pid) for process in working], self._server_used()
        return self._figures(url, sum(after[0]) - sum(before[0]), after[1] - before[1])

    def _figures(self, url: str, worker_cpu: float, server_cpu: float) -> Figures:
        query = (
            "SELECT count(*), extract(epoch FROM max(at) - min(began))::float8, count(DISTINCT worker),"
            " (SELECT max(epoch) FROM delivery WHERE run_id IS NOT NULL) FROM attempt WHERE verdict = 'accepted'"
        )
        with psycopg.connect(url) as server:
            messages, seconds, workers, epochs = server.execute(query).fetchone()
        assert messages == self._people
        return Figures(
            messages=messages,
            seconds=seconds,
            epochs=epochs,
            workers=workers,
            worker_cpu=worker_cpu / messages,
            server_cpu=server_cpu / messages,
        )

    @contextlib.contextmanager
    def _worker(self, url: str, port: int, command: str) -> "Iterator[subprocess.Popen[bytes]]":
        settings = {
            "NEWSLETTER_DATABASE__URL": url,
            "NEWSLETTER_PUBLIC_URL": "https://news.example",
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(port),
            "NEWSLETTER_SMTP__TLS": "none",
            "NEWSLETTER_SMTP__CONNECTIONS": str(CONNECTIONS),
        }
        called = [sys.executable, "-m", "newsletter", command]
        with (self.folder / f"{self._runs}-{port}.err").open("wb") as error:
            process = subprocess.Popen(called, env={**os.environ, **settings}, cwd=self.folder, stderr=error)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def _server_used(self) -> float:
        """The processor time of the server and of all its processes, also of those that have ended."""
        parent, *children = self.postgres.processes()
        return _used(parent, ended=True) + sum(map(_used, children))


def _used(pid: int, *, ended: bool = False) -> float:
    """
    The seconds of processor time that a process has used; with `ended` those of its ended children too.

    Of one that has just ended: 0, its parent has taken over what it used.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


def _await(url: str, query: str, expected: Any) -> None:
    deadline = time.monotonic() + 300
    with psycopg.connect(url, autocommit=True) as server:
        while server.execute(query).fetchone() != (expected,):
            assert time.monotonic() < deadline, f"waited in vain: {query}"
            time.sleep(0.05)
