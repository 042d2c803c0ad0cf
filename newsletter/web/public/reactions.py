"""
Counted links and dots: `/r/TOKEN.NUMBER` leads on, `/o/TOKEN.gif` is a picture of one dot.

Where a link leads is taken from the issue that it stands in, never from the address that was asked for. Asking for
either changes nothing but a count, which follows the answer; there is no cookie, nothing is kept by anybody on the way,
and the page that is led to does not learn from where.
"""

import base64
import hashlib
import secrets
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from newsletter.bootstrap import Pipeline
from newsletter.feedback.clicks.machines import Asked

DOT: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF of one transparent dot."""

QUIET: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


def router(pipeline: Pipeline) -> APIRouter:
    """What leads on and what counts."""
    engagement = pipeline.engagement
    # Known to this process alone and gone with it: who asked can be told apart for some seconds, and never be found.
    salt = secrets.token_bytes(32)
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/r/{text}", methods=["GET", "HEAD"])
    def follow(text: str, request: Request) -> Response:
        followed = engagement.link(text)
        if followed is None:
            raise HTTPException(404)
        count = BackgroundTask(engagement.count, followed, _asked(request, pipeline, salt))
        return RedirectResponse(followed.url, status_code=302, headers=QUIET, background=count)

    @routes.api_route("/o/{text}.gif", methods=["GET", "HEAD"])
    def look(text: str, request: Request) -> Response:
        # Whoever makes up a token sees the same dot.
        followed = engagement.dot(text)
        count = BackgroundTask(engagement.count, followed, _asked(request, pipeline, salt)) if followed else None
        return Response(DOT, media_type="image/gif", headers=QUIET, background=count)

    return routes


def _asked(request: Request, pipeline: Pipeline, salt: bytes) -> Asked:
    agent = request.headers.get("user-agent", "")
    host = request.client.host if request.client else ""
    purposes = (request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz"))
    return Asked(
        at=pipeline.parts.now(),
        agent=agent,
        for_head=request.method == "HEAD",
        ahead=any("prefetch" in purpose.lower() for purpose in purposes),
        who=hashlib.blake2b(f"{host}\0{agent}".encode("utf-8", "replace"), key=salt, digest_size=16).hexdigest(),
    )
