"""
The archive: issues that were sent, their calendar files, the feeds, the pictures, and the files of our own pages.

The bytes are those of the static export, at the same addresses; nothing here knows a reader. A folder's page links
relatively, so its address ends in a slash, and the one without leads there. Answers can be kept by browsers and caches,
and are asked for again by their validators (RFC 9110 §13).
"""

from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.archive import Published, page_at
from newsletter.web.static_files import StaticFile, static_file

PAGES: Final = "public, max-age=300"
"""Readers see a correction five minutes later."""

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""A picture's name is the digest of its bytes (RFC 8246)."""

SOON: Final = "public, max-age=3600"
"""Of a style sheet that is asked for without its version: the next one of the program may have another."""

CHECKED: Final = "no-cache"
"""Of a script that others import by its bare name: asked for again each time, by its validators."""

EDITIONS: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {media}https:; script-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""
Content-Security-Policy of an edition: it is the mail's own HTML, so its styles stand in it and its pictures may live
elsewhere (`media` is the root of those that another server of ours has); the one script it names is ours.
"""

INERT: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Of a picture that somebody opens as a page."""


def router(pipeline: Pipeline) -> APIRouter:
    """The routes of what is public."""
    routes, archive, media = APIRouter(), pipeline.archive, pipeline.parts.links.media or ""
    editions = EDITIONS.format(media=f"{media} " if media.startswith("http:") else "")

    @routes.get("/archive/{path:path}")
    def file(request: Request, path: str) -> Response:
        name = path.removesuffix("/")
        if path == name and (found := archive.file(f"archive/{path}")):
            return _answer(request, found, cache=PAGES, policy=editions)
        page = None if name.endswith("/") else archive.file(page_at(f"archive/{name}"))
        return _to_folder(name) if page and path == name else _answer(request, page, cache=PAGES, policy=editions)

    @routes.get("/media/{name}")
    def picture(request: Request, name: str) -> Response:
        return _answer(request, archive.picture(name), cache=FOR_EVER, policy=INERT)

    @routes.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        found = static_file(name)
        wants_version = found is not None and request.query_params.get("v") == found.version
        cache = FOR_EVER if wants_version else CHECKED if name.startswith("desk") else SOON
        return _answer(request, found, cache=cache, policy=INERT)

    return routes


def _to_folder(name: str) -> Response:
    """Lead to the address with a slash, relatively: a reverse proxy may have put a path before ours."""
    return RedirectResponse(f"{name.rpartition('/')[2]}/", 301, headers={"Cache-Control": PAGES})


def _answer(request: Request, found: Published | StaticFile | None, *, cache: str, policy: str) -> Response:
    if found is None:
        raise HTTPException(404)
    headers = {
        "ETag": found.etag,
        "Last-Modified": format_datetime(found.modified, usegmt=True),
        "Cache-Control": cache,
        "Content-Security-Policy": policy,
    }
    if _has_it(request, found):
        return Response(status_code=304, headers=headers)
    if isinstance(found, StaticFile):
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(found.compressed, media_type=found.media_type, headers=headers)
    return Response(found.data, media_type=found.media_type, headers=headers)


def _has_it(request: Request, found: Published | StaticFile) -> bool:
    """Whether the asker has these bytes: by the tag if they know one, else by the time (RFC 9110 §13.2.2)."""
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return "*" in tags or found.etag in tags
    try:
        return found.modified <= parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (ValueError, TypeError):  # none, or none that can be read; or one without a zone
        return False
