"""
How one signs in: the password, and how it stands with the second factor.

    GET   /desk/account/security
    POST  /desk/account/password        `present`, `password`

A new password ends every session; the browser that changed it gets a new one.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.passwords import SHORTEST
from newsletter.accounts.problems import FieldRefused
from newsletter.bootstrap import Pipeline
from newsletter.web.desk.accounts import problems_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Seat, Viewer
from newsletter.web.desk.login import signed_in

PAGE = "/desk/account/security"


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the password."""
    routes = APIRouter()

    @routes.get(PAGE)
    def look(request: Request, seat: Viewer) -> Response:
        return show(desk, request, seat)

    @routes.post("/desk/account/password")
    def change(request: Request, seat: Viewer, form: Sent) -> Response:
        own, agent = seat.pipeline.operators.own, request.headers.get("user-agent", "")
        try:
            token = own.change_password(
                seat.operator.id, present=form.get("present"), new=form.get("password"), agent=agent
            )
        except FieldRefused as refused:
            return show(desk, request, seat, refused=refused, at="password")
        said = desk.say(request, seat, "Your password is changed. You were signed out everywhere else.")
        return signed_in(request, desk.onward(PAGE, said=said), token)

    return routes


def show(desk: Desk, request: Request, seat: Seat, *, refused: FieldRefused | None = None, at: str = "") -> Response:
    """The page, with what is wrong with one of its forms: `password` or `second`."""
    own = seat.pipeline.operators.own
    return desk.show(
        request,
        "account/security.html.j2",
        seat,
        status=422 if refused else 200,
        nav="account",
        member=own.look(seat.operator.id),
        second=own.second_step(seat.operator.id),
        problems=problems_of(desk, request, seat, refused),
        at=at,
        shortest=SHORTEST,
    )
