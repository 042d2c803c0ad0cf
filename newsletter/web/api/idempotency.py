"""
Requests that may be sent twice: with an `Idempotency-Key` they are done once, and answered alike.

Takes every POST, PUT, PATCH and DELETE of the API with that field (draft-ietf-httpapi-idempotency-key-header); the
first is done and its answer kept for a day, the others get that answer. The same key with another request is refused
(422), one whose first request is still being done, too (409). An answer that says that nobody could be served (401,
403, 429, 5xx) is not kept.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.accounts.replies import Reply
from newsletter.bootstrap import Pipeline
from newsletter.web.api.problems import problem

LONGEST: Final = 255
"""Characters of a key."""

MOST_OCTETS: Final = 1_000_000
"""Of an answer that is kept; what changes something answers in a few hundred."""

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOT_KEPT: Final = frozenset({401, 403, 429})
_SERVERS_OWN: Final = 500


@dataclass(slots=True)
class _Answer:
    """An answer on its way out, as it goes by."""

    status: int = 0
    media_type: str = ""
    parts: list[bytes] = field(default_factory=list)

    def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.media_type = Headers(raw=message["headers"]).get("content-type", "")
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


class Idempotency:
    """Answers a request that comes again as it was answered before."""

    def __init__(self, app: ASGIApp, *, pipeline: Pipeline) -> None:
        self._app = app
        self._pipeline = pipeline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless it was done before."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        key = headers.get("idempotency-key")
        if key is None or scope["method"] not in _CHANGING or "authorization" not in headers:
            await self._app(scope, receive, send)
        elif not key.strip() or len(key) > LONGEST or not key.isprintable():
            detail = f"An Idempotency-Key has 1 to {LONGEST} printable characters."
            await problem(422, "invalid", detail)(scope, receive, send)
        else:
            await self._once(scope, receive, send, key=key)

    async def _once(self, scope: Scope, receive: Receive, send: Send, *, key: str) -> None:
        message = await receive()  # the layers before have read the whole body
        caller = hashlib.sha256(Headers(scope=scope)["authorization"].encode()).hexdigest()
        asked = [scope["method"].encode(), scope["path"].encode(), scope["query_string"], message.get("body", b"")]
        fingerprint = hashlib.sha256(b"\0".join(asked)).hexdigest()
        programs = self._pipeline.programs
        known = await run_in_threadpool(programs.claim, caller=caller, key=key, fingerprint=fingerprint)
        if known is not None:
            await _again(known, fingerprint)(scope, receive, send)
            return
        answer = _Answer()

        async def replay() -> Message:
            nonlocal message
            given, message = message, {"type": "http.disconnect"}
            return given

        async def watch(out: Message) -> None:
            answer.note(out)
            await send(out)

        try:
            await self._app(scope, replay, watch)
        finally:
            if _is_kept(answer):
                kept = Reply(
                    fingerprint=fingerprint, status=answer.status, media_type=answer.media_type, body=answer.body
                )
                await run_in_threadpool(programs.answered, kept, caller=caller, key=key)
            else:
                await run_in_threadpool(programs.release, caller=caller, key=key)


def _again(known: Reply, fingerprint: str) -> ASGIApp:
    from starlette.responses import Response

    if known.fingerprint != fingerprint:
        return problem(422, "idempotency-key-reused", "This key was used for another request.")
    if known.status == 0:
        return problem(409, "in-progress", "The first request with this key is still being done.")
    headers = {"Idempotency-Replayed": "true"} | ({"Content-Type": known.media_type} if known.media_type else {})
    return Response(known.body, known.status, headers=headers)


def _is_kept(answer: _Answer) -> bool:
    return 0 < answer.status < _SERVERS_OWN and answer.status not in _NOT_KEPT and len(answer.body) <= MOST_OCTETS
