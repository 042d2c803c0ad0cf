"""
Editions in a frame: the HTML of the message as it is sent, in a sandbox.

    GET  /desk/n/{newsletter}/issues/{slug}/editions/{edition}/html     the page
    GET  /desk/n/{newsletter}/issues/{slug}/editions/{edition}/text     the text part
    GET  /desk/n/{newsletter}/issues/{slug}/editions/{edition}/source   the whole message, as a file

Without a query the page is the HTML part octet for octet. `as` fills the slots for a subscriber (officers only);
`scheme` (light, dark) and `mark` (a place) show a copy that was changed to that end; `pictures=all` loads pictures from
other sites too.
"""

from typing import Final, cast

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.operator import Role
from newsletter.assembly.edition import Edition
from newsletter.bootstrap import Pipeline
from newsletter.compilation.preview import Opened, Scheme, in_scheme, marked
from newsletter.links import Links
from newsletter.preflight.passages import passage_at
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Seat, Viewer

FRAMED: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'{pictures}; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
"""
Content-Security-Policy of a framed edition: as in the archive, but that nothing runs, and that it stands in our own
pages only. Its links lead nowhere, for a sandbox opens no window.
"""

SCHEMES: Final = ("light", "dark")
"""What a device may prefer."""


def policy(links: Links, *, everywhere: bool) -> str:
    """The policy of a framed edition: pictures from our own roots, with `everywhere` from any site."""
    roots = "".join(f" {root}" for root in dict.fromkeys(filter(None, (links.root, links.media))))
    return FRAMED.format(pictures=roots + (" https:" if everywhere else ""))


def page_of(message: Opened, edition: Edition, *, scheme: str = "", mark: str = "") -> bytes:
    """The HTML of a message; a copy for looking at where a scheme is asked for, or a place to be marked."""
    passage = passage_at(edition, mark) if mark else None
    if scheme not in SCHEMES and passage is None:
        return message.html
    page = message.html.decode()
    if scheme in SCHEMES:
        page = in_scheme(page, cast("Scheme", scheme))
    return (marked(page, passage.words) if passage else page).encode()


def framed(data: bytes, links: Links, *, everywhere: bool) -> Response:
    """The answer with a framed edition."""
    headers = {"Content-Security-Policy": policy(links, everywhere=everywhere), "X-Robots-Tag": "noindex"}
    return Response(data, media_type="text/html; charset=utf-8", headers=headers)


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes `…/editions/{edition}/…`."""
    del desk
    routes, looking = APIRouter(), pipeline.previewing
    root = "/desk/n/{newsletter}/issues/{slug}/editions/{edition}"

    @routes.get(f"{root}/html")
    def html(request: Request, newsletter: str, slug: str, edition: str, seat: Viewer) -> Response:
        asked = request.query_params
        look = looking.look(slug, newsletter=newsletter)
        artifact = look.artifact(edition)
        message = looking.message(artifact, reader=_reader(request, seat))
        data = page_of(message, look.edition(edition), scheme=asked.get("scheme", ""), mark=asked.get("mark", ""))
        return framed(data, pipeline.parts.links, everywhere=asked.get("pictures") == "all")

    @routes.get(f"{root}/text")
    def text(request: Request, newsletter: str, slug: str, edition: str, seat: Viewer) -> Response:
        artifact = looking.look(slug, newsletter=newsletter).artifact(edition)
        message = looking.message(artifact, reader=_reader(request, seat))
        return Response(message.text, media_type="text/plain; charset=utf-8")

    @routes.get(f"{root}/source")
    def source(request: Request, newsletter: str, slug: str, edition: str, seat: Viewer) -> Response:
        artifact = looking.look(slug, newsletter=newsletter).artifact(edition)
        message = looking.message(artifact, reader=_reader(request, seat))
        headers = {"Content-Disposition": f'attachment; filename="{slug}.{artifact.name}.eml"'}
        return Response(message.source, media_type="message/rfc822", headers=headers)

    return routes


def _reader(request: Request, seat: Seat) -> str | None:
    """The subscriber through whose eyes it is looked at; viewers do not see who subscribes."""
    uid = request.query_params.get("as") or None
    if uid and not seat.may(Role.OFFICER):
        raise HTTPException(403)
    return uid
