"""The routes of issues in the making, joined."""

from fastapi import APIRouter

from newsletter.bootstrap import Pipeline
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.issues import contents, listing, plan, wording


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """All of them; the list comes first, for `new` is no slug."""
    routes = APIRouter()
    for part in (listing, wording, plan, contents):
        routes.include_router(part.router(pipeline, desk))
    return routes
