"""
The run of an issue while it goes out: what is seen of it, and the buttons that stop it.

    GET   …/issues/{slug}/run             the page
    GET   …/issues/{slug}/run/events      server-sent events, see `events`
    GET   …/issues/{slug}/run/refusals    a part: what mail servers did not take, and why
    POST  …/issues/{slug}/run/pause | resume | go-on | cancel
    POST  …/issues/{slug}/run/halt        pause every run there is
    POST  …/issues/{slug}/run/person      what became of it for one address
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from newsletter.bootstrap import Pipeline
from newsletter.errors import WrongState
from newsletter.pipeline.watching import Sight
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.sending import drawn
from newsletter.web.desk.sending.events import (
    BEAT,
    BEAT_ROUNDS,
    HEADERS,
    LONGEST_ROUNDS,
    MEDIA_TYPE,
    RETRY,
    Feeds,
    Round,
    event,
)
from newsletter.web.desk.sending.schedule import ISSUE
from newsletter.web.desk.sending.spoken import span_words
from subscribers.errors import InvalidAddress

Named = tuple[str, str]
"""The slugs of a newsletter and of an issue of it."""

HALTED: Final = "Everything is paused."


class Verb(Protocol):
    """Something that can be done about a run."""

    def __call__(self, slug: str, *, newsletter: str | None) -> object:
        """Do it; raises WrongState where the run does not stand so that it can be."""
        ...


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of a run."""
    routes = APIRouter()
    pages, feeds = _Pages(desk), Feeds()

    @routes.get(f"{ISSUE}/run")
    def look(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return pages.show(request, seat, (newsletter, slug))

    @routes.get(f"{ISSUE}/run/refusals")
    def refusals(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        found = seat.pipeline.watching.refusals(slug, newsletter=newsletter)
        return desk.show(request, "sending/refusals.html.j2", seat, causes=found)

    @routes.get(f"{ISSUE}/run/events")
    async def events(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        told = pages.told(request, seat, (newsletter, slug), feeds)
        return StreamingResponse(told, media_type=MEDIA_TYPE, headers=HEADERS)

    @routes.post(f"{ISSUE}/run/pause")
    def pause(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        return pages.do(request, seat, (newsletter, slug), seat.pipeline.control.pause, "Paused: nothing new goes out.")

    @routes.post(f"{ISSUE}/run/resume")
    def resume(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        return pages.do(request, seat, (newsletter, slug), seat.pipeline.control.resume, "It goes on.")

    @routes.post(f"{ISSUE}/run/go-on")
    def go_on(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        return pages.do(request, seat, (newsletter, slug), seat.pipeline.control.go_on, "The others go out now.")

    @routes.post(f"{ISSUE}/run/cancel")
    def cancel(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        return pages.do(request, seat, (newsletter, slug), seat.pipeline.control.cancel, "Stopped for good.")

    @routes.post(f"{ISSUE}/run/halt")
    def halt(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        stopped = seat.pipeline.control.halt()
        return pages.back(request, seat, (newsletter, slug), HALTED if stopped else "Nothing was going out.")

    @routes.post(f"{ISSUE}/run/person")
    def person(request: Request, newsletter: str, slug: str, seat: Viewer, form: Sent) -> Response:
        return pages.person(request, seat, (newsletter, slug), form.get("address").strip())

    return routes


class _Pages:
    """Shows the pages of a run."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def show(self, request: Request, seat: Seat, named: Named) -> Response:
        """The page."""
        return self._desk.show(request, "sending/run.html.j2", seat, nav="issues", **self._names(request, seat, named))

    def do(self, request: Request, seat: Seat, named: Named, verb: Verb, said: str) -> Response:
        """Have a verb done; where the run has moved on since the page was made, the next one shows how it stands."""
        try:
            verb(named[1], newsletter=named[0])
        except WrongState:
            said = "That was not possible any more. This is how it stands now."
        return self.back(request, seat, named, said)

    def back(self, request: Request, seat: Seat, named: Named, said: str) -> Response:
        """Lead back to the page, which says what was done."""
        newsletter, slug = named
        words = self._desk.say(request, seat, said)
        return self._desk.onward(f"/desk/n/{newsletter}/issues/{slug}/run", said=words)

    def person(self, request: Request, seat: Seat, named: Named, address: str) -> Response:
        """What became of an issue for one address; sent by POST, so that the address stands in no log."""
        newsletter, slug = named
        try:
            found = seat.pipeline.watching.person(address, slug, newsletter=newsletter)
        except InvalidAddress:
            found = None
        names = self._names(request, seat, named)
        template, status = "sending/person.html.j2", 422 if found is None else 200
        return self._desk.show(
            request, template, seat, status=status, nav="issues", found=found, asked=address, **names
        )

    async def told(self, request: Request, seat: Seat, named: Named, feeds: Feeds) -> AsyncIterator[bytes]:
        """The events of a run for one who watches: its figures whenever they change, and a turn of its state."""
        newsletter, slug = named
        language = self._desk.language_of(request, seat)
        reader = (language, seat.operator.timezone)

        def seen() -> Sight | None:
            return seat.pipeline.watching.look(slug, newsletter=newsletter)

        yield RETRY
        before, quiet, rounds = "", 0, 0
        async for each in feeds.follow(named, seen):
            rounds += 1
            if rounds > LONGEST_ROUNDS or getattr(request.app.state, "is_ending", False):
                return
            figures = await self._figures(request, seat, each, reader)
            turn = turn_of(each.sight)
            if (news := figures + turn) != before:
                before, quiet = news, 0
                yield event("figures", figures) + event("turn", turn)
            elif (quiet := quiet + 1) % BEAT_ROUNDS == 0:
                yield BEAT
        yield event("over", "")

    async def _figures(self, request: Request, seat: Seat, each: Round, reader: object) -> str:
        """The figures of a look, made once for all who read alike."""
        if reader not in each.made:
            show: Callable[[], str] = lambda: self._part(request, seat, each.sight)  # noqa: E731  handed on
            each.made[reader] = await run_in_threadpool(show)
        return each.made[reader]

    def _part(self, request: Request, seat: Seat, sight: Sight) -> str:
        names = {"sight": sight, "charts": drawn, **self._lasting(request, seat)}
        shown = self._desk.show(request, "sending/figures.html.j2", seat, **names)
        return bytes(shown.body).decode()

    def _lasting(self, request: Request, seat: Seat) -> dict[str, Any]:
        language = self._desk.language_of(request, seat)
        return {"lasting": lambda span: span_words(span, language=language)}

    def _names(self, request: Request, seat: Seat, named: Named) -> dict[str, Any]:
        newsletter, slug = named
        language = self._desk.language_of(request, seat)
        head = seat.pipeline.building.head(slug, newsletter=newsletter, language=language)
        sight = seat.pipeline.watching.look(slug, newsletter=newsletter)
        return {
            "issue": head,
            "step": "run",
            "sight": sight,
            "turn": turn_of(sight) if sight else "",
            "doubts": seat.pipeline.watching.doubts(slug, newsletter=newsletter) if sight else None,
            "charts": drawn,
            **self._lasting(request, seat),
        }


def turn_of(sight: Sight) -> str:
    """What has to change before the page says something else about a run than other figures."""
    stage = sight.staged.stage if sight.staged else None
    facts = (sight.run_id, sight.issue_state, sight.state, stage, sight.held, sight.is_late, bool(sight.uncertain))
    return "/".join(str(fact) for fact in facts)
