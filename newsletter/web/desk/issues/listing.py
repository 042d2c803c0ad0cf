"""
The issues of a newsletter, and a new one.

    GET   /desk/n/N/issues        `after`: the key of the last one shown
    GET   /desk/n/N/issues/new    `model`: the slug of an issue whose words and settings are taken over
    POST  /desk/n/N/issues/new    `slug`, `number`, `date`, `first`, `last`, `title-LANGUAGE`, `model`
"""

import datetime as dt
from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.proposing import NewIssue, PlanRefused, Proposal
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.issues.said import fault
from newsletter.web.desk.issues.values import LONGEST_SLUG, day_of, number_of


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: ARG001  every area is made of both
    """The routes of the list."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/issues")
    def look(request: Request, newsletter: str, seat: Viewer, after: str = "") -> Response:
        page = seat.pipeline.building.issues(newsletter, language=desk.language_of(request, seat), after=after)
        return desk.show(request, "issues/list.html.j2", seat, nav="issues", page=page, is_first=not after)

    @routes.get("/desk/n/{newsletter}/issues/new")
    def begin(request: Request, newsletter: str, seat: Officer, model: str = "") -> Response:
        proposal = _proposal(request, seat, newsletter)
        return _show(request, seat, proposal, _values(proposal, model=model))

    @routes.post("/desk/n/{newsletter}/issues/new")
    def make(request: Request, newsletter: str, seat: Officer, form: Sent) -> Response:
        plans = seat.pipeline.building.plans
        proposal = _proposal(request, seat, newsletter)
        values = {name: form.get(name) for name in _values(proposal)}
        issue, problems = _read(form, proposal, say=partial(desk.say, request, seat))
        if issue is None:
            return _show(request, seat, proposal, values, problems)
        try:
            head = plans.create(newsletter, issue)
        except PlanRefused as error:
            problems[error.field] = fault(error.fault, partial(desk.say, request, seat))
            return _show(request, seat, proposal, values, problems)
        said = desk.say(request, seat, "The issue is made. Look at what it holds, and change what you like.")
        return desk.onward(f"/desk/n/{newsletter}/issues/{head.slug}", said=said)

    def _proposal(request: Request, seat: Seat, newsletter: str) -> Proposal:
        return seat.pipeline.building.plans.propose(newsletter, language=desk.language_of(request, seat))

    def _show(
        request: Request,
        seat: Seat,
        proposal: Proposal,
        values: Mapping[str, str],
        problems: Mapping[str, str] | None = None,
    ) -> Response:
        return desk.show(
            request,
            "issues/new.html.j2",
            seat,
            status=422 if problems else 200,
            nav="issues",
            proposal=proposal,
            values=values,
            problems=problems or {},
            longest_slug=LONGEST_SLUG,
        )

    return routes


def _values(proposal: Proposal, *, model: str = "") -> dict[str, str]:
    """What the form begins with."""
    issue = proposal.issue
    titles = {f"title-{tag}": title for tag, title in issue.titles.items()}
    number = "" if issue.number is None else str(issue.number)
    dates = {name: getattr(issue, name).isoformat() for name in ("date", "first", "last")}
    return {"slug": issue.slug, "number": number, "model": model, **dates, **titles}


def _read(form: DeskForm, proposal: Proposal, *, say: partial[str]) -> tuple[NewIssue | None, dict[str, str]]:
    """The issue that a form describes, or what is wrong with its fields."""
    problems: dict[str, str] = {}
    days: dict[str, dt.date] = {}
    for name in ("date", "first", "last"):
        day = day_of(form.get(name))
        if day is None:
            problems[name] = say("Choose a day.")
        else:
            days[name] = day
    number = number_of(form.get("number"), most=1_000_000)
    if number is None and form.get("number").strip():
        problems["number"] = say("Write a number, or nothing.")
    if problems:
        return None, problems
    titles = {tag: form.get(f"title-{tag}")[:500] for tag in proposal.languages}
    return NewIssue(
        slug=form.get("slug").strip(), number=number, titles=titles, model=form.get("model") or None, **days
    ), problems
