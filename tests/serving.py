"""
The real application behind a port of its own, served by a thread of this process, for browsers and streams.

    with serving(create_app(pipeline)) as root: ...

    with own_port() as port, scene(folder, root=root_of(port)) as house:      # what knows its address beforehand
        with serving(create_app(house.pipeline), port): ...
"""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

PATIENCE = 20.0
"""Seconds in which a server that was told to end has ended."""


@contextlib.contextmanager
def own_port() -> Iterator[socket.socket]:
    """A port of this machine that nobody else has."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        yield port


def root_of(port: socket.socket) -> str:
    """The address of the pages that are served there."""
    return f"http://127.0.0.1:{port.getsockname()[1]}"


@contextlib.contextmanager
def serving(app: FastAPI, port: socket.socket | None = None) -> Iterator[str]:
    """Serve an application, and its streams until the end; yields the address of its pages."""
    with contextlib.ExitStack() as opened:
        listening = port or opened.enter_context(own_port())
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield root_of(listening)
        finally:
            app.state.is_ending = server.should_exit = True
            thread.join(timeout=PATIENCE)
        assert not thread.is_alive(), "the server does not end"
