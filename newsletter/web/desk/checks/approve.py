"""
The page that approves an issue, and says what others think of it.

    GET   …/{slug}/approve              what an approval holds, who may give it, what reviewers say
    POST  …/{slug}/approve              `seen`…: the digests of the editions that were looked at
    POST  …/{slug}/approve/back         `reason`: take the approval back
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import ApprovalVoid, CompilationFailed, FindingsOpen, InvalidInput, NotFound, OwnWork
from newsletter.preflight.finding import edition_words
from newsletter.web.desk.checks.addresses import address_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer

USUAL_DAYS = 7
"""For which a link holds unless the officer says otherwise."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes `…/approve`."""
    routes, pages = APIRouter(), ApprovePages(pipeline, desk)
    root = "/desk/n/{newsletter}/issues/{slug}"

    @routes.get(f"{root}/approve")
    def page(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return pages.page(request, seat, newsletter, slug)

    @routes.post(f"{root}/approve")
    def approve(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        def back(words: str, page: str = "approve") -> Response:
            return desk.onward(address_of(newsletter, slug, page), said=desk.say(request, seat, words))

        try:
            seat.pipeline.approval.approve(slug, newsletter=newsletter, seen=form.all("seen"))
        except OwnWork:
            return back("You changed this issue last: somebody else has to approve it.")
        except FindingsOpen:
            return back("Not approved: something is still to be fixed or decided.", "check")
        except ApprovalVoid:
            return back("Not approved: it was changed since you opened the page. Look again.", "check")
        return back("Approved. These editions are what will be sent.")

    @routes.post(f"{root}/approve/back")
    def take_back(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        seat.pipeline.approval.take_back(slug, newsletter=newsletter, reason=form.get("reason").strip())
        said = desk.say(request, seat, "The approval is taken back: the issue is a draft again.")
        return desk.onward(address_of(newsletter, slug, "approve"), said=said)

    return routes


class ApprovePages:
    """Shows what an approval would hold, or holds."""

    def __init__(self, pipeline: Pipeline, desk: Desk) -> None:
        self._pipeline = pipeline
        self._looking = pipeline.previewing
        self._desk = desk

    def page(self, request: Request, seat: Seat, newsletter: str, slug: str) -> Response:
        """The page, or the one that says that editions are being compiled."""
        head = self._looking.head(slug, newsletter=newsletter)
        names: dict[str, Any] = {
            "issue": head,
            "step": "approve",
            "nav": "issues",
            "root": address_of(newsletter, slug, "approve"),
        }
        if head.assembled is None:
            return self._desk.show(request, "checks/unassembled.html.j2", seat, **names)
        is_part, may_wait = "hx-request" in request.headers, "now" in request.query_params
        if not is_part and not may_wait and not self._looking.is_ready(slug, newsletter=newsletter):
            return self._desk.show(request, "checks/waiting.html.j2", seat, **names, query="")
        try:
            look = self._looking.look(slug, newsletter=newsletter)
        except (CompilationFailed, InvalidInput, NotFound) as error:
            return self._desk.show(
                request, "checks/broken.html.j2", seat, status=200 if is_part else 409, **names, error=str(error)
            )
        language = self._desk.language_of(request, seat)
        editions = [(each.name, edition_words(each.name, language)) for each in look.built.artifacts]
        return self._desk.show(
            request,
            "checks/approve.html.j2",
            seat,
            **names,
            look=look,
            judged=self._looking.judged(look),
            eyes=seat.pipeline.approval.eyes(slug, newsletter=newsletter),
            log=seat.pipeline.approval.log(slug, newsletter=newsletter),
            reviews=self._pipeline.reviewing.reviews(slug, newsletter=newsletter, look=look),
            editions=editions,
            edition_names=dict(editions),
            days=USUAL_DAYS,
        )
