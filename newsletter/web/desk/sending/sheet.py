"""
A report as a sheet of figures (CSV, RFC 4180), one figure a line.

Takes a `Report`; yields the bytes of a file that spreadsheets open by a double click: UTF-8 with a byte order mark,
without which Excel takes accents for something else. Promises that no cell is a formula (CWE-1236): what would begin
one is preceded by an apostrophe.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from newsletter.dispatch.figures import FEWEST, Part
from newsletter.feedback.clicks.models import Engaged
from newsletter.pipeline.reporting import Report
from newsletter.planning.models import DeliveryState
from newsletter.times import rfc3339

HEAD: Final = ("newsletter", "issue", "part", "name", "figure", "value")
"""`part` is what the figure is of (issue, language, provider …), `name` which of them."""

_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[str, str, str, str | int]
"""Part, name, figure, value."""


def sheet_of(report: Report) -> bytes:
    """Write the figures of a report."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out)
    sheet.writerow(HEAD)
    for row in _rows(report):
        sheet.writerow(map(_plain, (report.newsletter, report.line.slug, *row)))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _rows(report: Report) -> Iterator[Row]:
    figures = report.figures
    yield "issue", "", "total", figures.total
    yield from _states("issue", Part(name="", states=figures.states))
    yield from (("issue", "", f"came back: {kind.value}", number) for kind, number in sorted(report.line.back.items()))
    yield from _times(report)
    named = (("language", figures.languages), ("provider", figures.providers), ("relay", figures.relays))
    for what, parts in named:
        for part in parts:
            yield from _states(what, part)
    if figures.others.total >= FEWEST:
        yield from _states("provider", Part(name="others", states=figures.others.states))
    for cause in figures.causes:
        codes = " ".join(filter(None, (str(cause.code or ""), cause.enhanced or "", cause.said)))
        yield "reason", codes, cause.state.value, cause.number
    yield from _engaged(report)


def _times(report: Report) -> Iterator[Row]:
    for number, run in enumerate(report.runs, 1):
        for what, when in (("started", run.started), ("ended", run.ended)):
            if when is not None:
                yield "run", str(number), what, rfc3339(when)
    for moment in report.figures.moments:
        yield "time", rfc3339(moment.at), f"accepted in {report.figures.step} s", moment.number


def _states(part: str, of: Part) -> Iterator[Row]:
    for state in DeliveryState:
        if of.states.get(state):
            yield part, of.name, state.value, of.states[state]


def _engaged(report: Report) -> Iterator[Row]:
    if report.engaged is None:
        return
    for edition in report.engaged.editions:
        for link in edition.links:
            yield f"link {edition.language}", link.url, "clicks", link.times.people
        if report.engaged.opens:
            yield "language", edition.language, "opens", edition.opens.people
        for kind in Engaged:
            if edition.readers.get(kind):
                yield "language", edition.language, f"people who {kind.value}", edition.readers[kind]


def _plain(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value.startswith(_BEGINS_FORMULA) else value
