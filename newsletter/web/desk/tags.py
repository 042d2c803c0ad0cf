"""
Tags: the labels that operators put on people.

    GET   /desk/tags
    GET   /desk/tags/edit      name
    POST  /desk/tags/rename    `name`, `new`
    POST  /desk/tags/delete    `name`

A tag may hold any character, so it stands behind the question mark. New ones come with people: by hand or in a file.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import WrongState
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from subscribers.errors import InvalidValue, UnknownTag


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of tags."""
    routes = APIRouter()
    people = pipeline.people

    @routes.get("/desk/tags")
    def look(request: Request, seat: Viewer) -> Response:
        return desk.show(request, "tags/table.html.j2", seat, nav="people", tags=people.tags.all())

    @routes.get("/desk/tags/edit")
    def edit(request: Request, seat: Officer) -> Response:
        return _form(request, seat, request.query_params.get("name", ""))

    @routes.post("/desk/tags/rename")
    def rename(request: Request, seat: Officer, form: Sent) -> Response:
        name, new = form.get("name"), " ".join(form.get("new").split())
        try:
            done = seat.pipeline.people.tags.rename(name, new)
        except InvalidValue as error:
            return _form(request, seat, name, new=new, problem=error.reason)
        said = desk.say(request, seat, "{name} is called {new} now, for {n} people.", name=name, new=new, n=done.people)
        if done.stranded:
            words = "Still called by its old name: {names}. Change that, or it means nobody."
            said += " " + desk.say(request, seat, words, names=", ".join(done.stranded))
        return desk.onward("/desk/tags", said=said)

    @routes.post("/desk/tags/delete")
    def delete(request: Request, seat: Officer, form: Sent) -> Response:
        name = form.get("name")
        try:
            people_had_it = seat.pipeline.people.tags.delete(name)
        except WrongState as error:
            return _form(request, seat, name, problem=str(error))
        words = "{name} is taken off {n} people."
        return desk.onward("/desk/tags", said=desk.say(request, seat, words, name=name, n=people_had_it))

    def _form(request: Request, seat: Seat, name: str, *, new: str = "", problem: str = "") -> Response:
        known = people.tags.all()
        if name not in known:
            raise UnknownTag(name, known)
        return desk.show(
            request,
            "tags/form.html.j2",
            seat,
            nav="people",
            status=422 if problem else 200,
            name=name,
            new=new or name,
            count=known[name],
            problem=problem,
            named_by=people.glances.named_by(tag=name),
        )

    return routes
