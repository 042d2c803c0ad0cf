"""
HEAD for every page: what GET would answer, without its body (RFC 9110 §9.3.2).

Takes HEAD requests; a route that names HEAD itself gets them as they are (who counts tells them from GET), every other
is asked by GET, and its body stays here.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOT_ALLOWED = 405


class Head:
    """Answers HEAD where only GET is known."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer HEAD; pass everything else on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        refused = False

        async def first(message: Message) -> None:
            nonlocal refused
            refused = refused or message.get("status") == _NOT_ALLOWED
            if not refused:
                await send(_bare(message))

        async def second(message: Message) -> None:
            await send(_bare(message))

        await self._app(scope, receive, first)
        if refused:
            await self._app({**scope, "method": "GET"}, receive, second)


def _bare(message: Message) -> Message:
    return {**message, "body": b""} if message["type"] == "http.response.body" else message
