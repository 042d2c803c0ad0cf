"""
Confirming: the page behind the link of a confirmation mail, for lists and for a new address.

Looking changes nothing, since programs that check mail for harm follow its links; only the button confirms. It leads
back to the same address, which then says what has been confirmed, as often as it is opened.

    GET   /c/{token}    what is to be confirmed, or that it was, or that the link is too old
    POST  /c/{token}    confirms
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.signup import Invitation, InvitationState
from newsletter.web.page import Pages, language_of
from newsletter.web.public.forms import onward, origin_of
from newsletter.web.public.imprint import Imprints
from subscribers.errors import SubscriberExists

TEMPLATES = {
    InvitationState.OPEN: "confirm.html.j2",
    InvitationState.CONFIRMED: "confirmed.html.j2",
    InvitationState.EXPIRED: "lapsed.html.j2",
}
"""What a link shows in each state."""


def router(pipeline: Pipeline) -> APIRouter:
    """The routes under `/c/`."""
    routes, signup = APIRouter(), pipeline.signup
    pages, imprints = Pages(pipeline.parts.links), Imprints(pipeline)

    @routes.get("/c/{token}")
    def look(request: Request, token: str) -> Response:
        invitation = signup.look(token)
        return _show(request, TEMPLATES[invitation.state], invitation) if invitation else _gone(request)

    @routes.post("/c/{token}")
    def confirm(request: Request, token: str) -> Response:
        try:
            confirmed = signup.confirm(token, origin=origin_of(request))
        except SubscriberExists:
            invitation = signup.look(token)
            return _show(request, "taken.html.j2", invitation, status=409) if invitation else _gone(request)
        return onward(request, token) if confirmed else _gone(request)

    def _show(request: Request, template: str, invitation: Invitation, *, status: int = 200) -> Response:
        language = language_of(request, person=invitation.language)
        imprint = imprints.of(invitation.newsletter.slug, language=language)
        site = imprint.name.text if imprint else invitation.newsletter.name
        return pages.show(
            request, template, language=language, status=status, site=site, imprint=imprint, invitation=invitation
        )

    def _gone(request: Request) -> Response:
        language = language_of(request)
        imprint = imprints.only(language=language)
        return pages.show(request, "gone.html.j2", language=language, status=410, imprint=imprint, is_erased=False)

    return routes
