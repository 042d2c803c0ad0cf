"""
What every answer says about itself: the headers that keep a page from being framed, sniffed, cached or followed.

Takes whether a request came by https; yields header fields, and an ASGI layer that adds those which an answer does not
have yet. Pages of our own load nothing but their style sheet and pictures, and run no script; what needs another policy
brings it along, as editions and pictures in the archive do.
"""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_PAGES: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy (CSP level 3) of what we write ourselves."""

HSTS: Final = "max-age=31536000"
"""A year (RFC 6797); other hosts of the domain are not ours to speak for."""


def headers_for(*, is_secure: bool) -> Mapping[str, str]:
    """The fields of an answer that says nothing else."""
    fields = {
        "Content-Security-Policy": OWN_PAGES,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return fields | {"Strict-Transport-Security": HSTS} if is_secure else fields


class SecurityHeaders:
    """Adds the fields of `headers_for` to answers that do not have them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and complete its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fields = headers_for(is_secure=scope["scheme"] == "https")

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in fields.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, add)
