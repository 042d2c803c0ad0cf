"""
One colleague: their role, and whether and how they sign in.

    GET   /desk/team/{name}
    POST  /desk/team/{name}/role               `role`
    POST  /desk/team/{name}/link               a link for a new password, shown once
    POST  /desk/team/{name}/second/remove
    POST  /desk/team/{name}/disable
    POST  /desk/team/{name}/enable

Nobody takes away their own role or account here: whoever does it by mistake could not undo it.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.problems import NOT_YOURSELF, FieldRefused
from newsletter.bootstrap import Pipeline
from newsletter.web.desk.accounts import problems_of, roles
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Admin, Seat
from newsletter.web.desk.team import role_in


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of one colleague."""
    routes = APIRouter()
    links = pipeline.parts.links

    @routes.get("/desk/team/{name}")
    def look(request: Request, seat: Admin, name: str) -> Response:
        return _show(desk, request, seat, name)

    @routes.post("/desk/team/{name}/role")
    def change_role(request: Request, seat: Admin, name: str, form: Sent) -> Response:
        try:
            _ensure_another(seat, name)
            seat.pipeline.operators.change(name, role=role_in(form))
        except FieldRefused as refused:
            return _show(desk, request, seat, name, refused=refused)
        return _done(request, seat, name, "The role is changed. {name} has to sign in again.")

    @routes.post("/desk/team/{name}/link")
    def make_link(request: Request, seat: Admin, name: str) -> Response:
        return _show(desk, request, seat, name, link=links.setup(seat.pipeline.operators.password_link(name)))

    @routes.post("/desk/team/{name}/second/remove")
    def remove_second(request: Request, seat: Admin, name: str) -> Response:
        seat.pipeline.operators.remove_second_factor(name)
        return _done(request, seat, name, "{name} signs in with the password alone until a new device is set up.")

    @routes.post("/desk/team/{name}/disable")
    def disable(request: Request, seat: Admin, name: str) -> Response:
        try:
            _ensure_another(seat, name)
            seat.pipeline.operators.disable(name)
        except FieldRefused as refused:
            return _show(desk, request, seat, name, refused=refused)
        return _done(request, seat, name, "{name} cannot sign in any more.")

    @routes.post("/desk/team/{name}/enable")
    def enable(request: Request, seat: Admin, name: str) -> Response:
        seat.pipeline.operators.enable(name)
        return _done(request, seat, name, "{name} can sign in again.")

    def _done(request: Request, seat: Seat, name: str, words: str) -> Response:
        operator = seat.pipeline.operators.get(name).operator
        said = desk.say(request, seat, words, name=operator.called)
        return desk.onward(f"/desk/team/{operator.name}", said=said)

    return routes


def _ensure_another(seat: Seat, name: str) -> None:
    if name == seat.operator.name:
        raise FieldRefused("role", NOT_YOURSELF)


def _show(
    desk: Desk, request: Request, seat: Seat, name: str, *, link: str = "", refused: FieldRefused | None = None
) -> Response:
    return desk.show(
        request,
        "team/member.html.j2",
        seat,
        status=422 if refused else 200,
        nav="team",
        member=seat.pipeline.operators.get(name),
        link=link,
        roles=roles(desk, request, seat),
        problems=problems_of(desk, request, seat, refused),
    )
