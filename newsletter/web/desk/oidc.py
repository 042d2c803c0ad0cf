"""
Signing in by way of the organisation's own provider.

    GET  /desk/oidc        leads to the provider
    GET  /desk/oidc/back   whoever comes back from there

The attempt is remembered in a signed cookie of the browser that began it. Neither changes anything but that somebody
has signed in; both answer 404 where no provider is set.
"""

import json
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.logs import logger
from newsletter.pipeline.parts import Parts
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.login import page_wanted, signed_in
from newsletter.web.desk.provider import Attempt, Provider, ProviderFault, unpacked
from subscribers.errors import TokenRefused
from subscribers.tokens import sign, verify

COOKIE: Final = "desk_attempt"
"""What is remembered of an attempt."""

PATH: Final = "/desk/oidc"

PURPOSE: Final = "desk-attempt"

LASTING: Final = 600
"""Seconds that somebody may take at the provider's."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of signing in by a provider."""
    routes = APIRouter()
    parts, log = pipeline.parts, logger("desk")
    settings = parts.settings.oidc
    provider = Provider(settings, back=parts.links.provider_back(), now=parts.now)

    @routes.get(PATH)
    def begin(request: Request) -> Response:
        if not settings.is_set:
            raise HTTPException(404)
        try:
            address, attempt = provider.begin()
        except ProviderFault as fault:
            return _failed(str(fault))
        return _remembering(parts, request, RedirectResponse(address, 303), attempt)

    @routes.get(f"{PATH}/back")
    def back(request: Request) -> Response:
        if not settings.is_set:
            raise HTTPException(404)
        try:
            attempt, wanted = _remembered(parts, request)
            vouched = provider.finish(request.query_params, attempt)
        except ProviderFault as fault:
            return _failed(str(fault))
        agent = request.headers.get("user-agent", "")
        entered = pipeline.operators.login.enter_by(vouched, agent=agent, create=settings.create)
        if entered is None:
            return _failed("an operator who is not known, or may not sign in", why="unknown")
        return _forgotten(signed_in(request, desk.onward(wanted), entered.token))

    def _failed(words: str, *, why: str = "failed") -> Response:
        """Back to the form, which says what to do; the reason stands in the log."""
        log.warning("provider", refused=words)
        return _forgotten(desk.onward(f"/desk/login?provider={why}"))

    return routes


def _remembering(parts: Parts, request: Request, response: Response, attempt: Attempt) -> Response:
    ends = int(parts.now().timestamp()) + LASTING
    response.set_cookie(
        COOKIE,
        sign(parts.keys, PURPOSE, json.dumps([attempt.packed(), ends, page_wanted(request)])),
        max_age=LASTING,
        path=PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # the way back begins at another site
    )
    return response


def _remembered(parts: Parts, request: Request) -> tuple[Attempt, str]:
    """The attempt of a browser, and the page that it wanted; raises ProviderFault where it has none that lasts."""
    try:
        packed, ends, wanted = json.loads(verify(parts.keys, PURPOSE, request.cookies.get(COOKIE, "")))
    except TokenRefused as error:
        raise ProviderFault("this browser began no attempt") from error
    if ends <= parts.now().timestamp():
        raise ProviderFault("the attempt took too long")
    return unpacked(packed), wanted


def _forgotten(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")
    return response
