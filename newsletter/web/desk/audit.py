"""
The audit log: who did what, and when.

    GET  /desk/audit        `operator`, `deed`, `from`, `to` (days); `below` or `above` a line
    GET  /desk/audit.csv    the same lines as a table for spreadsheets
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from newsletter.accounts.log import DeedFilter, LoggedDeed
from newsletter.accounts.models import Deed
from newsletter.bootstrap import Pipeline
from newsletter.times import rfc3339
from newsletter.web.desk.accounts import Blank
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Admin, Seat
from subscribers.privacy import cell

_HEADINGS: Final = ("at", "operator", "deed", "about", "reason")
_FIELDS: Final = ("operator", "deed", "from", "to")


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the audit log."""
    routes = APIRouter()
    deeds = pipeline.operators.deeds

    @routes.get("/desk/audit")
    def look(request: Request, seat: Admin) -> Response:
        asked = request.query_params
        wanted = _wanted(request, seat)
        page = deeds.page(wanted, below=_number(asked.get("below")), above=_number(asked.get("above")))
        kept = Blank({name: asked[name] for name in _FIELDS if asked.get(name)})
        return desk.show(
            request,
            "audit/audit.html.j2",
            seat,
            nav="audit",
            page=page,
            kept=kept,
            operators=deeds.operators(),
            deeds=_named(desk, request, seat),
            table="/desk/audit.csv" + (f"?{urlencode(kept)}" if kept else ""),
            older=f"?{urlencode({**kept, 'below': page.older})}" if page.older else "",
            newer=f"?{urlencode({**kept, 'above': page.newer})}" if page.newer else "",
        )

    @routes.get("/desk/audit.csv")
    def table(request: Request, seat: Admin) -> Response:
        return StreamingResponse(
            _table(deeds.all(_wanted(request, seat))),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )

    return routes


def _named(desk: Desk, request: Request, seat: Seat) -> Sequence[tuple[str, str]]:
    """Every deed and its words, by the words."""
    named = [(deed.value, desk.say(request, seat, deed.value, context="deed")) for deed in Deed]
    return sorted(named, key=itemgetter(1))


def _wanted(request: Request, seat: Seat) -> DeedFilter:
    """The filter of an address; what cannot be read is left out. Days are those of the operator's zone, both within."""
    asked, zone = request.query_params, ZoneInfo(seat.operator.timezone)
    since, until = _day(asked.get("from", "")), _day(asked.get("to", ""))
    return DeedFilter(
        operator=asked.get("operator", "")[:80],
        action=asked.get("deed", "")[:40],
        since=None if since is None else dt.datetime.combine(since, dt.time(), zone),
        before=None if until is None else dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), zone),
    )


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 9000 else None  # noqa: PLR2004  years that a log can be of, and no overflow


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and text.isascii() and len(text) < 19 else None  # noqa: PLR2004  64 bits


def _table(lines: Iterable[LoggedDeed]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADINGS)
    for line in lines:
        writer.writerow(
            [cell(value) for value in (rfc3339(line.at), line.operator, line.action, line.about, line.reason)]
        )
        if out.tell() > 60_000:  # noqa: PLR2004  octets that go out at once
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
