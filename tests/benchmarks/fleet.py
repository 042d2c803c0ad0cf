"""
Workers at one run on PostgreSQL, each over a slow line of its own: how fast they are together, and what it costs.

Takes how many there are, yields figures from the ledger itself (from the first content to the last reply, so without
the processes' start) and from the kernel's account of processor time, of the sink and of the lines as well: they stand
on the same machine.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from benchmarks.scene import an_installation, queue, slow_line, smtp_sink
from faults.postgres import Postgres

from newsletter.bootstrap import build
from newsletter.settings import load

CONNECTIONS = 2
"""So few that four workers, their server, their lines and the sink find room on two cores: the way is the bound."""

CPU = ("worker_cpu", "server_cpu", "sink_cpu", "line_cpu")
"""Whose processor time is counted, as `Figures` calls it."""

SETTLING = 1.0
"""Seconds over which a worker has to be at rest before its run begins."""

IDLE = 0.1
"""The part of a core that a worker at rest takes at most."""

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
        sink_cpu: of the sink, in seconds a message.
        line_cpu: of all lines, in seconds a message.
    """

    messages: int
    seconds: float
    epochs: int
    workers: int
    worker_cpu: float
    server_cpu: float
    sink_cpu: float
    line_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


class Fleet:
    """A server with an installation whose issue is approved, to be used again and again."""

    def __init__(self, folder: Path, *, people: int, connections: int = CONNECTIONS) -> None:
        self.postgres = Postgres()
        self.folder = folder
        self.people = people
        self.connections = connections
        self.postgres.do("CREATE DATABASE ready")
        with contextlib.chdir(folder):  # where its keys are
            pipeline, _ = an_installation(folder, self.postgres.url("ready"), people=people, queued=False)
        pipeline.parts.engine.dispose()
        self._runs = 0

    def close(self) -> None:
        """End the server."""
        self.postgres.close()

    def _copy(self) -> str:
        self._runs += 1
        name = f"run_{self._runs}"
        self.postgres.do(f"CREATE DATABASE {name} TEMPLATE ready")
        return self.postgres.url(name)

    def _start(self, url: str) -> None:
        with contextlib.chdir(self.folder):
            pipeline = build(load(database={"url": url}, public_url="https://news.example"), operator="bench")
        queue(pipeline)
        pipeline.parts.engine.dispose()

    def started(self) -> str:
        """The address of a database whose run is planned and started, and of which nothing is sent."""
        url = self._copy()
        self._start(url)
        return url

    def run(self, workers: int, *, round_trip: float, command: str = "dispatch") -> Figures:
        """Have so many workers send the whole run."""
        url = self._copy()
        with way(round_trip, lines=workers) as (ports, sink, lines), contextlib.ExitStack() as stack:
            working = [stack.enter_context(self._worker(url, port, command)).pid for port in ports]
            _await(url, "SELECT count(*) FROM worker WHERE ended IS NULL", workers)
            _settled(working)
            before = used(*working), self.server_used(), used(*sink), used(*lines)
            self._start(url)
            _await(url, "SELECT count(*) FROM run WHERE state = 'finished'", 1)
            after = used(*working), self.server_used(), used(*sink), used(*lines)
        return self._figures(url, [late - early for early, late in zip(before, after, strict=True)])

    def at_rest(self, seconds: float = 5.0) -> tuple[float, float]:
        """What a worker takes of a core while there is nothing to do, and what PostgreSQL takes for it."""
        url = self._copy()
        with way(0, lines=1) as (ports, *_), self._worker(url, ports[0], "dispatch") as process:
            _await(url, "SELECT count(*) FROM worker WHERE ended IS NULL", 1)
            _settled([process.pid])
            began, before = time.monotonic(), (used(process.pid), self.server_used())
            time.sleep(seconds)
            lasted, after = time.monotonic() - began, (used(process.pid), self.server_used())
        worker, server = ((late - early) / lasted for early, late in zip(before, after, strict=True))
        return worker, server

    def _figures(self, url: str, cpu: Sequence[float]) -> Figures:
        query = (
            "SELECT count(*), extract(epoch FROM max(at) - min(began))::float8, count(DISTINCT worker),"
            " (SELECT max(epoch) FROM delivery WHERE run_id IS NOT NULL) FROM attempt WHERE verdict = 'accepted'"
        )
        with psycopg.connect(url) as server:
            messages, seconds, workers, epochs = server.execute(query).fetchone()
        assert messages == self.people
        return Figures(
            messages=messages,
            seconds=seconds,
            epochs=epochs,
            workers=workers,
            **{name: seconds / messages for name, seconds in zip(CPU, cpu, strict=True)},
        )

    @contextlib.contextmanager
    def _worker(self, url: str, port: int, command: str) -> "Iterator[subprocess.Popen[bytes]]":
        settings = {
            "NEWSLETTER_DATABASE__URL": url,
            "NEWSLETTER_PUBLIC_URL": "https://news.example",
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(port),
            "NEWSLETTER_SMTP__TLS": "none",
            "NEWSLETTER_SMTP__CONNECTIONS": str(self.connections),
        }
        called = [sys.executable, "-m", "newsletter", command]
        with (self.folder / f"{self._runs}-{port}.err").open("wb") as error:
            process = subprocess.Popen(called, env={**os.environ, **settings}, cwd=self.folder, stderr=error)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def server_used(self) -> float:
        """The processor time of the server and of all its processes, also of those that have ended, in seconds."""
        parent, *children = self.postgres.processes()
        return used(parent, ended=True) + used(*children)


@contextlib.contextmanager
def way(round_trip: float, *, lines: int) -> Iterator[tuple[list[int], set[int], set[int]]]:
    """So many ports that lead to one sink, each by a line of its own; and the processes of the sink and of the lines."""
    with contextlib.ExitStack() as stack:
        others = _children()
        sink = stack.enter_context(smtp_sink())
        of_sink = _children() - others
        ports = [stack.enter_context(slow_line(sink, round_trip=round_trip)) for _ in range(lines)]
        yield ports, of_sink, _children() - others - of_sink


def _children() -> set[int]:
    """The processes that this thread has started and that live."""
    return set(map(int, Path("/proc/thread-self/children").read_text("ascii").split()))


def used(*processes: int, ended: bool = False) -> float:
    """
    The seconds of processor time that processes have used; with `ended` those of their ended children too.

    Of one that has just ended: 0, its parent has taken over what it used.
    """
    return sum(_used(pid, ended=ended) for pid in processes)


def _used(pid: int, *, ended: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


def _settled(processes: Sequence[int]) -> None:
    """Wait until processes have come to rest: what they import late is no part of a run."""
    deadline = time.monotonic() + 60
    late = used(*processes)
    while True:
        time.sleep(SETTLING)
        early, late = late, used(*processes)
        if late - early <= IDLE * SETTLING * len(processes):
            return
        assert time.monotonic() < deadline, "the workers do not come to rest"


def _await(url: str, query: str, expected: Any) -> None:
    deadline = time.monotonic() + 300
    with psycopg.connect(url, autocommit=True) as server:
        while server.execute(query).fetchone() != (expected,):
            assert time.monotonic() < deadline, f"waited in vain: {query}"
            time.sleep(0.05)
