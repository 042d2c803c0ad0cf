"""
The page that checks an issue: contents, preview, findings, whom it would reach, test messages.

    GET   …/{slug}/check            `edition`, `view` (html, text, source), `width` (computer, phone), `scheme` (light,
                                    dark), `as`, `mark`, `pictures`, `segment`, `pane`, `tests`
    GET   …/{slug}/check/audience   a part: whom a segment would reach
    GET   …/{slug}/check/tests      a part: how test messages stand

Editions are compiled when the page is first asked for after a change; a page with a script is shown at once and says
so, one without waits.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.assembly.edition import Edition
from newsletter.bootstrap import Pipeline
from newsletter.content.matrix import Completeness, MatrixRow
from newsletter.errors import CompilationFailed, InvalidInput, NotFound
from newsletter.pipeline.looks import Look
from newsletter.preflight.audience import check_audience
from newsletter.preflight.passages import passages
from newsletter.web.desk.checks.addresses import address_of
from newsletter.web.desk.checks.cards import board_of
from newsletter.web.desk.checks.preview import preview_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Seat, Viewer
from subscribers.errors import SubscribersError

PANES = ("contents", "preview", "checks")
"""What a narrow screen shows one at a time."""

_MOST_STAMPS = 200
"""Test messages that a page tells of: ten addresses in twenty languages."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes `…/check` that look."""
    routes, pages = APIRouter(), CheckPages(pipeline, desk)
    root = "/desk/n/{newsletter}/issues/{slug}/check"

    @routes.get(root)
    def page(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return pages.page(request, seat, newsletter, slug)

    @routes.get(f"{root}/audience")
    def audience(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        segment = request.query_params.get("segment", "")
        found = pages.audience(request, seat, newsletter, slug, segment=segment)
        return desk.show(request, "checks/audience.html.j2", seat, audience=found)

    @routes.get(f"{root}/tests")
    def tests(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        trials = pipeline.trials.standing(slug, newsletter=newsletter, stamps=_stamps(request))
        names: dict[str, Any] = {
            "trials": trials,
            "tests": request.query_params.get("tests", ""),
            "root": address_of(newsletter, slug),
        }
        return desk.show(request, "checks/trials.html.j2", seat, **names)

    return routes


class CheckPages:
    """Shows how an issue stands before it is approved."""

    def __init__(self, pipeline: Pipeline, desk: Desk) -> None:
        self._pipeline = pipeline
        self._looking = pipeline.previewing
        self._desk = desk

    def page(self, request: Request, seat: Seat, newsletter: str, slug: str) -> Response:
        """The page, or the one that says that editions are being compiled."""
        head = self._looking.head(slug, newsletter=newsletter)
        names: dict[str, Any] = {"issue": head, "step": "check", "nav": "issues", "root": address_of(newsletter, slug)}
        if head.assembled is None:
            return self._desk.show(request, "checks/unassembled.html.j2", seat, **names)
        is_part, may_wait = "hx-request" in request.headers, "now" in request.query_params
        if not is_part and not may_wait and not self._looking.is_ready(slug, newsletter=newsletter):
            return self._desk.show(request, "checks/waiting.html.j2", seat, **names, query=request.url.query)
        try:
            look = self._looking.look(slug, newsletter=newsletter)
        except (CompilationFailed, InvalidInput, NotFound) as error:
            return self._desk.show(
                request, "checks/broken.html.j2", seat, status=200 if is_part else 409, **names, error=str(error)
            )
        return self._desk.show(request, "checks/check.html.j2", seat, **names, **self._names(request, seat, look))

    def _names(self, request: Request, seat: Seat, look: Look) -> dict[str, Any]:
        newsletter, slug, asked = look.facts.settings.slug, look.facts.plan.slug, request.query_params
        preview = preview_of(request, seat, look, self._looking, links=self._pipeline.parts.links)
        language = self._desk.language_of(request, seat)
        segments, last = self._looking.segments(newsletter)
        segment = asked.get("segment", "")
        counted = segment in segments
        return {
            "look": look,
            "preview": preview,
            "board": board_of(self._looking.judged(look), look, language=language, show=preview.showing),
            "contents": contents_of(look, look.edition(preview.artifact.name)),
            "reviews": self._pipeline.reviewing.reviews(slug, newsletter=newsletter, look=look),
            "segments": segments,
            "segment_choices": [(name, name) for name in segments],
            "segment": segment if counted else last,
            "audience": self.audience(request, seat, newsletter, slug, segment=segment) if counted else None,
            "pane": asked["pane"] if asked.get("pane") in PANES else "preview",
            "tests": asked.get("tests", ""),
            "trials": self._pipeline.trials.standing(slug, newsletter=newsletter, stamps=_stamps(request)),
        }

    def audience(self, request: Request, seat: Seat, newsletter: str, slug: str, *, segment: str) -> dict[str, Any]:
        """Whom a segment would reach, and what checks say of that. Raises NotFound."""
        try:
            expected = self._looking.expected(slug, newsletter=newsletter, segment=segment)
        except SubscribersError as error:
            raise NotFound("segment", segment) from error
        again = f"{address_of(newsletter, slug)}/audience?{urlencode({'segment': segment})}"
        if expected is None:
            return {"expected": None, "again": again}
        language = self._desk.language_of(request, seat)
        facts = self._looking.look(slug, newsletter=newsletter).facts
        found = [
            {"severity": each.severity.value, "message": each.message(language), "hint": each.hint(language)}
            for each in check_audience(expected.counts, facts)
        ]
        return {"expected": expected, "findings": found}


def _stamps(request: Request) -> list[str]:
    return request.query_params.get("tests", "").split(".")[:_MOST_STAMPS]


def contents_of(look: Look, edition: Edition) -> list[dict[str, Any]]:
    """The sections of an issue with its entries as an edition calls them, and how each stands in every language."""
    rows = {row.key: row for row in look.matrix}
    called = {passage.place: passage.words for passage in passages(edition)}
    titles = {view.key: view.title.text for view in edition.sections if view.title}
    sections: dict[str, list[dict[str, Any]]] = {}
    for item in look.facts.items:
        entry = {
            "key": item.key,
            "title": called.get(item.key) or rows[item.key].title,
            "is_shown": item.key in called,
            "states": list(_states(rows[item.key])),
            "segment": item.segment,
        }
        sections.setdefault(item.section, []).append(entry)
    return [{"title": titles.get(key, key), "rows": entries} for key, entries in sections.items()]


def _states(row: MatrixRow) -> Iterator[tuple[str, str, str]]:
    """How an entry stands in each language that it is meant for, in the words of `ui.languages`."""
    for cell in row.cells:
        if cell.state is not Completeness.EXCLUDED:
            is_there = cell.state in {Completeness.PRESENT, Completeness.STALE}
            yield cell.language, cell.state.value if is_there else "missing", cell.instead or ""
