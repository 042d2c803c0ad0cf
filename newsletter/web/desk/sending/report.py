"""
What became of an issue: the report, the same as CSV, and the list of all reports.

    GET   /desk/n/{newsletter}/reports              the issues that went out
    GET   …/issues/{slug}/report                    the report; prints on paper
    GET   …/issues/{slug}/report.csv                its figures for a spreadsheet
    POST  …/issues/{slug}/report/proof              check the ledger now
"""

import datetime as dt
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.dispatch.figures import FEWEST
from newsletter.feedback.event import Kind
from newsletter.planning.models import DeliveryState
from newsletter.times import language_words
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Seat, Viewer
from newsletter.web.desk.sending import drawn
from newsletter.web.desk.sending.schedule import ISSUE
from newsletter.web.desk.sending.sheet import sheet_of
from newsletter.web.desk.sending.spoken import span_words
from newsletter.web.desk.words import tongue

PAGE: Final = 20
"""Issues on a page of the list."""


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of reports."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/reports")
    def look_at_all(request: Request, newsletter: str, seat: Viewer) -> Response:
        before = _place(request.query_params.get("before", ""))
        lines = seat.pipeline.reporting.lines(newsletter, limit=PAGE + 1, before=before)
        shown, more = lines[:PAGE], len(lines) > PAGE
        onward = f"?before={shown[-1].date.isoformat()}:{shown[-1].slug}" if more else ""
        names = {"lines": shown, "next": onward, "is_first": before is None, **_values()}
        return desk.show(request, "sending/reports.html.j2", seat, nav="reports", slug_of=newsletter, **names)

    @routes.get(f"{ISSUE}/report")
    def look(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        report = seat.pipeline.reporting.report(slug, newsletter=newsletter)
        names = {"report": report, **_names(desk, request, seat, newsletter, slug)}
        return desk.show(request, "sending/report.html.j2", seat, nav="issues", **names)

    @routes.get(f"{ISSUE}/report.csv")
    def download(newsletter: str, slug: str, seat: Viewer) -> Response:
        report = seat.pipeline.reporting.report(slug, newsletter=newsletter)
        if report is None:
            return desk.onward(f"/desk/n/{newsletter}/issues/{slug}/report")
        named = {"Content-Disposition": f'attachment; filename="{newsletter}-{slug}.csv"'}
        return Response(sheet_of(report), media_type="text/csv; charset=utf-8", headers=named)

    @routes.post(f"{ISSUE}/report/proof")
    def prove(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        checks = seat.pipeline.reporting.prove(slug, newsletter=newsletter)
        said = "Checked: everything holds." if all(check.holds for check in checks) else "Checked: look below."
        words = desk.say(request, seat, said)
        return desk.onward(f"/desk/n/{newsletter}/issues/{slug}/report#proof", said=words)

    return routes


def _names(desk: Desk, request: Request, seat: Seat, newsletter: str, slug: str) -> dict[str, Any]:
    language = desk.language_of(request, seat)
    locale = tongue(language, "UTC").locale
    return {
        "issue": seat.pipeline.building.head(slug, newsletter=newsletter, language=language),
        "step": "report",
        "tongue_of": lambda tag: language_words([tag], locale=locale),
        "lasting": lambda span: span_words(span, language=language),
        **_values(),
    }


def _values() -> dict[str, Any]:
    """What templates ask of values that have no words."""
    states = {"State": DeliveryState, "unsent": drawn.UNSENT, "waiting": drawn.WAITING}
    return {"charts": drawn, "Kind": Kind, "fewest": FEWEST, **states}


def _place(text: str) -> tuple[dt.date, str] | None:
    """Where a page of the list begins: behind the date and slug of an issue; None at the top."""
    day, _, slug = text.partition(":")
    try:
        return (dt.date.fromisoformat(day), slug) if slug else None
    except ValueError:
        return None
