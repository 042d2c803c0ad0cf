"""A visitor of the pages: asks the real application, in this process, as a browser or a program would over a network."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

ROOT = "https://news.example"
"""The public address of the installations that visitors come to."""

ADDRESS = "203.0.113.7"


class Visitor:
    """Keeps no cookies and follows no redirects by itself; errors of the application are answers, as in life."""

    def __init__(self, app: Any, *, root: str = ROOT, address: str = ADDRESS) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 49152))
        self._client = httpx.AsyncClient(transport=transport, base_url=root)

    def ask(self, method: str, address: str, **given: Any) -> httpx.Response:
        """Send one request; `given` is what httpx takes: headers, data, files, content."""
        self._client.cookies.clear()
        return self._runner.run(self._client.request(method, address, **given))

    def get(self, address: str, **given: Any) -> httpx.Response:
        return self.ask("GET", address, **given)

    def head(self, address: str, **given: Any) -> httpx.Response:
        return self.ask("HEAD", address, **given)

    def post(self, address: str, **given: Any) -> httpx.Response:
        return self.ask("POST", address, **given)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@contextlib.contextmanager
def visiting(app: Any, **given: Any) -> Iterator[Visitor]:
    """A visitor for the length of a test."""
    visitor = Visitor(app, **given)
    try:
        yield visitor
    finally:
        visitor.close()
