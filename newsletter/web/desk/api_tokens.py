"""
Tokens of the API: what one's own programs sign in with.

    GET   /desk/account/tokens
    POST  /desk/account/tokens                      `label`, `scopes`, `days`
    POST  /desk/account/tokens/{token_id}/revoke

A token is shown once, in the answer to the form that made it.
"""

import datetime as dt
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.problems import FieldRefused
from newsletter.accounts.tokens import ALLOWED, Scope
from newsletter.bootstrap import Pipeline
from newsletter.web.desk.accounts import SCOPES, problems_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Seat, Viewer

TERMS: Final = (30, 90, 365)
"""Days that a token may last; 0 is for good."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of tokens."""
    routes = APIRouter()

    @routes.get("/desk/account/tokens")
    def look(request: Request, seat: Viewer) -> Response:
        return _show(request, seat)

    @routes.post("/desk/account/tokens")
    def make(request: Request, seat: Viewer, form: Sent) -> Response:
        scopes = {Scope(value) for value in form.all("scopes") if value in set(Scope)}
        days = int(form.get("days")) if form.get("days") in map(str, TERMS) else 0
        expires = pipeline.parts.now() + dt.timedelta(days=days) if days else None
        try:
            token = seat.pipeline.operators.tokens.make(
                seat.operator.id, form.get("label"), scopes=scopes, expires=expires
            )
        except FieldRefused as refused:
            return _show(request, seat, refused=refused, form=form)
        return _show(request, seat, token=token)

    @routes.post("/desk/account/tokens/{token_id}/revoke")
    def revoke(request: Request, seat: Viewer, token_id: int) -> Response:
        seat.pipeline.operators.tokens.revoke(seat.operator.id, token_id)
        said = desk.say(request, seat, "The token is revoked. No program gets in with it any more.")
        return desk.onward("/desk/account/tokens", said=said)

    def _show(
        request: Request,
        seat: Seat,
        *,
        token: str = "",
        refused: FieldRefused | None = None,
        form: DeskForm | None = None,
    ) -> Response:
        allowed = ALLOWED[seat.operator.role]
        named = {
            scope: (desk.say(request, seat, name, context="scope"), desk.say(request, seat, meaning))
            for scope, (name, meaning) in SCOPES.items()
        }
        return desk.show(
            request,
            "account/tokens.html.j2",
            seat,
            status=422 if refused else 200,
            nav="account",
            token=token,
            tokens=seat.pipeline.operators.tokens.all(seat.operator.id),
            named=named,
            offered=[(scope.value, *named[scope]) for scope in Scope if scope in allowed],
            chosen=form.all("scopes") if form else ("read",),
            label=form.get("label") if form else "",
            terms=TERMS,
            now=pipeline.parts.now(),
            problems=problems_of(desk, request, seat, refused),
        )

    return routes
