"""
The application: the routers, and the layers that every request goes through.

Takes a `Pipeline`, yields an ASGI application. From the outside in: the security headers; the log, which answers for
unexpected errors too; the gate (host and address); the body's limits; the rates of forms; HEAD; then the routes. There
is no OpenAPI page for readers' pages, no redirect for a slash too many, and no session.
"""

from collections.abc import Mapping
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.web.access import AccessLog
from newsletter.web.bodies import Bodies
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
from subscribers.errors import TokenRefused

ROUTERS = (
    health.router,
    archive.router,
    subscribe.router,
    confirm.router,
    preferences.router,
    own_data.router,
    unsubscribe.router,
    reactions.router,
    providers.router,
)
"""Each makes the routes of a group."""


def create_app(pipeline: Pipeline, *, rates: Rates | None = None) -> FastAPI:
    """Join routers and layers; `rates` are those of forms, by default the usual ones."""
    links = pipeline.parts.links
    errors = ErrorPages(Pages(links))
    app = FastAPI(title="newsletter", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for router in ROUTERS:
        app.include_router(router(pipeline))
    # The last one added is the outermost.
    app.add_middleware(Head)
    app.add_middleware(RateLimit, rates=rates or Rates(), errors=errors)
    app.add_middleware(Bodies, errors=errors)
    app.add_middleware(Gate, hosts=hosts_of(links.root), errors=errors)
    app.add_middleware(AccessLog, errors=errors)
    app.add_middleware(SecurityHeaders)
    _answer_errors(app, errors)
    return app


def _answer_errors(app: FastAPI, errors: ErrorPages) -> None:
    """Show pages for the errors that routes answer with; Starlette hands each handler what it was registered for."""

    def refused(request: Request, error: Exception) -> Response:
        known = cast("HTTPException", error)
        return errors.page(request, known.status_code, _with_head(known.headers or {}))

    def unreadable(request: Request, _error: Exception) -> Response:
        return errors.page(request, 422)

    def not_ours(request: Request, _error: Exception) -> Response:
        return errors.page(request, 404)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(TokenRefused, not_ours)


def _with_head(headers: Mapping[str, str]) -> Mapping[str, str]:
    allowed = {method.strip() for method in headers.get("Allow", "").split(",") if method}
    if "GET" not in allowed:
        return headers
    return {**headers, "Allow": ", ".join(sorted(allowed | {"HEAD"}))}
