"""All routes of the checks of an issue."""

from fastapi import APIRouter

from newsletter.bootstrap import Pipeline
from newsletter.web.desk.checks import approve, check, doing, frames, reviews
from newsletter.web.desk.desk import Desk


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """Join them."""
    routes = APIRouter()
    for part in (check, doing, approve, reviews, frames):
        routes.include_router(part.router(pipeline, desk))
    return routes
