"""
What watches over us asks: `/health` whether the process answers, `/ready` whether it can be sent requests.

Neither tells a stranger anything but that. A web that was asked to stop is not ready any more and answers all the same.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.readiness import Readiness


def router(pipeline: Pipeline) -> APIRouter:
    """The routes of the probes."""
    routes, readiness = APIRouter(), Readiness(pipeline.parts.engine)

    @routes.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @routes.get("/ready")
    def ready(request: Request) -> PlainTextResponse:
        if getattr(request.app.state, "is_ending", False):
            return PlainTextResponse("ending\n", 503)
        hindrance = readiness.hindrance()
        return PlainTextResponse(f"{hindrance}\n", 503) if hindrance else PlainTextResponse("ready\n")

    return routes
