"""
What an entry was, and what its translations lag behind.

    GET   /desk/n/{newsletter}/entries/{key}/history                        `?older=`
    GET   /desk/n/{newsletter}/entries/{key}/history/{revision}
    POST  /desk/n/{newsletter}/entries/{key}/history/{revision}/restore
    GET   /desk/n/{newsletter}/entries/{key}/compare/{language}
    POST  /desk/n/{newsletter}/entries/{key}/compare/{language}             `seen`: still right for that original
"""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, WrongState
from newsletter.times import own_name
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries.form import number_in
from newsletter.web.desk.entries.table import labels_of
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Viewer
from subscribers.language import direction

Number = Annotated[int, Path(ge=1, lt=2**31)]
"""The id of a revision."""


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of histories and comparisons."""
    routes = APIRouter()
    entry = "/desk/n/{newsletter}/entries/{key}"

    @routes.get(f"{entry}/history")
    def history(request: Request, newsletter: str, key: str, seat: Viewer) -> Response:
        older = request.query_params.get("older", "")
        found = seat.pipeline.writing.history.page(
            key, newsletter=newsletter, older_than=number_in(older, otherwise=0) or None
        )
        labels = labels_of(desk, request, seat, seat.pipeline.entries.newsletter(newsletter))
        return desk.show(
            request,
            "entries/history.html.j2",
            seat,
            nav="entries",
            labels=labels,
            key=key,
            path=f"/desk/n/{newsletter}/entries/{key}",
            found=found,
        )

    @routes.get(f"{entry}/history/{{revision}}")
    def revision(request: Request, newsletter: str, key: str, revision: Number, seat: Viewer) -> Response:
        found = seat.pipeline.writing.history.revision(key, revision, newsletter=newsletter)
        labels = labels_of(desk, request, seat, seat.pipeline.entries.newsletter(newsletter))
        return desk.show(
            request,
            "entries/revision.html.j2",
            seat,
            nav="entries",
            labels=labels,
            key=key,
            path=f"/desk/n/{newsletter}/entries/{key}",
            found=found,
        )

    @routes.post(f"{entry}/history/{{revision}}/restore")
    def restore(request: Request, newsletter: str, key: str, revision: Number, seat: Officer) -> Response:
        path = f"/desk/n/{newsletter}/entries/{key}"
        try:
            touched = seat.pipeline.writing.history.restore(key, revision, newsletter=newsletter)
        except WrongState:
            return desk.onward(f"{path}/history", said=desk.say(request, seat, "The entry is so already."))
        except InvalidInput:
            words = "This cannot be restored as it is: a section or a date of it is no longer possible."
            return desk.onward(f"{path}/history/{revision}", said=desk.say(request, seat, words))
        said = desk.say(request, seat, "Restored. What stood there before is in the history.")
        if touched.voided:
            words = "These issues have to be approved again: {issues}."
            said += " " + desk.say(request, seat, words, issues=", ".join(touched.voided))
        return desk.onward(path, said=said)

    @routes.get(f"{entry}/compare/{{language}}")
    def compare(request: Request, newsletter: str, key: str, language: str, seat: Viewer) -> Response:
        found = seat.pipeline.writing.history.compare(key, language, newsletter=newsletter)
        labels = labels_of(desk, request, seat, seat.pipeline.entries.newsletter(newsletter))
        return desk.show(
            request,
            "entries/compare.html.j2",
            seat,
            nav="entries",
            labels=labels,
            key=key,
            path=f"/desk/n/{newsletter}/entries/{key}",
            found=found,
            direction=direction,
        )

    @routes.post(f"{entry}/compare/{{language}}")
    def still_right(  # noqa: PLR0917  FastAPI calls it by names
        request: Request, newsletter: str, key: str, language: str, seat: Officer, form: Sent
    ) -> Response:
        path = f"/desk/n/{newsletter}/entries/{key}"
        try:
            seat.pipeline.writing.history.still_right(key, language, newsletter=newsletter, seen=form.get("seen"))
        except WrongState:
            words = "The original has changed once more. Compare it again."
            return desk.onward(f"{path}/compare/{language}", said=desk.say(request, seat, words))
        words = "The text in {language} is marked as right for the present original."
        return desk.onward(path, said=desk.say(request, seat, words, language=own_name(language)))

    return routes
