"""
Adding one person by hand.

    GET   /desk/people/new
    POST  /desk/people/new    `address`, `list`, names, `language`, `tags`
"""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, WrongState
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat
from newsletter.web.desk.people.labels import FIELDS, HINTS, pairs
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue, SubscribersError

_GIVEN: Final = ("first_name", "last_name", "organisation", "language", "tags")
_REFUSED: Final = (WrongState, InvalidInput, InvalidValue, InvalidLanguage, InvalidAddress)


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the form."""
    routes = APIRouter()

    @routes.get("/desk/people/new")
    def look(request: Request, seat: Officer) -> Response:
        return _form(request, seat, {"list": request.query_params.get("list", "")})

    @routes.post("/desk/people/new")
    def add(request: Request, seat: Officer, form: Sent) -> Response:
        given = {name: form.get(name) for name in _GIVEN}
        try:
            seat.pipeline.people.add(form.get("address"), list_name=form.get("list"), given=given)
        except _REFUSED as error:
            return _form(request, seat, _stated(form), problem=error)
        person = pipeline.people.show(form.get("address")).person
        said = desk.say(
            request, seat, "{address} is a member of {list}.", address=person.address, list=form.get("list")
        )
        return desk.onward(f"/desk/people/{person.uid}", said=said)

    def _form(request: Request, seat: Seat, stated: dict[str, str], *, problem: Exception | None = None) -> Response:
        field = "address" if isinstance(problem, InvalidAddress) else getattr(problem, "field", "")
        field = "language" if isinstance(problem, InvalidLanguage) else field
        words = getattr(problem, "reason", "") or (problem.message if isinstance(problem, SubscribersError) else "")
        return desk.show(
            request,
            "people/new.html.j2",
            seat,
            nav="people",
            status=422 if problem else 200,
            stated=stated,
            problems={field: words} if field in {"address", *_GIVEN} else {},
            problem="" if field in {"address", *_GIVEN} else str(problem or ""),
            lists=pipeline.register.choices().lists,
            labels=FIELDS,
            hints=HINTS,
            pairs=pairs,
        )

    return routes


def _stated(form: DeskForm) -> dict[str, str]:
    return {name: form.get(name) for name in ("address", "list", *_GIVEN)}
