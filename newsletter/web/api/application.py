"""
The API as an application of its own, mounted at `/api/v1`.

Takes the pipeline and the desk, whose operators' pipelines it shares; yields an ASGI application with its OpenAPI
document at `/api/v1/openapi.json`, which anybody may read.
"""

from functools import cache
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI

from newsletter.bootstrap import Pipeline
from newsletter.web.api import content, issues, people, problems, runs, webhooks
from newsletter.web.api.idempotency import Idempotency
from newsletter.web.desk.desk import Desk

PATH: Final = "/api/v1"

DESCRIPTION: Final = """
The verbs of the newsletter as JSON. Send `Authorization: Bearer nl_…` with a token that an operator made at the desk
(*Account*) or by `newsletter operators token`.

Every request that changes something takes an `Idempotency-Key` of your choice: sent again with the same key within a
day it is not done again, and answered alike. Lists come in pages: send `next` as `after`. What could not be done is a
problem as RFC 9457 has it; compare its `type`.
"""


@cache
def _routes() -> APIRouter:
    """Every route: they find what they need in the application, so one set serves all."""
    routes = APIRouter()
    for part in (content, issues, runs, people, webhooks):
        routes.include_router(part.router())
    return routes


def api_app(pipeline: Pipeline, desk: Desk) -> FastAPI:
    """Join the routes of the API."""
    app = FastAPI(
        title="newsletter",
        version=version("newsletter"),
        description=DESCRIPTION,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.ANSWERS,
    )
    app.state.pipeline, app.state.desk = pipeline, desk
    app.include_router(_routes())
    app.add_middleware(Idempotency, pipeline=pipeline)
    problems.install(app)
    return app
