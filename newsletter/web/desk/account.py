"""
One's own account: who one is, and where one has signed in.

    GET   /desk/account                             name, address, language, zone
    POST  /desk/account
    GET   /desk/account/sessions
    POST  /desk/account/sessions/end                all but this one
    POST  /desk/account/sessions/{session_id}/end

Password and second factor are in `security` and `second`, tokens of the API in `api_tokens`.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.problems import FieldRefused
from newsletter.bootstrap import Pipeline
from newsletter.web.desk.accounts import known_zones, language_choices, problems_of, zone_choices
from newsletter.web.desk.agents import browser_of, system_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Seat, Viewer

_FIELDS = ("full_name", "email", "language", "timezone")


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of one's own account."""
    routes = APIRouter()

    @routes.get("/desk/account")
    def look(request: Request, seat: Viewer) -> Response:
        return _show(desk, request, seat)

    @routes.post("/desk/account")
    def change(request: Request, seat: Viewer, form: Sent) -> Response:
        try:
            given = {name: form.get(name) for name in _FIELDS}
            seat.pipeline.operators.own.change(seat.operator.id, **given)
        except FieldRefused as refused:
            return _show(desk, request, seat, refused=refused, form=form)
        return desk.onward("/desk/account", said=desk.say(request, seat, "Saved."))

    @routes.get("/desk/account/sessions")
    def sessions(request: Request, seat: Viewer) -> Response:
        return desk.show(
            request,
            "account/sessions.html.j2",
            seat,
            nav="account",
            sessions=seat.pipeline.operators.own.sessions(seat.operator.id),
            browser_of=browser_of,
            system_of=system_of,
        )

    @routes.post("/desk/account/sessions/end")
    def end_others(request: Request, seat: Viewer) -> Response:
        seat.pipeline.operators.own.end_others(seat.operator.id, but=seat.session_id)
        said = desk.say(request, seat, "You were signed out everywhere else.")
        return desk.onward("/desk/account/sessions", said=said)

    @routes.post("/desk/account/sessions/{session_id}/end")
    def end(request: Request, seat: Viewer, session_id: int) -> Response:
        seat.pipeline.operators.own.end_session(seat.operator.id, session_id)
        return desk.onward("/desk/account/sessions", said=desk.say(request, seat, "The session has ended."))

    return routes


def _show(
    desk: Desk, request: Request, seat: Seat, *, refused: FieldRefused | None = None, form: DeskForm | None = None
) -> Response:
    stored = {name: getattr(seat.operator, name) for name in _FIELDS}
    return desk.show(
        request,
        "account/profile.html.j2",
        seat,
        status=422 if refused else 200,
        nav="account",
        values={name: form.get(name) for name in _FIELDS} if form else stored,
        problems=problems_of(desk, request, seat, refused),
        languages=language_choices(),
        zones=zone_choices(desk, request, seat),
        known_zones=known_zones(),
    )
