"""
The saved segments.

    GET   /desk/segments
    GET   /desk/segments/count     name: a part of the page that comes after it
    POST  /desk/segments/delete    `name`

A name may hold any character, so it stands behind the question mark.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import NewsletterError, WrongState
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.segments.counts import Remembered
from newsletter.web.desk.segments.draft import of_text
from newsletter.web.desk.segments.labels import FIELDS, UNITS, said_of
from subscribers.errors import SubscribersError


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the table."""
    routes = APIRouter()
    people, counts = pipeline.people, Remembered(pipeline.parts.now)

    @routes.get("/desk/segments")
    def look(request: Request, seat: Viewer) -> Response:
        return _table(request, seat)

    @routes.get("/desk/segments/count")
    def count(request: Request, seat: Viewer) -> Response:
        expression = people.segments.get(request.query_params.get("name", "")).expression
        try:
            counted = counts.known(expression, lambda: people.glances.count(expression))
        except (SubscribersError, NewsletterError):
            counted = None  # it names what is gone, which its own page says
        return desk.show(request, "segments/count.html.j2", seat, count=counted)

    @routes.post("/desk/segments/delete")
    def delete(request: Request, seat: Officer, form: Sent) -> Response:
        name = form.get("name")
        try:
            seat.pipeline.people.segments.delete(name)
        except WrongState as error:
            return _table(request, seat, problem=str(error))
        said = desk.say(request, seat, "The segment {name} is deleted.", name=name)
        return desk.onward("/desk/segments", said=said)

    def _table(request: Request, seat: Seat, *, problem: str = "") -> Response:
        saved = people.segments.all()
        return desk.show(
            request,
            "segments/table.html.j2",
            seat,
            nav="segments",
            status=409 if problem else 200,
            segments=[(each, of_text(each.expression).shape) for each in saved],
            problem=problem,
            fields=FIELDS,
            said_of=said_of,
            units=UNITS,
        )

    return routes
