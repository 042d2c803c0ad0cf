"""All routes of entries, the addresses that name a page before those that name an entry."""

from fastapi import APIRouter

from newsletter.bootstrap import Pipeline
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries import editor, keeping, past, table, unsaved


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the table, the editor, the history and what is done with an entry as a whole."""
    routes = APIRouter()
    for group in (table.router, past.router, keeping.router, unsaved.router, editor.router):
        routes.include_router(group(pipeline, desk))
    return routes
