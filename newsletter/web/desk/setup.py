"""
Making an account, or choosing a new password, by a link that works once.

    GET   /desk/setup/{token}   the form
    POST  /desk/setup/{token}   `name`, `full_name`, `email`, `language`, `timezone`, `password`; or `password` alone

Whoever has the link needs no session; a link that was used or has ended is answered 410.
"""

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.operator import Role
from newsletter.accounts.passwords import SHORTEST
from newsletter.accounts.problems import LINK_ENDED, FieldRefused
from newsletter.bootstrap import Pipeline
from newsletter.pipeline.setup import NewOperator, Offered
from newsletter.web.desk.accounts import Blank, known_zones, language_choices, problems_of, roles, zone_choices
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import from_our_pages
from newsletter.web.desk.login import signed_in

_FIELDS = ("name", "full_name", "email", "language", "timezone")


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of setup links."""
    routes = APIRouter()
    setup = pipeline.operators.setup

    @routes.get("/desk/setup/{token}")
    def look(request: Request, token: str) -> Response:
        offered = setup.look(token)
        if offered is None:
            return _ended(desk, request)
        language = desk.language_of(request)
        return _show(desk, request, offered, {"email": offered.link.email, "language": language, "timezone": "UTC"})

    @routes.post("/desk/setup/{token}")
    def accept(request: Request, token: str, form: Sent) -> Response:
        if not from_our_pages(request):
            raise HTTPException(403)
        offered = setup.look(token)
        if offered is None:
            return _ended(desk, request)
        try:
            return _accepted(request, token, offered, form)
        except FieldRefused as refused:
            if str(refused) == LINK_ENDED:  # somebody was quicker
                return _ended(desk, request)
            return _show(desk, request, offered, {name: form.get(name) for name in _FIELDS}, refused)

    def _accepted(request: Request, token: str, offered: Offered, form: DeskForm) -> Response:
        if offered.link.operator_id is not None:
            setup.renew(token, form.get("password"))
            return desk.onward("/desk/login", said=desk.say(request, None, "Your password is set. Sign in with it."))
        given = NewOperator(password=form.get("password"), **{name: form.get(name) for name in _FIELDS})
        held = setup.accept(token, given, agent=request.headers.get("user-agent", ""))
        is_first = offered.link.role is Role.ADMIN and not pipeline.seats.newsletters("en")
        return signed_in(request, desk.onward("/desk/newsletters/new" if is_first else "/desk"), held)

    return routes


def _show(
    desk: Desk, request: Request, offered: Offered, values: Mapping[str, str], refused: FieldRefused | None = None
) -> Response:
    return desk.show(
        request,
        "setup/renew.html.j2" if offered.link.operator_id is not None else "setup/setup.html.j2",
        None,
        status=422 if refused else 200,
        offered=offered,
        role=next(words for value, words, _ in roles(desk, request, None) if value == offered.link.role),
        values=Blank(values),
        problems=problems_of(desk, request, None, refused),
        languages=language_choices(),
        zones=zone_choices(desk, request, None),
        known_zones=known_zones(),
        shortest=SHORTEST,
    )


def _ended(desk: Desk, request: Request) -> Response:
    return desk.show(request, "setup/ended.html.j2", None, status=410)
