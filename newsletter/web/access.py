"""
The log of requests, and what becomes of an error that nobody expected.

Takes every request; writes one event each: the route (never the address, which may bear a token), the status, how long
it took, the network of its sender. What else is logged while a request is answered bears the same `request`: a random
name, which an answer of 5xx tells as `X-Request-Id`. An unexpected error becomes a page without details, and an event
that says where in the code it was; its message stays out, for messages of databases repeat the values they were given.
"""

import time
import traceback
from http import HTTPStatus
from pathlib import PurePath
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.logs import logger, new_name, within
from newsletter.web.errors import ErrorPages
from newsletter.web.metrics import Requests
from newsletter.web.rates import network_of

UNAVAILABLE: Final = (OperationalError, InterfaceError, NoConnection)
"""A database that is locked, full or away: it comes back."""

RETRY_SECONDS: Final = "30"

REQUEST_ID: Final = "X-Request-Id"
"""
The field that tells the name of a request that failed, for whoever reports it; all others are answered alike, as caches
want it. One that comes in is never believed.
"""

_FRAMES: Final = 6
"""Of a traceback: where it happened and how it came there."""


class AccessLog:
    """Logs requests, and answers for errors."""

    def __init__(self, app: ASGIApp, *, errors: ErrorPages, requests: Requests) -> None:
        self._app = app
        self._errors = errors
        self._requests = requests
        self._log = logger("web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, media_type = time.perf_counter(), 0, ""

        async def watch(message: Message) -> None:
            nonlocal status, media_type
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                status, media_type = message["status"], headers.get("content-type", "")
                if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    headers[REQUEST_ID] = name
            await send(message)

        name = new_name()
        with within(request=name):
            try:
                await self._app(scope, receive, watch)
            except Exception as error:
                self._tell(error)
                if status:  # half an answer is out: only a broken connection can say that it is not whole
                    raise
                await self._answer(error, scope, receive, watch)
            finally:
                seconds = time.perf_counter() - began
                self._requests.answered(scope, status=status, seconds=seconds, media_type=media_type)
                self._log.info(
                    "request",
                    method=scope["method"],
                    route=route_of(scope),
                    status=status,
                    ms=round(seconds * 1000, 1),
                    network=network_of(scope),
                )

    async def _answer(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if isinstance(error, UNAVAILABLE):
            page = self._errors.page(request, 503, {"Retry-After": RETRY_SECONDS})
        else:
            page = self._errors.page(request, 500)
        await page(scope, receive, send)

    def _tell(self, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        self._log.error(
            "request failed",
            error=type(error).__qualname__,
            at=[f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        )


def route_of(scope: Scope) -> str:
    """The pattern of the route that a request was for, such as /u/{token}; "" where there is none."""
    return str(getattr(scope.get("route"), "path", ""))
