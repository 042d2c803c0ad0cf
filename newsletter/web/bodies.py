"""
Bodies of requests: read whole before anybody looks at them, and no larger or slower than a form can be.

Takes a request; hands it on with its body in one piece, or answers 413 (too large) or 408 (too slow). So a handler
never waits for a peer, and what it is given is complete.
"""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.errors import ErrorPages

MOST_OCTETS: Final = 1_000_000
"""Of a body: forms have hundreds, providers' events some ten thousands."""

PATIENCE_SECONDS: Final = 20.0
"""For the whole of a body: a megabyte over a poor line."""


class _TooLargeError(Exception):
    """The body is larger than it may be."""


class Bodies:
    """Reads bodies within limits."""

    def __init__(self, app: ASGIApp, *, errors: ErrorPages, patience: float = PATIENCE_SECONDS) -> None:
        self._app = app
        self._errors = errors
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its whole body, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._patience):
                body = await _whole(scope, receive)
        except _TooLargeError:
            await self._refuse(413, scope, receive, send)
        except TimeoutError:
            await self._refuse(408, scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replay(body, receive), send)

    async def _refuse(self, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        # What is left of the body is not read, so the connection cannot be used again.
        page = self._errors.page(Request(scope), status, {"Connection": "close"})
        await page(scope, receive, send)


async def _whole(scope: Scope, receive: Receive) -> bytes | None:
    """The body of a request, or None where its sender is gone."""
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdecimal() and (len(announced) > len(str(MOST_OCTETS)) or int(announced) > MOST_OCTETS):
        raise _TooLargeError
    parts, octets = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        octets += len(parts[-1])
        if octets > MOST_OCTETS:
            raise _TooLargeError
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
