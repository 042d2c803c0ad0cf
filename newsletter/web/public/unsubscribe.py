"""
Leaving by a link: the page behind it, its button, the undo, and one click as RFC 8058 has it.

Looking (GET, HEAD) changes nothing: programs that check mail for harm follow its links. A POST that says
`List-Unsubscribe=One-Click` leaves and is answered in plain text, whoever it is from, as often as it comes, and for
people who are gone. The page's own button says `leave`. No answer here is a redirect (RFC 8058 §3.1), sets a cookie, or
asks where the request came from: the token in the path is all there is to prove, and one that is not ours is not found.

Names in `unsubscribe.html.j2`
    farewell                `own.Farewell`: what the link is about

Names in `left.html.j2`
    left                    `own.Left`; `left.undo` is the token that takes it back, or ""

Names in `restored.html.j2`
    restored                `own.Restored`, or None where the day is over or the person has been erased
"""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.offering import NewsletterOffer
from newsletter.web.form import Posted
from newsletter.web.page import Pages, language_of
from newsletter.web.public.forms import origin_of
from newsletter.web.public.imprint import Imprints

ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
"""The only pair of the body (RFC 8058 §3.1)."""


def router(pipeline: Pipeline) -> APIRouter:
    """The routes under `/u/`."""
    routes, pages, own = APIRouter(), Pages(pipeline.parts.links), pipeline.own
    imprints = Imprints(pipeline)

    @routes.get("/u/{token}")
    def look(request: Request, token: str) -> HTMLResponse:
        return _page(request, token)

    @routes.post("/u/{token}")
    def leave(request: Request, token: str, form: Posted) -> Response:
        name, value = ONE_CLICK
        one_click = value in form.all(name)
        if not one_click and "leave" not in form:
            return _page(request, token)
        left = own.leave(token, one_click=one_click, origin=origin_of(request))
        if one_click:
            return PlainTextResponse("unsubscribed\n")
        language = language_of(request, person=left.language)
        return _show(request, "left.html.j2", language=language, newsletter=left.newsletter, left=left)

    @routes.post("/u/{token}/undo")
    def undo(request: Request, token: str) -> HTMLResponse:
        restored = own.undo(token, origin=origin_of(request))
        language = language_of(request, person=restored.language if restored else None)
        newsletter = restored.newsletter if restored else None
        return _show(request, "restored.html.j2", language=language, newsletter=newsletter, restored=restored)

    def _page(request: Request, token: str) -> HTMLResponse:
        language = language_of(request)
        farewell = own.farewell(token, language=language)
        if (theirs := language_of(request, person=farewell.language)) != language:
            language, farewell = theirs, own.farewell(token, language=theirs)
        return _show(
            request, "unsubscribe.html.j2", language=language, newsletter=farewell.newsletter, farewell=farewell
        )

    def _show(
        request: Request, template: str, *, language: str, newsletter: NewsletterOffer | None, **names: Any
    ) -> HTMLResponse:
        imprint = imprints.of(newsletter.slug, language=language) if newsletter else imprints.only(language=language)
        site = imprint.name.text if imprint else newsletter.name if newsletter else ""
        return pages.show(request, template, language=language, site=site, imprint=imprint, **names)

    return routes
