"""
The application: the routers, and the layers that every request goes through.

Takes a `Pipeline`, yields an ASGI application. From the outside in: the security headers; the log, which answers for
unexpected errors too; the gate (host and address); the body's limits; the rates of forms; HEAD; then the routes. There
is no OpenAPI page for readers' pages, and no redirect for a slash too many. The desk has a guard of its own.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import NewsletterError
from newsletter.web import metrics, review
from newsletter.web.access import AccessLog
from newsletter.web.api.application import PATH as API_PATH
from newsletter.web.api.application import api_app
from newsletter.web.bodies import Bodies
from newsletter.web.desk import errors as desk_errors
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import DeviceNeeded, NotSignedIn
from newsletter.web.desk.routes import ROUTERS as DESK_ROUTERS
from newsletter.web.errors import ErrorPages
from newsletter.web.gate import Gate, hosts_of
from newsletter.web.head import Head
from newsletter.web.headers import SecurityHeaders
from newsletter.web.hooks import providers
from newsletter.web.page import Pages
from newsletter.web.public import (
    archive,
    confirm,
    health,
    own_data,
    preferences,
    reactions,
    subscribe,
    unsubscribe,
)
from newsletter.web.rates import RateLimit, Rates
from subscribers.errors import SubscribersError, TokenRefused

ROUTERS = (
    health.router,
    metrics.router,
    archive.router,
    subscribe.router,
    confirm.router,
    preferences.router,
    own_data.router,
    unsubscribe.router,
    reactions.router,
    providers.router,
    review.router,
)
"""Each makes the routes of a group."""


def create_app(pipeline: Pipeline, *, rates: Rates | None = None) -> FastAPI:
    """Join routers and layers; `rates` are those of forms, by default the usual ones."""
    links = pipeline.parts.links
    errors = ErrorPages(Pages(links))
    app = FastAPI(title="newsletter", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    desk = app.state.desk = Desk(pipeline)
    requests = app.state.requests = metrics.Requests()
    for router in ROUTERS:
        app.include_router(router(pipeline))
    for desk_router in DESK_ROUTERS:
        app.include_router(desk_router(pipeline, desk))
    app.mount(API_PATH, api_app(pipeline, desk))
    # The last one added is the outermost.
    app.add_middleware(Head)
    app.add_middleware(RateLimit, rates=rates or Rates(), errors=errors)
    app.add_middleware(Bodies, errors=errors)
    app.add_middleware(Gate, hosts=hosts_of(links.root), errors=errors)
    app.add_middleware(AccessLog, errors=errors, requests=requests)
    app.add_middleware(SecurityHeaders)
    _answer_errors(app, errors)
    _answer_at_the_desk(app, desk)
    return app


def _answer_errors(app: FastAPI, errors: ErrorPages) -> None:
    """Show pages for the errors that routes answer with; Starlette hands each handler what it was registered for."""

    def refused(request: Request, error: Exception) -> Response:
        known = cast("HTTPException", error)
        if _is_desk(request):
            return desk_errors.refused(request.app.state.desk, request, known.status_code)
        return errors.page(request, known.status_code, _with_head(known.headers or {}))

    def unreadable(request: Request, _error: Exception) -> Response:
        if _is_desk(request):
            return desk_errors.refused(request.app.state.desk, request, 422)
        return errors.page(request, 422)

    def not_ours(request: Request, _error: Exception) -> Response:
        return errors.page(request, 404)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(TokenRefused, not_ours)


def _answer_at_the_desk(app: FastAPI, desk: Desk) -> None:
    """Errors of verbs are for officers to read; elsewhere one that a route does not expect is ours to mend."""

    def unknown(request: Request, _error: Exception) -> Response:
        return desk_errors.to_login(request)

    def told(request: Request, error: Exception) -> Response:
        if not _is_desk(request):
            raise error
        known = cast("NewsletterError | SubscribersError", error)
        status = desk_errors.status_of(known)
        # That something is not there needs no more words; what a verb refuses, only the verb can say.
        return desk_errors.refused(desk, request, status, detail="" if status == HTTPStatus.NOT_FOUND else str(known))

    def without_device(_request: Request, _error: Exception) -> Response:
        return desk.onward("/desk/account/security")

    app.add_exception_handler(NotSignedIn, unknown)
    app.add_exception_handler(DeviceNeeded, without_device)
    app.add_exception_handler(NewsletterError, told)
    app.add_exception_handler(SubscribersError, told)


def _is_desk(request: Request) -> bool:
    return request.url.path == "/desk" or request.url.path.startswith("/desk/")


def _with_head(headers: Mapping[str, str]) -> Mapping[str, str]:
    allowed = {method.strip() for method in headers.get("Allow", "").split(",") if method}
    if "GET" not in allowed:
        return headers
    return {**headers, "Allow": ", ".join(sorted(allowed | {"HEAD"}))}
