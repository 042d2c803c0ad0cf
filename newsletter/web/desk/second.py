"""
The second factor: a device that shows codes, and recovery codes for the day it is lost.

    POST  /desk/account/second/begin
    GET   /desk/account/second.svg        the QR code of a device that is being set up
    POST  /desk/account/second/confirm    `code`
    POST  /desk/account/second/remove     `present`
    POST  /desk/account/second/codes      `present`

Recovery codes are shown once, in the answer to the form that made them.
"""

from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.problems import FieldRefused
from newsletter.bootstrap import Pipeline
from newsletter.web.desk import security
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Seat, Viewer


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the second factor."""
    routes = APIRouter()
    site = urlsplit(pipeline.parts.links.root).hostname or "newsletter"

    @routes.post("/desk/account/second/begin")
    def begin(seat: Viewer) -> Response:
        seat.pipeline.operators.own.begin_second(seat.operator.id)
        return desk.onward(f"{security.PAGE}#second")

    @routes.get("/desk/account/second.svg")
    def picture(seat: Viewer) -> Response:
        drawn = seat.pipeline.operators.own.second_picture(seat.operator.id, site=site)
        return Response(drawn, media_type="image/svg+xml", headers={"Content-Security-Policy": "default-src 'none'"})

    @routes.post("/desk/account/second/confirm")
    def confirm(request: Request, seat: Viewer, form: Sent) -> Response:
        try:
            codes = seat.pipeline.operators.own.confirm_second(seat.operator.id, form.get("code"))
        except FieldRefused as refused:
            return _refused(desk, request, seat, refused)
        return _codes(desk, request, seat, codes)

    @routes.post("/desk/account/second/remove")
    def remove(request: Request, seat: Viewer, form: Sent) -> Response:
        try:
            seat.pipeline.operators.own.remove_second(seat.operator.id, present=form.get("present"))
        except FieldRefused as refused:
            return _refused(desk, request, seat, refused)
        said = desk.say(request, seat, "From now on you sign in with your password alone.")
        return desk.onward(security.PAGE, said=said)

    @routes.post("/desk/account/second/codes")
    def new_codes(request: Request, seat: Viewer, form: Sent) -> Response:
        try:
            codes = seat.pipeline.operators.own.new_codes(seat.operator.id, present=form.get("present"))
        except FieldRefused as refused:
            return _refused(desk, request, seat, refused)
        return _codes(desk, request, seat, codes)

    return routes


def _refused(desk: Desk, request: Request, seat: Seat, refused: FieldRefused) -> Response:
    return security.show(desk, request, seat, refused=refused, at="second")


def _codes(desk: Desk, request: Request, seat: Seat, codes: list[str]) -> Response:
    return desk.show(request, "account/codes.html.j2", seat, nav="account", codes=codes)
