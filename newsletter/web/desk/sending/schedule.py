"""
Scheduling an issue: to whom, when, and a last page that says it before anything happens.

    GET   …/issues/{slug}/schedule            the form; or what is scheduled
    GET   …/issues/{slug}/schedule/audience   a part: who would get it
    GET   …/issues/{slug}/schedule/moment     a part: when that is, by both clocks
    GET   …/issues/{slug}/schedule/last       the last page before
    POST  …/issues/{slug}/schedule            queue
    POST  …/issues/{slug}/schedule/undo       take back what has not started
"""

import datetime as dt
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import ApprovalVoid, FindingsOpen, WrongState
from newsletter.pipeline.proposal import Objection, Proposal, Standing, Wish
from newsletter.times import language_words
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.sending import drawn
from newsletter.web.desk.sending.given import Given, given_in
from newsletter.web.desk.sending.spoken import city_of, instant_words, span_words
from newsletter.web.desk.words import tongue

ISSUE: Final = "/desk/n/{newsletter}/issues/{slug}"

_ABOUT_TIME: Final = frozenset({Objection.NO_TIME, Objection.PAST, Objection.PAST_SOMEWHERE})


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of scheduling."""
    routes = APIRouter()
    pages = _Pages(desk)

    @routes.get(f"{ISSUE}/schedule")
    def look(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return pages.form(request, seat, (newsletter, slug), given_in(request.query_params))

    @routes.get(f"{ISSUE}/schedule/audience")
    def audience(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return pages.part(request, seat, (newsletter, slug), "sending/audience.html.j2")

    @routes.get(f"{ISSUE}/schedule/moment")
    def moment(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return pages.part(request, seat, (newsletter, slug), "sending/moment.html.j2")

    @routes.get(f"{ISSUE}/schedule/last")
    def last(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        return pages.last(request, seat, (newsletter, slug), given_in(request.query_params))

    @routes.post(f"{ISSUE}/schedule")
    def queue(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        return pages.queue(request, seat, (newsletter, slug), form)

    @routes.post(f"{ISSUE}/schedule/undo")
    def undo(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        said = "Taken back: nothing was sent. You can schedule it anew."
        try:
            seat.pipeline.scheduling.undo(slug, newsletter=newsletter)
        except WrongState:
            said = "That was not possible any more. This is how it stands now."
        said = desk.say(request, seat, said)
        return desk.onward(f"/desk/n/{newsletter}/issues/{slug}/schedule", said=said)

    return routes


Named = tuple[str, str]
"""The slugs of a newsletter and of an issue of it."""


class _Pages:
    """Shows the pages of scheduling."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def form(
        self, request: Request, seat: Seat, named: Named, given: Given, *, proposal: Proposal | None = None
    ) -> Response:
        """The form, or what is scheduled where something is."""
        newsletter, slug = named
        standing = seat.pipeline.scheduling.standing(slug, newsletter=newsletter)
        names = self._names(request, seat, standing)
        if standing.run is not None:
            template = "sending/scheduled.html.j2"
            return self._desk.show(request, template, seat, nav="issues", run=standing.run, **names)
        given = _begun(given, standing, now=seat.pipeline.parts.now(), seat=seat)
        amiss = proposal.objections if proposal else ()
        return self._desk.show(
            request,
            "sending/schedule.html.j2",
            seat,
            nav="issues",
            status=422 if amiss else 200,
            given=given,
            amiss=amiss,
            about_time=next((each for each in amiss if each in _ABOUT_TIME), None),
            **names,
        )

    def part(self, request: Request, seat: Seat, named: Named, template: str) -> Response:
        """A part of the form that follows what is chosen in it."""
        newsletter, slug = named
        standing = seat.pipeline.scheduling.standing(slug, newsletter=newsletter)
        given = given_in(request.query_params)
        proposal = self._proposed(seat, standing, given)
        names = self._names(request, seat, standing)
        return self._desk.show(request, template, seat, given=given, proposal=proposal, **names)

    def last(self, request: Request, seat: Seat, named: Named, given: Given, *, mistyped: bool = False) -> Response:
        """The last page, or the form again with what is wrong."""
        newsletter, slug = named
        standing = seat.pipeline.scheduling.standing(slug, newsletter=newsletter)
        proposal = self._proposed(seat, standing, given)
        if not proposal.is_sound:
            return self.form(request, seat, named, given, proposal=proposal)
        return self._desk.show(
            request,
            "sending/last.html.j2",
            seat,
            nav="issues",
            status=422 if mistyped else 200,
            given=given,
            proposal=proposal,
            mistyped=mistyped,
            **self._names(request, seat, standing),
        )

    def queue(self, request: Request, seat: Seat, named: Named, form: Any) -> Response:
        """Queue; a form that comes twice finds what it did the first time."""
        newsletter, slug = named
        given = given_in(form)
        standing = seat.pipeline.scheduling.standing(slug, newsletter=newsletter)
        if standing.run is not None:
            return self._desk.onward(f"/desk/n/{newsletter}/issues/{slug}/schedule")
        wish = _wish(given, standing, seat)
        try:
            done = seat.pipeline.scheduling.schedule(slug, wish, newsletter=newsletter, typed=form.get("typed"))
        except (ApprovalVoid, FindingsOpen):
            said = self._desk.say(
                request, seat, "Something was changed since this issue was approved. Look at its checks and approve it."
            )
            return self._desk.onward(f"/desk/n/{newsletter}/issues/{slug}/check", said=said)
        except WrongState:
            return self._desk.onward(f"/desk/n/{newsletter}/issues/{slug}/schedule")
        if isinstance(done, Proposal):
            return self.last(request, seat, named, given, mistyped=done.is_sound)
        page = "run" if wish.at is None else "schedule"
        return self._desk.onward(f"/desk/n/{newsletter}/issues/{slug}/{page}")

    def _proposed(self, seat: Seat, standing: Standing, given: Given) -> Proposal:
        wish = _wish(given, standing, seat)
        return seat.pipeline.scheduling.propose(standing.slug, wish, newsletter=standing.newsletter)

    def _names(self, request: Request, seat: Seat, standing: Standing) -> dict[str, Any]:
        """What every page of scheduling speaks of."""
        language = self._desk.language_of(request, seat)
        locale, own = tongue(language, "UTC").locale, seat.operator.timezone
        head = seat.pipeline.building.head(standing.slug, newsletter=standing.newsletter, language=language)
        return {
            "issue": head,
            "step": "schedule",
            "standing": standing,
            "city": city_of(standing.zone, locale=locale),
            "own_city": city_of(own, locale=locale),
            "own_zone": own,
            "choices": [(name, name) for name in standing.segments],
            "tongue_of": lambda tag: language_words([tag], locale=locale),
            "seconds": lambda number: dt.timedelta(seconds=number),
            "charts": drawn,
            "at_place": lambda when, zone: instant_words(when, language=language, zone=zone),
            "lasting": lambda span: span_words(span, language=language),
        }


def _wish(given: Given, standing: Standing, seat: Seat) -> Wish:
    return given.wish(newsletter_zone=standing.zone, officer_zone=seat.operator.timezone)


def _begun(given: Given, standing: Standing, *, now: dt.datetime, seat: Seat) -> Given:
    """The form as it is first seen: the only segment there is, and nine o'clock on the next day."""
    changes: dict[str, str] = {}
    if not given.segment and len(standing.segments) == 1:
        changes["segment"] = standing.segments[0]
    if not given.day and not given.time and given.when == "at":
        zone = seat.operator.timezone if given.clock == "officer" else standing.zone
        tomorrow = now.astimezone(ZoneInfo(zone)).date() + dt.timedelta(days=1)
        changes |= {"day": tomorrow.isoformat(), "time": "09:00"}
    return replace(given, **changes)
