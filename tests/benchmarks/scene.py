"""
What every sender of the benchmarks gets: a sink, a slow line, one message of some 45 kB, and people to send it to.

The message is an English edition of the bundled sample with fewer entries; ours is sent from a database in which
everything is planned, the others get the same HTML and text with their own placeholders.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conftest import need
from ruamel.yaml import YAML

from newsletter.bootstrap import Pipeline, build
from newsletter.cli.pictures import draw_pictures
from newsletter.compilation.artifact import SAMPLE, Artifact
from newsletter.compilation.message import render
from newsletter.database import migrate
from newsletter.paths import sample
from newsletter.settings import load

OCTETS = range(42_000, 48_000)
"""The size of a message that the notes on performance measure with."""

ISSUE = "2026-12"
SLOW_LINE = Path(__file__).with_name("slow_line.py")


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's sink on a free port of loopback; it speaks SMTP and throws the mail away."""
    program = need("smtp-sink", "apt-get install postfix")
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    with _ended(subprocess.Popen([program, *user, f"127.0.0.1:{port}", "1000"])):
        _await(port)
        yield port


@contextlib.contextmanager
def slow_line(port: int, *, round_trip: float) -> Iterator[int]:
    """A port that leads to another one, `round_trip` seconds there and back."""
    own = free_port()
    with _ended(subprocess.Popen([sys.executable, str(SLOW_LINE), str(own), str(port), str(round_trip / 2)])):
        _await(own)
        yield own


@contextlib.contextmanager
def tls_front(port: int, certificate: Path) -> Iterator[int]:
    """A port that speaks TLS and leads to another one; the certificate and its key are files `.pem` and `.key`."""
    program = need("stunnel", "apt-get install stunnel4")
    own = free_port()
    lines = ["foreground = yes", "pid =", "debug = 3", "[front]", f"accept = 127.0.0.1:{own}"]
    lines += [f"connect = 127.0.0.1:{port}", f"cert = {certificate}.pem", f"key = {certificate}.key"]
    configuration = certificate.with_suffix(".conf")
    configuration.write_text("\n".join(lines) + "\n")
    with _ended(subprocess.Popen([program, str(configuration)], stderr=subprocess.DEVNULL)):
        _await(own)
        yield own


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise TimeoutError(f"nothing listens on port {port}")


def settings_for(database: str, port: int, **smtp: Any) -> Any:
    """Settings of an installation that sends to a port of loopback in clear."""
    return load(
        database={"url": database},
        smtp={"host": "127.0.0.1", "port": port, "tls": "none", **smtp},
        public_url="https://news.example",
    )


def an_installation(
    folder: Path, database: str, *, people: int, queued: bool = True, start: bool = True
) -> tuple[Pipeline, Artifact]:
    """
    An installation whose issue is planned for so many people in English, and the artifact that they get.

    Without `start` the run is queued and nobody is planned yet; without `queued` the issue is only approved.
    """
    pipeline = build(settings_for(database, 25), operator="bench", migrated=False)
    migrate(pipeline.parts.engine)
    artifact = _written(pipeline, folder / "content")
    readers = folder / "people.csv"
    rows = (f"p{number}@town{number % 50}.example,Ana,en" for number in range(people))
    readers.write_text("email,first_name,language\n" + "\n".join(rows) + "\n")
    pipeline.people.lists.create("all")
    pipeline.people.import_file(readers, list_name="all")
    pipeline.people.segments.create("everybody", 'list = "all"')
    pipeline.approval.approve(ISSUE, newsletter=None)
    if queued:
        queue(pipeline, start=start)
    return pipeline, artifact


def queue(pipeline: Pipeline, *, start: bool = True) -> None:
    """Queue the issue for everybody; with `start` the run is planned and started as well."""
    pipeline.sending.queue(ISSUE, newsletter=None, segment="everybody", at=None, zone=None)
    if start:
        pipeline.sending.start_due(pipeline.parts.now())


def _written(pipeline: Pipeline, folder: Path) -> Artifact:
    """Store the sample with as many entries as make a message of the size."""
    draw_pictures(folder / "images")
    pack = YAML(typ="safe").load((sample() / "pack.yaml").read_text("utf-8"))
    entries = pack["entries"]
    for kept in range(len(entries), 0, -1):
        drafts = [{**entry, "status": "draft"} for entry in entries[kept:]]
        artifact = _compiled(pipeline, folder / "pack.yaml", {**pack, "entries": entries[:kept] + drafts})
        if artifact.size < OCTETS.stop:
            break
    assert artifact.size in OCTETS, artifact.size
    return artifact


def _compiled(pipeline: Pipeline, path: Path, pack: dict[str, Any]) -> Artifact:
    path.write_text(json.dumps(pack, ensure_ascii=False, default=str), encoding="utf-8")
    pipeline.entries.import_pack(path)
    pipeline.editorial.assemble(ISSUE, newsletter=None)
    built = pipeline.approval.compile(ISSUE, newsletter=None)
    return next(artifact for artifact in built.artifacts if artifact.language == "en")


def templates_for_others(artifact: Artifact, folder: Path) -> int:
    """Write the same message as templates with double braces (Jinja2, Handlebars); returns its octets as we send it."""
    values = {slot.name: "{{ " + slot.name + " }}" for slot in artifact.slots}
    reader = {**SAMPLE.by_name(), **values}
    (folder / "message.html").write_text(artifact._tokens.fill(artifact.html, reader), encoding="utf-8")
    (folder / "message.txt").write_text(artifact._tokens.fill(artifact.text, reader), encoding="utf-8")
    return len(render(artifact.message, SAMPLE))
