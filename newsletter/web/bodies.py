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

MOST_UPLOADED: Final = 52 * 1024 * 1024
"""Of a body with files, from somebody who has a seat at the desk or a token: 50 MB and their form (DESIGN §10)."""

_UPLOADS: Final = ("/desk/", "/api/")

PATIENCE_SECONDS: Final = 20.0
"""For the whole of a body: a megabyte over a poor line."""

UPLOAD_SECONDS: Final = 180.0
"""For one with files: fifty megabytes at two megabits a second."""


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
            patience = UPLOAD_SECONDS if _most(scope) == MOST_UPLOADED else self._patience
            async with asyncio.timeout(patience):
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
    announced, most = Headers(scope=scope).get("content-length", "0"), _most(scope)
    if announced.isdecimal() and (len(announced) > len(str(most)) or int(announced) > most):
        raise _TooLargeError
    parts, octets = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        octets += len(parts[-1])
        if octets > most:
            raise _TooLargeError
        if not message.get("more_body", False):
            return b"".join(parts)


def _most(scope: Scope) -> int:
    headers = Headers(scope=scope)
    is_known = "authorization" in headers or "desk=" in headers.get("cookie", "")
    return MOST_UPLOADED if is_known and scope["path"].startswith(_UPLOADS) else MOST_OCTETS


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
