"""Measured figures of the hot path: compilation, splicing, dispatch. Asserts little, prints what it saw."""

import asyncio
import datetime as dt
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import need

from newsletter.bootstrap import Pipeline, build
from newsletter.cli.pictures import draw_pictures
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.message import render
from newsletter.database import migrate
from newsletter.dispatch.lock import dispatcher_lock
from newsletter.dispatchers import build_dispatcher
from newsletter.logs import configure
from newsletter.paths import sample
from newsletter.settings import load

pytestmark = pytest.mark.bench

PEOPLE = 2_000


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's sink on a free port of loopback; it speaks SMTP and throws the mail away."""
    program = need("smtp-sink", "apt-get install postfix")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    sink = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "1000"])
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield port
    finally:
        sink.terminate()
        sink.wait()


@pytest.fixture(autouse=True)
def quiet_log() -> None:
    """A command that somebody waits for logs warnings only."""
    configure()


def an_installation(folder: Path, port: int = 25) -> Pipeline:
    settings = load(
        database={"url": f"sqlite:///{folder / 'newsletter.sqlite'}"},
        smtp={"host": "127.0.0.1", "port": port, "tls": "none", "connections": 10},
    )
    pipeline = build(settings, operator="bench", migrated=False)
    migrate(pipeline.parts.engine)
    pack = folder / "content"
    draw_pictures(pack / "images")
    (pack / "pack.yaml").write_bytes((sample() / "pack.yaml").read_bytes())
    pipeline.entries.import_pack(pack / "pack.yaml")
    pipeline.editorial.assemble("2026-12", newsletter=None)
    return pipeline


def test_compiling_every_language_of_the_sample(tmp_path: Path):
    pipeline = an_installation(tmp_path)
    pipeline.approval.compile("2026-12", newsletter=None)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        built = pipeline.approval.compile("2026-12", newsletter=None)
        seconds.append(time.perf_counter() - start)
    print(f"\ncompile: {len(built.artifacts)} editions in {statistics.median(seconds) * 1000:.0f} ms (median of 5)")
    assert statistics.median(seconds) < 2


def test_splicing_one_message(tmp_path: Path):
    pipeline = an_installation(tmp_path)
    artifact = pipeline.approval.compile("2026-12", newsletter=None).artifacts[0]
    size = len(render(artifact.message, SAMPLE))
    start = time.perf_counter()
    for _ in range(2_000):
        render(artifact.message, SAMPLE)
    each = (time.perf_counter() - start) / 2_000
    print(f"\nsplice: {each * 1e6:.1f} µs for a message of {size / 1000:.0f} kB")
    assert each < 0.001


def test_dispatching_into_smtp_sink(tmp_path: Path):
    with smtp_sink() as port:
        pipeline = an_installation(tmp_path, port)
        people = tmp_path / "people.csv"
        rows = (f"p{number}@town{number % 50}.example,Ana,{'en' if number % 2 else 'fr'}" for number in range(PEOPLE))
        people.write_text("email,first_name,language\n" + "\n".join(rows) + "\n")
        pipeline.people.lists.create("all")
        pipeline.people.import_file(people, list_name="all")
        pipeline.people.segments.create("everybody", 'list = "all"')
        pipeline.approval.approve("2026-12", newsletter=None)
        pipeline.sending.queue("2026-12", newsletter=None, segment="everybody", at=None, zone=None)
        start = time.perf_counter()
        pipeline.sending.start_due(dt.datetime.now(dt.UTC))
        planned = time.perf_counter() - start
        with dispatcher_lock(pipeline.parts.engine):
            dispatcher = build_dispatcher(pipeline)
            start, cpu = time.perf_counter(), time.process_time()
            asyncio.run(dispatcher.run(until_done=True))
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"\nplan: {PEOPLE} deliveries in {planned * 1000:.0f} ms"
        f"\ndispatch: {PEOPLE / wall:.0f} messages/s, {cpu / PEOPLE * 1e6:.0f} µs of CPU each, 10 connections, ledger on"
    )
    assert dispatcher.progress.accepted == PEOPLE
