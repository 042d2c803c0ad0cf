"""
Files of people: upload, say what the columns are, see what would happen, import.

    GET   /desk/imports                   before
    GET   /desk/imports/new
    POST  /desk/imports/new               `file`, `list`
    GET   /desk/imports/{key}             the step that the file is at
    GET   /desk/imports/{key}/progress    a part of that page
    GET   /desk/imports/{key}/refused     the rows that were not taken, as CSV
    POST  /desk/imports/{key}/columns     how it is to be imported; then it is counted
    POST  /desk/imports/{key}/again       back to the columns
    POST  /desk/imports/{key}/run         `removals`, `sure`: import it, or go on
    POST  /desk/imports/{key}/stop
    POST  /desk/imports/{key}/discard

Counting and importing go on when the page is closed. A short file is done before the answer is.
"""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.pipeline.upload_work import Plan
from newsletter.pipeline.uploads import UploadFacts
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat
from newsletter.web.desk.people.labels import FIELDS, pairs
from newsletter.web.desk.spoken_imports import COUNTS, DELIMITERS, PEOPLE, REASONS, STATES, TARGETS, is_attribute
from subscribers.errors import ImportRefused, SubscribersError, UnknownList
from subscribers.importing import Elsewhere
from subscribers.importing.beginning import Beginning
from subscribers.models import UploadState

ROWS: Final = 30
"""Imports on a page."""

SOON: Final = 1.5
"""Seconds that an answer waits for a short file to be done."""

