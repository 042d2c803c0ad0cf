"""
What watches over us asks: `/health` whether the process answers, `/ready` whether its database can be used.

Neither tells a stranger anything but that.
"""

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse

from newsletter.bootstrap import Pipeline
from newsletter.database import ensure_current
from newsletter.errors import DatabaseFault


def router(pipeline: Pipeline) -> APIRouter:
    """The routes of the probes."""
    routes = APIRouter()
    engine = pipeline.parts.engine.execution_options(sqlite_begin="DEFERRED")  # a question waits for no writer

    @routes.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @routes.get("/ready")
    def ready() -> PlainTextResponse:
        try:
            ensure_current(engine)
        except (DatabaseFault, SQLAlchemyError):
            return PlainTextResponse("the database is not ready\n", 503)
        return PlainTextResponse("ready\n")

    return routes
