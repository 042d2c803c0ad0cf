"""
The table of people.

    GET   /desk/people           q, list, state, language, tag, segment, suppressed, before
    GET   /desk/people/count     the same: a part of the page that comes after it
    POST  /desk/people/export    the same, as fields: a CSV file

Viewers see masked addresses, and search by nothing that would tell them one.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import TextIOWrapper
from typing import IO, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from newsletter.bootstrap import Pipeline
from newsletter.errors import TooSlow
from newsletter.pipeline.person import Person
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.people.labels import STANDINGS, pairs
from subscribers.address import masked
from subscribers.errors import UnknownList, UnknownSegment
from subscribers.models import MembershipState
from subscribers.store import UNKNOWN_LANGUAGE, Sought

ROWS: Final = 50
"""People on a page."""

_BLOCK: Final = 1 << 16
_NAMES: Final = ("q", "list", "state", "language", "tag", "segment", "suppressed")


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the table."""
    routes = APIRouter()
    register = pipeline.register

    @routes.get("/desk/people")
    def look(request: Request, seat: Viewer) -> Response:
        asked = _asked(request.query_params, seat)
        sought, segment = _sought(asked)
        before = request.query_params.get("before", "")
        page: tuple[Person, ...] = ()
        slow, more = False, ""
        try:
            found = register.search(
                sought, segment=segment, limit=ROWS, before=int(before) if before.isdecimal() else None
            )
            page = tuple(shown(each, seat) for each in found.people)
            more = f"?{urlencode({**asked, 'before': page[-1].key})}" if found.more else ""
        except TooSlow:
            slow = True
        except (UnknownList, UnknownSegment):
            pass  # renamed since the address was kept: nobody stands in what is gone
        return desk.show(
            request,
            "people/table.html.j2",
            seat,
            nav="people",
            people=page,
            slow=slow,
            more=more,
            asked=asked,
            query=urlencode(asked),
            is_filtered=bool(asked),
            is_first=not before,
            choices=register.choices(),
            standings=STANDINGS,
            pairs=pairs,
            unknown=UNKNOWN_LANGUAGE,
        )

    @routes.get("/desk/people/count")
    def count(request: Request, seat: Viewer) -> Response:
        sought, segment = _sought(_asked(request.query_params, seat))
        try:
            many = register.count(sought, segment=segment)
        except (TooSlow, UnknownList, UnknownSegment):
            many = None
        return desk.show(request, "people/count.html.j2", seat, many=many)

    @routes.post("/desk/people/export")
    def export(seat: Officer, form: Sent) -> Response:
        sought, segment = _sought(_asked({name: form.get(name) for name in _NAMES}, seat))
        file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  the answer closes it
        out = TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        seat.pipeline.register.export(sought, out, segment=segment)
        out.detach()
        headers = {"Content-Disposition": 'attachment; filename="people.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(_blocks(file), media_type="text/csv; charset=utf-8", headers=headers)

    return routes


def shown(person: Person, seat: Seat) -> Person:
    """A person as somebody may see them: viewers see no address and no name whole."""
    if seat.may("officer"):
        return person
    fields = {name: text for name, text in person.fields.items() if name not in {"first_name", "last_name"}}
    initials = {
        name: f"{person.fields[name][:1]}." if person.fields[name] else "" for name in ("first_name", "last_name")
    }
    return replace(person, address=masked(person.address), fields={**fields, **initials}, attributes={})


def _asked(given: Mapping[str, str], seat: Seat) -> dict[str, str]:
    """What is asked for, without what is empty."""
    names = _NAMES if seat.may("officer") else _NAMES[1:]
    asked = {name: given.get(name, "").strip() for name in names}
    if not asked["list"]:
        asked["state"] = ""
    return {name: text for name, text in asked.items() if text}


def _sought(asked: Mapping[str, str]) -> tuple[Sought, str]:
    state = asked.get("state", "confirmed")
    sought = Sought(
        text=asked.get("q", ""),
        list_name=asked.get("list", ""),
        state=MembershipState(state) if state in set(MembershipState) else None,
        language=asked.get("language", ""),
        tag=asked.get("tag", ""),
        suppressed="suppressed" in asked,
    )
    return sought, asked.get("segment", "")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(_BLOCK):
            yield block
