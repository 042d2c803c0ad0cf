"""All routes about sending."""

from fastapi import APIRouter

from newsletter.bootstrap import Pipeline
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.sending import report, run, schedule


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of scheduling, of runs and of reports."""
    routes = APIRouter()
    for area in (schedule, run, report):
        routes.include_router(area.router(pipeline, desk))
    return routes
