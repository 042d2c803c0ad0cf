"""
The web process: the pages for readers, served by uvicorn.

Ends as the other processes do: asked to stop it answers what it was asked already; when its supervisor is gone, too.
Behind a reverse proxy it believes what the listed ones say about the reader's address and https, and nobody else.
"""

import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import typer

from newsletter.cli.groups import group
from newsletter.cli.processes import HOST, PORT
from newsletter.cli.state import STATE
from newsletter.cli.supervisor import on_orphaned

if TYPE_CHECKING:
    import uvicorn

    from newsletter.bootstrap import Pipeline

DRAIN_SECONDS: Final = 20
"""How long an answer may still take when the process is to end; the supervisor waits for 30."""

MOST_CONNECTIONS: Final = 500
"""Further ones are answered 503 at once: threads and database are shared by all."""

LOOPBACK: Final = ("127.0.0.1", "::1")
"""Proxies that are believed where none are listed: those on this machine."""

app = group()


@app.command()
def web(host: str = HOST, port: int = PORT) -> None:
    """Serve the desk and the public pages: sign-up, preferences, the archive. `newsletter run` does that too."""
    STATE.log()
    pipeline = STATE.pipeline()
    listening = _listening(host, port)
    server = _server(pipeline)
    on_orphaned(lambda: setattr(server, "should_exit", True))
    with server.capture_signals():  # from before it is said that they are served: whoever reads that may end them
        typer.echo(f"the pages are served at {_address(listening)}", err=True)
        _tell_first_link(pipeline, _address(listening))
        server.run(sockets=[listening])


def _tell_first_link(pipeline: "Pipeline", address: str) -> None:
    """Where nobody can sign in yet, print the link by which the first account is made."""
    token = pipeline.operators.setup.first()
    if token is None:
        return
    link, is_public = pipeline.parts.links.setup(token), "public_url" in pipeline.parts.settings.model_fields_set
    # Without a public address of its own the desk is where it is served.
    typer.echo(f"make the first account at {link if is_public else address + urlsplit(link).path}", err=True)
    typer.echo("(the link works once, for 72 hours; the next start prints a new one)", err=True)


def _server(pipeline: "Pipeline") -> "uvicorn.Server":
    import uvicorn

    from newsletter.web.app import create_app

    class Server(uvicorn.Server):
        """Ends with exit code 0 when it is asked to stop; uvicorn's own would have the signal kill it at the end."""

        ending_at: float | None = None

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.handle_exit)
            yield

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Be ready no more; go at once when asked twice, else when those who send requests have noticed."""
            if pages.state.is_ending or not drain:
                super().handle_exit(sig, frame)
            pages.state.is_ending = True

        async def on_tick(self, counter: int) -> bool:
            """Ten times a second: go when the time to notice is over."""
            if pages.state.is_ending and not self.should_exit:
                self.ending_at = self.ending_at or time.monotonic() + drain
                self.should_exit = time.monotonic() >= self.ending_at
            return await super().on_tick(counter)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Have pages that are told something all the time (server-sent events) end first: they never would."""
            pages.state.is_ending = True
            await super().shutdown(sockets)

    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it tells of every broken form
    proxies = pipeline.parts.settings.web.proxies
    pages = create_app(pipeline)
    pages.state.is_ending, drain = False, pipeline.parts.settings.web.drain
    config = uvicorn.Config(
        pages,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # requests and errors are logged by the application, without addresses
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(LOOPBACK if proxies is None else proxies),
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return Server(config)


def _listening(host: str, port: int) -> socket.socket:
    """Listen before anything is said; raises OSError, which the root prints, where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
