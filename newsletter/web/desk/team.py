"""
The team: who may sign in, and who is invited.

    GET   /desk/team
    POST  /desk/team/invite                            `email`, `role`
    POST  /desk/team/invitations/{link_id}/withdraw

A link is shown once, in the answer to the form that made it. One colleague's page is in `member`.
"""

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.operator import Role
from newsletter.accounts.problems import FieldRefused
from newsletter.bootstrap import Pipeline
from newsletter.web.desk.accounts import problems_of, roles
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Admin, Seat


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the team."""
    routes = APIRouter()
    links = pipeline.parts.links

    @routes.get("/desk/team")
    def look(request: Request, seat: Admin) -> Response:
        return _show(desk, request, seat)

    @routes.post("/desk/team/invite")
    def invite(request: Request, seat: Admin, form: Sent) -> Response:
        try:
            token = seat.pipeline.operators.invite(form.get("email"), role=role_in(form))
        except FieldRefused as refused:
            return _show(desk, request, seat, refused=refused, form=form)
        return _show(desk, request, seat, link=links.setup(token))

    @routes.post("/desk/team/invitations/{link_id}/withdraw")
    def withdraw(request: Request, seat: Admin, link_id: int) -> Response:
        seat.pipeline.operators.withdraw(link_id)
        said = desk.say(request, seat, "The invitation is withdrawn. Its link leads nowhere any more.")
        return desk.onward("/desk/team", said=said)

    return routes


def role_in(form: DeskForm) -> Role:
    """The role that a form names; raises HTTPException 422 for another word."""
    try:
        return Role(form.get("role"))
    except ValueError as error:
        raise HTTPException(422) from error


def _show(
    desk: Desk,
    request: Request,
    seat: Seat,
    *,
    link: str = "",
    refused: FieldRefused | None = None,
    form: DeskForm | None = None,
) -> Response:
    operators = seat.pipeline.operators
    return desk.show(
        request,
        "team/team.html.j2",
        seat,
        status=422 if refused else 200,
        nav="team",
        members=operators.all(),
        invitations=operators.invitations(),
        link=link,
        roles=roles(desk, request, seat),
        email=form.get("email") if form else "",
        role=form.get("role") if form else Role.OFFICER.value,
        problems=problems_of(desk, request, seat, refused),
    )
