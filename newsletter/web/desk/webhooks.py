"""
Webhooks at the desk: which programs are called when something happened.

    GET   /desk/webhooks               the programs, and a form for another
    POST  /desk/webhooks               `url`, `event`…: answers with the secret, this once
    GET   /desk/webhooks/{id}          its calls
    POST  /desk/webhooks/{id}/test     call it soon
    POST  /desk/webhooks/{id}/enable   call it again
    POST  /desk/webhooks/{id}/remove   call it no more
"""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.webhooks import WebhookEvent, WebhookRow
from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Admin, Seat

CALLS: Final = 50
"""Calls that a page shows."""

OFFERED: Final = {
    WebhookEvent.RUN_FINISHED: "An issue has gone out",
    WebhookEvent.SUBSCRIBER_JOINED: "People have joined a list",
    WebhookEvent.SUBSCRIBER_LEFT: "People have left a list or the newsletter",
}
"""Events by what they mean; messages of `desk-programs.po`."""

NO_ADDRESS: Final = "Enter an address like https://crm.example/hooks, and choose at least one event."

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of webhooks."""
    routes = APIRouter()

    @routes.get("/desk/webhooks")
    def look(request: Request, seat: Admin) -> Response:
        return _list(request, seat)

    @routes.post("/desk/webhooks")
    def add(request: Request, seat: Admin, form: Sent) -> Response:
        known = {event.value for event in OFFERED}
        events = [WebhookEvent(word) for word in form.all("event") if word in known]
        url = form.get("url").strip()
        try:
            made = seat.pipeline.webhooks.add(url, events)
        except InvalidInput:
            return _list(request, seat, url=url, events=events, problem=NO_ADDRESS)
        return _list(request, seat, made=made)

    @routes.get("/desk/webhooks/{id}")
    def one(request: Request, seat: Admin, id: Id) -> Response:  # noqa: A002  the parameter's name
        row, calls = seat.pipeline.webhooks.get(id), seat.pipeline.webhooks.calls(id, limit=CALLS)
        return desk.show(request, "webhooks/one.html.j2", seat, nav="webhooks", row=row, calls=calls, words=OFFERED)

    @routes.post("/desk/webhooks/{id}/test")
    def test(request: Request, seat: Admin, id: Id) -> Response:  # noqa: A002
        seat.pipeline.webhooks.test(id)
        said = desk.say(request, seat, "It is called within some seconds. Load this page again to see the answer.")
        return desk.onward(f"/desk/webhooks/{id}", said=said)

    @routes.post("/desk/webhooks/{id}/enable")
    def enable(request: Request, seat: Admin, id: Id) -> Response:  # noqa: A002
        seat.pipeline.webhooks.enable(id)
        return desk.onward(f"/desk/webhooks/{id}", said=desk.say(request, seat, "It is called again."))

    @routes.post("/desk/webhooks/{id}/remove")
    def remove(request: Request, seat: Admin, id: Id) -> Response:  # noqa: A002
        seat.pipeline.webhooks.remove(id)
        return desk.onward("/desk/webhooks", said=desk.say(request, seat, "It is called no more."))

    def _list(
        request: Request,
        seat: Seat,
        *,
        made: WebhookRow | None = None,
        url: str = "",
        events: list[WebhookEvent] | None = None,
        problem: str = "",
    ) -> Response:
        return desk.show(
            request,
            "webhooks/list.html.j2",
            seat,
            status=422 if problem else 200,
            nav="webhooks",
            rows=seat.pipeline.webhooks.all(),
            made=made,
            url=url,
            chosen=events or [],
            problem=problem,
            words=OFFERED,
        )

    return routes