MANY: Final = 0.05
"""The share of members beyond which taking them off asks for a word more."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: C901, PLR0915  a route each, of a few lines
    """The routes of imports."""
    routes = APIRouter()
    uploads = pipeline.uploads

    @routes.get("/desk/imports")
    def look(request: Request, seat: Officer) -> Response:
        before = request.query_params.get("before", "")
        found = uploads.page(limit=ROWS + 1, before=int(before) if before.isdecimal() else None)
        return desk.show(
            request,
            "imports/table.html.j2",
            seat,
            nav="imports",
            uploads=found[:ROWS],
            more=f"/desk/imports?before={found[ROWS - 1].id}" if len(found) > ROWS else "",
            states=STATES,
        )

    @routes.get("/desk/imports/new")
    def begin(request: Request, seat: Officer) -> Response:
        return _new(request, seat, chosen=request.query_params.get("list", ""))

    @routes.post("/desk/imports/new")
    def upload(request: Request, seat: Officer, form: Sent) -> Response:
        file = form.files.get("file")
        try:
            if file is None:
                return _new(request, seat, chosen=form.get("list"), problem=desk.say(request, seat, "Choose a file."))
            key = seat.pipeline.uploads.stage(file.content, name=file.filename, list_name=form.get("list"))
        except (InvalidInput, UnknownList) as error:
            return _new(request, seat, chosen=form.get("list"), problem=str(error))
        return desk.onward(f"/desk/imports/{key}")

    @routes.get("/desk/imports/{key}")
    def step(request: Request, seat: Officer, key: str) -> Response:
        return _step(request, seat, uploads.get(key))

    @routes.get("/desk/imports/{key}/progress")
    def progress(request: Request, seat: Officer, key: str) -> Response:
        found = uploads.get(key)
        answer = desk.show(request, "imports/progress.html.j2", seat, upload=found)
        if not found.is_busy:
            answer.headers["HX-Refresh"] = "true"
        return answer

    @routes.get("/desk/imports/{key}/refused")
    def refused(seat: Officer, key: str) -> Response:
        del seat
        headers = {"Content-Disposition": 'attachment; filename="refused.csv"', "Cache-Control": "no-store"}
        return Response(uploads.refused(key), media_type="text/csv; charset=utf-8", headers=headers)

    @routes.post("/desk/imports/{key}/columns")
    def settle(request: Request, seat: Officer, key: str, form: Sent) -> Response:
        found, mine = uploads.get(key), seat.pipeline.uploads
        try:
            beginning = mine.look(key)
            mine.settle(key, _plan(form, beginning), list_name=form.get("list") or found.list_name)
            seen = mine.look(key)
        except (SubscribersError, NewsletterError) as error:
            return _step(request, seat, uploads.get(key), problem=str(error))
        if seen.problem or form.get("sheet") != (beginning.layout.sheet or form.get("sheet")):
            return desk.onward(f"/desk/imports/{key}")  # another sheet: its columns are looked at first
        mine.check(key).join(SOON)
        return desk.onward(f"/desk/imports/{key}")

    @routes.post("/desk/imports/{key}/again")
    def again(seat: Officer, key: str) -> Response:
        found = uploads.get(key)
        seat.pipeline.uploads.settle(key, found.plan, list_name=found.list_name)
        return desk.onward(f"/desk/imports/{key}")

    @routes.post("/desk/imports/{key}/run")
    def run(request: Request, seat: Officer, key: str, form: Sent) -> Response:
        removals = form.get("removals")
        number = int(removals) if removals.isdecimal() and len(removals) < 10 else 0  # noqa: PLR2004  an int of SQL
        found, mine = uploads.get(key), seat.pipeline.uploads
        if found.state is UploadState.CHECKING:  # counting was broken off: nothing is stored by that
            mine.check(key).join(SOON)
            return desk.onward(f"/desk/imports/{key}")
        if _is_many(found) and "sure" not in form:
            problem = desk.say(request, seat, "Say that you are sure: many members would be taken off.")
            return _step(request, seat, found, problem=problem)
        mine.run(key, removals=number).join(SOON)
        return desk.onward(f"/desk/imports/{key}")

    @routes.post("/desk/imports/{key}/stop")
    def stop(request: Request, seat: Officer, key: str) -> Response:
        seat.pipeline.uploads.stop(key)
        said = desk.say(request, seat, "It ends after the rows it is at. What is stored stays.")
        return desk.onward(f"/desk/imports/{key}", said=said)

    @routes.post("/desk/imports/{key}/discard")
    def discard(request: Request, seat: Officer, key: str) -> Response:
        seat.pipeline.uploads.discard(key)
        return desk.onward("/desk/imports", said=desk.say(request, seat, "The file is thrown away."))

    def _new(request: Request, seat: Seat, *, chosen: str, problem: str = "") -> Response:
        return desk.show(
            request,
            "imports/new.html.j2",
            seat,
            nav="imports",
            status=422 if problem else 200,
            lists=pipeline.register.choices().lists,
            chosen=chosen,
            problem=problem,
            pairs=pairs,
        )

    def _step(request: Request, seat: Seat, found: UploadFacts, *, problem: str = "") -> Response:
        beginning, told = None, problem
        if found.state in {UploadState.STAGED, UploadState.FAILED} and found.has_file:
            try:
                beginning = uploads.look(found.key)
            except ImportRefused as error:
                told = told or error.problem
        return desk.show(
            request,
            "imports/step.html.j2",
            seat,
            nav="imports",
            status=422 if problem else 200,
            upload=found,
            beginning=beginning,
            problem=told,
            lists=pipeline.register.choices().lists,
            leaving=uploads.leaving(found.report.get("leaving", ())),
            many=_is_many(found),
            pairs=pairs,
            fields=FIELDS,
            targets=TARGETS,
            is_attribute=is_attribute,
            states=STATES,
            reasons=REASONS,
            counts=COUNTS,
            delimiters=DELIMITERS,
            people=PEOPLE,
        )

    return routes


def _plan(form: DeskForm, beginning: Beginning) -> Plan:
    """What a form says about a file, by heading; only what differs from what the file says by itself."""
    mapping = {}
    for place, column in enumerate(beginning.columns):
        target = form.get(f"target.{place}", column.target)
        if target == "attribute":
            target = form.get(f"attribute.{place}").strip().lower() or column.name
        if column.heading and (target != column.target or f"said.{place}" in form):
            mapping[column.heading] = target
    people = form.get("people")
    return Plan(
        mapping=mapping,
        sheet=form.get("sheet") or None,
        people=people if people in set(Elsewhere) else "",
        proof=form.get("proof").strip()[:500],
        pending=form.get("manner") == "pending",
        newsletter=form.get("newsletter"),
        sync=form.get("manner") == "sync",
    )


def _is_many(found: UploadFacts) -> bool:
    removed, members = found.report.get("removed", 0), found.report.get("members", 0)
    return found.plan.sync and removed > MANY * members
