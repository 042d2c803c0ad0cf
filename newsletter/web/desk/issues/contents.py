"""
What an issue holds: choose and order.

    GET   /desk/n/N/issues/SLUG             `q`, `after`: search and place in what is left out
    GET   /desk/n/N/issues/SLUG/left-out    the same as a part of the page
    POST  /desk/n/N/issues/SLUG/items       `do` (see `_change`), `seen`, `key`, `placement`, …
    POST  /desk/n/N/issues/SLUG/reopen      ends an approval

A change answers a script with the changed part of the page, and everybody else with the way back to it.
"""

from functools import partial

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.assembly.arranging import END, Add, Change, Limit, Move, Remove, Step
from newsletter.assembly.facts import IssueState, Placement
from newsletter.bootstrap import Pipeline
from newsletter.pipeline.building import Arranged
from newsletter.pipeline.contents import Contents
from newsletter.times import Span, spans_words
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.issues.said import outcome
from newsletter.web.desk.issues.values import number_of
from newsletter.web.desk.words import tongue

_LONGEST_SEARCH = 200


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: ARG001  every area is made of both
    """The routes of the contents of an issue."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/issues/{slug}")
    def look(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        q, after = _asked(request)
        return _show(request, seat, _contents(request, seat, newsletter, slug), q=q, after=after)

    @routes.get("/desk/n/{newsletter}/issues/{slug}/left-out")
    def look_further(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        q, after = _asked(request)
        contents = _contents(request, seat, newsletter, slug)
        return _show(request, seat, contents, q=q, after=after, part="issues/candidates.html.j2")

    @routes.post("/desk/n/{newsletter}/issues/{slug}/items")
    def change(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        building, seen, did = seat.pipeline.building, form.get("seen"), form.get("do")
        if did == "undo":
            arranged = building.undo(slug, newsletter=newsletter, seen=seen)
        else:
            arranged = building.arrange(slug, _change(form), newsletter=newsletter, seen=seen)
        return _answer(request, seat, _contents(request, seat, newsletter, slug), form, arranged)

    @routes.post("/desk/n/{newsletter}/issues/{slug}/reopen")
    def reopen(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        seat.pipeline.building.reopen(slug, newsletter=newsletter)
        back = "/wording" if form.get("back") == "wording" else ""
        said = desk.say(request, seat, "The approval has ended. The issue is a draft again.")
        return desk.onward(f"/desk/n/{newsletter}/issues/{slug}{back}", said=said)

    def _answer(request: Request, seat: Seat, contents: Contents, form: DeskForm, arranged: Arranged) -> Response:
        section = next((each.title for each in contents.sections if each.key == arranged.section), "")
        did, segment = form.get("do"), form.get("segment")
        told, is_good = outcome(
            arranged,
            "everybody" if did == "segment" and not segment else did,
            say=partial(desk.say, request, seat),
            title=_title(contents, form),
            section=section or (arranged.section or "").capitalize(),
            segment=segment,
        )
        if "hx-request" in request.headers:
            part = "issues/builder.html.j2"
            return _show(request, seat, contents, q=form.get("q"), part=part, told=told, is_good=is_good)
        return desk.onward(f"/desk/n/{contents.head.newsletter}/issues/{contents.head.slug}", said=told)

    def _contents(request: Request, seat: Seat, newsletter: str, slug: str) -> Contents:
        language = desk.language_of(request, seat)
        return seat.pipeline.building.contents(slug, newsletter=newsletter, language=language)

    def _show(
        request: Request,
        seat: Seat,
        contents: Contents,
        *,
        q: str,
        after: int = -1,
        part: str = "issues/contents.html.j2",
        told: str = "",
        is_good: bool = True,
    ) -> Response:
        head, building = contents.head, seat.pipeline.building
        may_change = seat.may("officer") and head.state == IssueState.DRAFT and head.assembled is not None
        locale = tongue(desk.language_of(request, seat), seat.operator.timezone).locale
        return desk.show(
            request,
            part,
            seat,
            nav="issues",
            issue=head,
            step="contents",
            contents=contents,
            candidates=building.left_out(head.slug, newsletter=head.newsletter, search=q, after=after),
            q=q,
            segments=building.segments() if may_change else (),
            may_change=may_change,
            dates=partial(_dates, locale=locale),
            told=told,
            is_good=is_good,
        )

    return routes


def _asked(request: Request) -> tuple[str, int]:
    """The search in what is left out, and the position to go on behind."""
    after = number_of(request.query_params.get("after", ""), most=END)
    return request.query_params.get("q", "").strip()[:_LONGEST_SEARCH], -1 if after is None else after


def _change(form: DeskForm) -> Change:
    """
    The change that a form asks for.

    `do` is `up`, `down`, `move` (with `section` and `place`), `section` (with `to`), `segment`, `remove` or `add` (with
    `section`). Raises HTTPException 422 for anything else.
    """
    key = form.get("key")
    placement = Placement.LINES if form.get("placement") == Placement.LINES else Placement.BLOCK
    match form.get("do"):
        case "up" | "down" as way:
            return Step(key=key, by=-1 if way == "up" else 1)
        case "move" | "section":
            return _moved(form, key, placement)
        case "segment":
            return Limit(key=key, segment=form.get("segment") or None)
        case "remove":
            return Remove(key=key, placement=placement)
        case "add":
            return Add(key=key, section=form.get("section"))
    raise HTTPException(422)


def _moved(form: DeskForm, key: str, placement: Placement) -> Change:
    """Another section or place; lines keep theirs, and their entry gets a block beside them."""
    if form.get("do") == "move":
        place = number_of(form.get("place"), most=END)
        section = form.get("section")
        return Move(key=key, placement=placement, section=section, place=END if place is None else place)
    if placement is Placement.LINES:
        return Add(key=key, section=form.get("to"))
    return Move(key=key, placement=placement, section=form.get("to"))


def _title(contents: Contents, form: DeskForm) -> str:
    """The title of the item that a form is about: as it stands in the issue, else as the form says."""
    items = (item for section in contents.sections for item in section.items)
    return next((item.title for item in items if item.key == form.get("key")), form.get("title") or form.get("key"))


_MOST_DATES = 3
"""Dates of an item that are written out: the rest is counted on its own page."""


def _dates(spans: tuple[Span, ...], *, locale: str) -> str:
    words = spans_words(spans[:_MOST_DATES], locale=locale, style="line")
    return f"{words} …" if len(spans) > _MOST_DATES else words
