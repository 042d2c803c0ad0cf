"""A run is told second by second over a real server, and the server can end in the middle of it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from integration.desk import LOCALHOST, desk_client
from integration.sent_scene import ISSUE, NEWSLETTER, READERS, copied, tried

from newsletter.bootstrap import Pipeline
from newsletter.dispatch.outcome import Verdict
from newsletter.web.app import create_app

EVENTS = f"/desk/n/{NEWSLETTER}/issues/{ISSUE}/run/events"


@pytest.fixture
def pipeline(approved: Path, tmp_path: Path) -> Iterator[Pipeline]:
    """An issue that is going out."""
    made = copied(approved, tmp_path / "copy")
    made.sending.queue(ISSUE, newsletter=NEWSLETTER, segment="all", at=None, zone=None)
    made.sending.start_due()
    yield made
    made.parts.engine.dispose()


class Server(uvicorn.Server):
    """Ends what never would, as `newsletter web` does."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.is_ending = True  # type: ignore[union-attr]  it is a FastAPI
        await super().shutdown(sockets)


@contextlib.contextmanager
def streaming(pipeline: Pipeline) -> Iterator[tuple[Iterator[str], Server]]:
    """The lines of a run's events, over a connection to a server of its own."""
    app = create_app(pipeline)
    officer = desk_client(pipeline, app=app)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=20)
        server = Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        root = f"http://127.0.0.1:{listening.getsockname()[1]}"
        cookie = {"cookie": f"desk={officer.web.cookies['desk']}", "host": LOCALHOST.removeprefix("http://")}
        with httpx.Client(base_url=root, headers=cookie, timeout=20) as client, client.stream("GET", EVENTS) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["x-accel-buffering"] == "no"
            yield stream.iter_lines(), server
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


def until(lines: Iterator[str], words: str) -> str:
    """Read on to the line that has these words."""
    return next(line for line in lines if words in line)


def test_events_tell_figures_turns_and_the_end(pipeline: Pipeline):
    with streaming(pipeline) as (lines, _):
        assert next(lines).startswith("retry:")
        until(lines, "0 of 6 messages have ended, 0 accepted.")
        until(lines, "data: 1/sending/running")
        for number, address in enumerate(READERS):
            tried(pipeline, address, Verdict.ACCEPTED)
            if not number:
                until(lines, "1 of 6 messages have ended, 1 accepted.")
        until(lines, "6 of 6 messages have ended, 6 accepted.")
        pipeline.control.cancel(ISSUE, newsletter=NEWSLETTER)
        until(lines, "data: 1/cancelled/cancelled")
        until(lines, "event: over")
        assert next(line for line in lines if line).startswith("data:")
        assert [line for line in lines if line] == []


def test_a_server_that_is_asked_to_stop_ends_its_streams(pipeline: Pipeline):
    with streaming(pipeline) as (lines, server):
        until(lines, "0 of 6 messages")
        server.should_exit = True
        assert not [line for line in lines if line.startswith("event: over")]
