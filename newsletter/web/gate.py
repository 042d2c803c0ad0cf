"""
Which requests come in: those for our own host, with an address that can be one of ours.

Takes the headers and the address of a request; lets it pass, or answers with an error. Absolute addresses are made from
the configured root alone, so a foreign Host gains nothing; it is refused all the same, for caches in front of us.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.web.errors import ErrorPages

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Hosts that are always accepted: the machine itself, and the reverse proxy on it."""

PROBES: Final = frozenset({"/health", "/ready", "/metrics"})
"""Asked by what watches over us, under whatever name it knows us by."""

MOST_HEADERS: Final = 16_384
"""Octets of all headers together; a browser sends some hundred."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPED_CONTROL: Final = re.compile(rb"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_PORT: Final = re.compile(r":\d{1,5}$")


def hosts_of(root: str) -> frozenset[str]:
    """The hosts that a public root such as https://news.example is reached under."""
    host = urlsplit(root).hostname or ""
    name = f"[{host}]" if ":" in host else host
    return LOOPBACK | {name, _as_sent(name)}


def _as_sent(name: str) -> str:
    """A name as browsers write it into the Host field (IDNA, RFC 5890)."""
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


class Gate:
    """
    Refuses requests for other hosts (421, RFC 9110 §15.5.20) and with too large headers (431, RFC 6585 §5).

    An address with control characters is not found: no link of ours has one, and no database takes them.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], errors: ErrorPages) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it may come in."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await self._errors.page(Request(scope), refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> int | None:
        """The status of the answer to a request that may not come in."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADERS:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if not self._is_ours(scope):
            return HTTPStatus.MISDIRECTED_REQUEST
        if _CONTROL.search(scope["path"]) or _ESCAPED_CONTROL.search(scope["query_string"]):
            return HTTPStatus.NOT_FOUND
        return None

    def _is_ours(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "").lower()
        return scope["path"] in PROBES or _PORT.sub("", host) in self._hosts
