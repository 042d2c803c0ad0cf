"""
The same message into the same sink, by us and by others, in turns: `make bench` prints the table.

Figures are medians of three rounds. What others need and where it comes from is said in one line where it is missing;
nodemailer is looked for in `var/peers` (npm install --prefix var/peers nodemailer handlebars).
"""

import contextlib
import json
import os
import resource
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from benchmarks.scene import an_installation, slow_line, smtp_sink, templates_for_others, tls_front
from conftest import need
from faults.certificates import Authority
from faults.postgres import Postgres

from newsletter.dispatch.dkim import generate

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PEERS = ROOT / "var" / "peers"
PEOPLE = int(os.environ.get("NEWSLETTER_TESTS_PEOPLE", "20000"))
CONNECTIONS = 20
SENDER_DOMAIN = "nightplatform.example"
ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How one round went; `cpu` and `seconds` of the whole round, `peak_kib` the most memory it had."""

    messages: int
    seconds: float
    cpu: float
    peak_kib: int

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_each(self) -> float:
        """Microseconds of computing for a message."""
        return self.cpu / self.messages * 1e6


@dataclass(kw_only=True)
class Contest:
    """Senders that take turns, and what they achieved."""

    title: str
    senders: dict[str, Callable[[], Figures]]
    rounds: dict[str, list[Figures]] = field(default_factory=dict)

    def run(self) -> "Contest":
        for _ in range(ROUNDS):
            for name, send in self.senders.items():
                self.rounds.setdefault(name, []).append(send())
        return self

    def rate(self, name: str) -> float:
        return statistics.median(figures.rate for figures in self.rounds[name])

    def cpu_each(self, name: str) -> float:
        return statistics.median(figures.cpu_each for figures in self.rounds[name])

    def peak(self, name: str) -> float:
        return max(figures.peak_kib for figures in self.rounds[name]) / 1024

    def tell(self) -> None:
        """Print the table, and add it to var/bench.json."""
        print(f"\n{self.title}\n{'sender':<34}{'messages/s':>12}{'CPU µs each':>13}{'peak MB':>9}")
        for name in self.rounds:
            print(f"{name:<34}{self.rate(name):>12,.0f}{self.cpu_each(name):>13,.0f}{self.peak(name):>9,.0f}")
        path = ROOT / "var" / "bench.json"
        path.parent.mkdir(exist_ok=True)
        known = json.loads(path.read_text()) if path.exists() else {}
        known[self.title] = {
            name: {"rate": self.rate(name), "cpu_us": self.cpu_each(name), "peak_mib": self.peak(name)}
            for name in self.rounds
        }
        path.write_text(json.dumps(known, indent=1))


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A database with everybody planned, to be copied, the templates for others, and the octets of a message."""
    folder = tmp_path_factory.mktemp("planned")
    pipeline, artifact = an_installation(folder, f"sqlite:///{folder / 'newsletter.sqlite'}", people=PEOPLE)
    octets = templates_for_others(artifact, folder)
    pipeline.parts.engine.dispose()
    with contextlib.closing(sqlite3.connect(folder / "newsletter.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder, octets


@pytest.fixture
def fresh(planned, tmp_path):
    """Makes copies of the planned database, with its keys; gives their addresses."""
    folder, _ = planned

    def make() -> str:
        shutil.copy(folder / "newsletter.keys.json", tmp_path)
        for leftover in tmp_path.glob("newsletter.sqlite*"):
            leftover.unlink()
        return f"sqlite:///{shutil.copy(folder / 'newsletter.sqlite', tmp_path / 'newsletter.sqlite')}"

    return make


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory):
    """Makes copies of a database on a PostgreSQL server in which everybody is planned; gives their addresses."""
    server, numbers = Postgres(durable=True), count()
    server.do("CREATE DATABASE planned")
    folder = tmp_path_factory.mktemp("on_postgres")
    pipeline, _ = an_installation(folder, server.url("planned"), people=PEOPLE)
    pipeline.parts.engine.dispose()

    def make() -> str:
        name = f"bench_{next(numbers)}"
        server.do(f"CREATE DATABASE {name} TEMPLATE planned")
        server.do("CHECKPOINT")
        return server.url(name)

    yield make
    server.close()


@pytest.fixture
def sealed(sink, tmp_path):
    """A port that leads to the sink behind TLS, the settings for that, and those for DKIM."""
    keys = {
        "NEWSLETTER_DKIM__DOMAIN": SENDER_DOMAIN,
        "NEWSLETTER_DKIM__SELECTOR": "bench",
        "NEWSLETTER_DKIM__KEY_FILE": str(generate(tmp_path, "bench")),
    }
    authority = Authority(tmp_path)
    authority.context("localhost")
    with tls_front(sink, tmp_path / "localhost30") as port:
        settings = {"HOST": "localhost", "TLS": "implicit", "CA_FILE": str(authority.file)}
        yield port, {f"NEWSLETTER_SMTP__{name}": value for name, value in settings.items()}, keys


@pytest.fixture
def sink():
    with smtp_sink() as port:
        yield port


def ours(fresh, port: int, connections: int, **environment: str) -> Figures:
    clear = {"NEWSLETTER_SMTP__HOST": "127.0.0.1", "NEWSLETTER_SMTP__TLS": "none"}
    return _measured([sys.executable, HERE / "ours.py", fresh(), port, connections], **{**clear, **environment})


def tutorial(folder: Path, port: int, connections: int, messages: int) -> Figures:
    return _measured([sys.executable, HERE / "tutorial.py", folder, port, connections, messages])


def nodemailer(folder: Path, port: int, connections: int, messages: int) -> Figures:
    modules = {"NODE_PATH": str(PEERS / "node_modules")}
    return _measured(["node", HERE / "nodemailer.cjs", folder, port, connections, messages], **modules)


def smtp_source(octets: int, port: int, connections: int, messages: int) -> Figures:
    program = need("smtp-source", "apt-get install postfix")
    numbers = ["-s", connections, "-m", messages, "-l", octets]
    command = [program, "-d", *numbers, "-f", "news@sender.example", "-t", "reader@town.example", f"127.0.0.1:{port}"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(part) for part in command], check=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figures(messages=messages, seconds=seconds, cpu=cpu, peak_kib=0)


def _measured(command: list[object], **environment: str) -> Figures:
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def others(folder: Path, port: int, connections: int, messages: int) -> dict[str, Callable[[], Figures]]:
    """The peers that are here; a line for each that is not."""
    found = {"aiosmtplib, Jinja2, EmailMessage": lambda: tutorial(folder, port, connections, messages)}
    if shutil.which("node") and (PEERS / "node_modules" / "nodemailer").exists():
        found["nodemailer pool, Handlebars"] = lambda: nodemailer(folder, port, connections, messages)
    else:
        print("\nnodemailer is missing: install node, then npm install --prefix var/peers nodemailer handlebars")
    return found


def round_trip_to(port: int) -> float:
    """Seconds from a command to its reply: the median of many."""
    with socket.create_connection(("127.0.0.1", port)) as relay, relay.makefile("rb") as replies:
        replies.readline()
        taken = []
        for _ in range(51):
            began = time.perf_counter()
            relay.sendall(b"NOOP\r\n")
            replies.readline()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def test_as_fast_as_the_generator_written_in_c(planned, fresh, sink):
    folder, octets = planned
    senders = {
        "newsletter, SQLite": lambda: ours(fresh, sink, CONNECTIONS),
        "smtp-source -d": lambda: smtp_source(octets, sink, CONNECTIONS, PEOPLE),
        **others(folder, sink, CONNECTIONS, 2_000),
    }
    contest = Contest(title=f"{octets} octets, {CONNECTIONS} connections, loopback", senders=senders).run()
    contest.tell()
    assert all(figures.messages == PEOPLE for figures in contest.rounds["newsletter, SQLite"])
    assert contest.rate("newsletter, SQLite") >= 0.9 * contest.rate("smtp-source -d")
    assert contest.cpu_each("newsletter, SQLite") <= 130
    if "nodemailer pool, Handlebars" in contest.rounds:
        assert contest.rate("newsletter, SQLite") >= 8 * contest.rate("nodemailer pool, Handlebars")


def test_on_a_server_signed_and_encrypted(planned, fresh, on_postgres, sink, sealed):
    _, octets = planned
    behind_tls, tls, keys = sealed
    senders = {
        "smtp-source -d": lambda: smtp_source(octets, sink, CONNECTIONS, PEOPLE),
        "newsletter, SQLite": lambda: ours(fresh, sink, CONNECTIONS),
        "newsletter, PostgreSQL": lambda: ours(on_postgres, sink, CONNECTIONS),
        "newsletter, SQLite, DKIM": lambda: ours(fresh, sink, CONNECTIONS, **keys),
        "newsletter, SQLite, TLS": lambda: ours(fresh, behind_tls, CONNECTIONS, **tls),
        "newsletter, SQLite, DKIM, TLS": lambda: ours(fresh, behind_tls, CONNECTIONS, **keys, **tls),
    }
    contest = Contest(title=f"{octets} octets, {CONNECTIONS} connections, variants", senders=senders).run()
    contest.tell()
    assert all(each.messages == PEOPLE for rounds in contest.rounds.values() for each in rounds)
    assert contest.rate("newsletter, PostgreSQL") >= 0.6 * contest.rate("smtp-source -d")


def test_one_round_trip_a_message(planned, fresh, sink):
    folder, octets = planned
    connections, round_trip = 10, 0.02
    with slow_line(sink, round_trip=round_trip) as port:
        measured = round_trip_to(port)
        print(f"\nthe round trip takes {measured * 1000:.2f} ms")
        senders = {
            "newsletter, SQLite": lambda: ours(fresh, port, connections),
            "smtp-source -d": lambda: smtp_source(octets, port, connections, 2_000),
            **others(folder, port, connections, 1_000),
        }
        contest = Contest(title=f"{octets} octets, {connections} connections, 20 ms away", senders=senders).run()
    contest.tell()
    assert contest.rate("newsletter, SQLite") >= 0.9 * connections / measured
