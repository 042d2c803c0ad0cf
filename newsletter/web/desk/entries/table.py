"""
The table of entries, and the first step of a new one.

    GET   /desk/n/{newsletter}/entries        `?q= kind= status= section= language= state= after= before=`
    GET   /desk/n/{newsletter}/entries/new    `?kind=`
    POST  /desk/n/{newsletter}/entries        `kind`, `title`, `language`, `section`
"""

import datetime as dt
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.content.entry import Kind, Status
from newsletter.content.matrix import Completeness
from newsletter.content.newsletter import Newsletter
from newsletter.content.register import MOST_COUNTED, Mark, Wanted
from newsletter.errors import InvalidInput
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries.form import number_in
from newsletter.web.desk.entries.said import KINDS, STATES, STATUSES, Labels
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Viewer
from newsletter.web.desk.words import desk_words

_FILTERS: Final = ("q", "kind", "status", "section", "language", "state")

Member = TypeVar("Member", bound=StrEnum)
"""Of an enumeration that a filter chooses from."""


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the table."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/entries")
    def table(request: Request, newsletter: str, seat: Viewer) -> Response:
        asked = request.query_params
        wanted = _wanted(asked)
        found = seat.pipeline.writing.shelf.page(
            newsletter, wanted, after=_mark(asked.get("after")), before=_mark(asked.get("before"))
        )
        rows, page = found.page.rows, found.page
        names = {
            "labels": labels_of(desk, request, seat, found.newsletter),
            "settings": found.newsletter,
            "topics": found.topics,
            "page": page,
            "bound": MOST_COUNTED,
            "wanted": wanted,
            "is_filtered": wanted != Wanted(),
            "next_href": _further(asked, after=rows[-1].mark) if rows and page.older else "",
            "previous_href": _further(asked, before=rows[0].mark) if rows and page.newer else "",
            **_choices(),
        }
        return desk.show(request, "entries/table.html.j2", seat, nav="entries", **names)

    @routes.get("/desk/n/{newsletter}/entries/new")
    def begin(request: Request, newsletter: str, seat: Officer) -> Response:
        settings = seat.pipeline.entries.newsletter(newsletter)
        return _form(request, seat, settings, kind=request.query_params.get("kind", Kind.NEWS.value))

    @routes.post("/desk/n/{newsletter}/entries")
    def create(request: Request, newsletter: str, seat: Officer, form: Sent) -> Response:
        settings = seat.pipeline.entries.newsletter(newsletter)
        kind = _member(Kind, form.get("kind")) or Kind.NEWS
        try:
            key = seat.pipeline.writing.shelf.create(
                newsletter,
                kind=kind,
                title=form.get("title").strip(),
                language=form.get("language"),
                section=form.get("section"),
            )
        except InvalidInput:
            given = {"title": form.get("title"), "language": form.get("language")}
            return _form(request, seat, settings, kind=kind.value, status=422, **given)
        return desk.onward(f"/desk/n/{newsletter}/entries/{key}")

    def _form(
        request: Request, seat: Any, settings: Newsletter, *, kind: str, status: int = 200, **given: str
    ) -> Response:
        return desk.show(
            request,
            "entries/new.html.j2",
            seat,
            status=status,
            nav="entries",
            labels=labels_of(desk, request, seat, settings),
            settings=settings,
            kind=kind,
            title=given.get("title", ""),
            language=given.get("language", settings.default_language),
            is_refused=status != 200,  # noqa: PLR2004  RFC 9110 §15.3.1
            **_choices(),
        )

    return routes


def labels_of(desk: Desk, request: Request, seat: Any, settings: Newsletter) -> Labels:
    """The words of a page about a newsletter's entries."""
    language = desk.language_of(request, seat)
    return Labels(desk_words(language).say, language, settings, seat.pipeline.writing.called())


def _choices() -> dict[str, Any]:
    return {"kinds": list(KINDS), "statuses": list(STATUSES), "states": list(STATES)}


def _wanted(asked: QueryParams) -> Wanted:
    return Wanted(
        kind=_member(Kind, asked.get("kind")),
        status=_member(Status, asked.get("status")),
        section=asked.get("section", ""),
        words=asked.get("q", "").strip(),
        language=asked.get("language", ""),
        state=state if (state := _member(Completeness, asked.get("state"))) in STATES else None,
    )


def _member(kind: type[Member], value: str | None) -> Member | None:
    return kind(value) if value in {member.value for member in kind} else None


def _mark(said: str | None) -> Mark | None:
    day, _, number = (said or "").partition("_")
    try:
        return Mark(dt.date.fromisoformat(day), number_in(number, otherwise=0))
    except ValueError:
        return None


def _further(asked: QueryParams, **marks: Mark) -> str:
    kept = {name: value for name in _FILTERS if (value := asked.get(name))}
    place = {name: f"{mark.published.isoformat()}_{mark.id}" for name, mark in marks.items()}
    return f"?{urlencode({**kept, **place})}"
