"""
Today: what needs somebody, and the first steps where nothing was sent yet.

    GET  /desk
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.alert_words import reason_words, said
from newsletter.pipeline.alerting import Current
from newsletter.pipeline.today import Back, Open, Steps
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Viewer
from newsletter.web.desk.words import desk_words

TALL: Final = 48
"""Units of the drawing: the height of the tallest bar."""


CHECKED: Final = 2
"""Drafts whose checks are looked up: each costs as much as reading the issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A day of the drawing, in its units: how high hard bounces and complaints stand, and all that came back."""

    day: Back
    x: int
    height: int
    hard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """An alert of the installation on the page."""

    heading: str
    lines: tuple[str, ...]
    address: str
    label: str


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The route of the page."""
    del pipeline
    routes = APIRouter()

    @routes.get("/desk")
    def look(request: Request, seat: Viewer) -> Response:
        found = desk.pipeline.today.look()
        language = desk.language_of(request, seat)
        return desk.show(
            request,
            "today/page.html.j2",
            seat,
            nav="today",
            today=found,
            step=step_of(found.steps),
            bars=bars_of(found.back),
            tall=TALL,
            reason=partial(reason_words, words=desk_words(language)),
            asked=desk.pipeline.alerting.asked(),
            findings=_findings(desk.pipeline, found.issues),
            warnings=[_warning(each, language, seat.operator.timezone) for each in desk.pipeline.alerting.current()],
        )

    return routes


def _findings(pipeline: Pipeline, issues: tuple[Open, ...]) -> dict[tuple[str, str], tuple[int, int]]:
    """How many findings are to be fixed and to be decided, of the drafts that are written and were checked."""
    found = {}
    whole = [each.head for each in issues if each.gaps is not None and each.gaps.is_whole]
    for head in whole[:CHECKED]:
        if pipeline.previewing.is_ready(head.slug, newsletter=head.newsletter):
            judged = pipeline.previewing.judged(pipeline.previewing.look(head.slug, newsletter=head.newsletter))
            found[head.newsletter, head.slug] = len(judged.errors), len(judged.undecided)
    return found


def step_of(steps: Steps) -> int:
    """The number of the first step that is not done, from 0."""
    done = (
        steps.newsletter is not None,
        steps.has_people,
        steps.has_entries,
        steps.issue is not None,
        steps.has_test,
        steps.has_sent,
    )
    return next((number for number, is_done in enumerate(done) if not is_done), len(done))


def bars_of(days: tuple[Back, ...]) -> list[Bar]:
    """The bars of some days, the tallest as high as the drawing; none where nothing came back."""
    most = max((day.total for day in days), default=0)
    if not most:
        return []
    return [
        Bar(
            day=day,
            x=number * 10,
            height=-(-day.total * TALL // most),
            hard=-(-(day.hard + day.complaints) * TALL // most),
        )
        for number, day in enumerate(days)
    ]


def _warning(current: Current, language: str, zone: str) -> Concern:
    told = said(current.kind, current.facts, desk_words(language), newsletter=current.newsletter, zone=zone)
    return Concern(heading=told.heading, lines=told.lines, address="/".join(("/desk", *told.page)), label=told.button)
