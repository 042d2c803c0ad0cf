"""
Subscribing: which newsletter, the form, what comes after it, and the form for other sites.

Looking changes nothing. Sending the form is answered the same for everybody who filled it in rightly, in the same time:
what follows from it is left to scheduler and dispatcher (`Pipeline.wake`). Done here, also after the answer, it would
hold up the next page on the same connection, and so tell how long it took. A form that was not shown by us just now (it
stands on another site, or was sent quicker than people type) is shown once more, filled in, with one button.

    GET   /subscribe                        the newsletters, or the form of the only one
    GET   /subscribe/{newsletter}           the form; `?list=` narrows, `?lang=` chooses the language
    POST  /subscribe/{newsletter}           `address`, `first_name`, `last_name`, `language`, `list`…, `stamp`, `topic`
    GET   /subscribe/{newsletter}/asked     look into your mailbox
    GET   /subscribe/{newsletter}/embed     the form to be copied
    GET   /subscribe/{newsletter}/look.css  the newsletter's colour, for all pages about it
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import FormStale, NotFound, TooMany
from newsletter.pipeline.signup import AskedFor, Offer
from newsletter.web.form import Form, Posted
from newsletter.web.page import Pages, language_of
from newsletter.web.public.forms import (
    NONE_CHOSEN,
    REFUSED,
    Problems,
    onward,
    origin_of,
    problem_of_address,
    problems_of,
)
from newsletter.web.public.imprint import Imprints
from newsletter.web.public.look import look_css
from subscribers.language import lookup

TRAP: Final = "topic"
"""The field that people do not see; browsers have nothing of their own to fill in under this name."""

FOR_AN_HOUR: Final = "public, max-age=3600"
"""Of the colour, as of the other style sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What stands in the fields of the form."""

    address: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    lists: frozenset[str] = frozenset()


def router(pipeline: Pipeline) -> APIRouter:
    """The routes under `/subscribe`."""
    routes, answers = APIRouter(), _Answers(pipeline)

    @routes.get("/subscribe")
    def choose(request: Request) -> Response:
        return answers.newsletters(request)

    @routes.get("/subscribe/{newsletter}")
    def look(request: Request, newsletter: str) -> Response:
        return answers.form(request, newsletter)

    @routes.post("/subscribe/{newsletter}")
    def ask(request: Request, newsletter: str, form: Posted) -> Response:
        return answers.ask(request, newsletter, form)

    @routes.get("/subscribe/{newsletter}/asked")
    def asked(request: Request, newsletter: str) -> Response:
        return answers.show(request, "asked.html.j2", newsletter)

    @routes.get("/subscribe/{newsletter}/embed")
    def embed(request: Request, newsletter: str) -> Response:
        return answers.embed(request, newsletter)

    @routes.get("/subscribe/{newsletter}/look.css")
    def look_of(request: Request, newsletter: str) -> Response:
        return answers.look(request, newsletter)

    return routes


class _Answers:
    """Answers the requests."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pages = Pages(pipeline.parts.links)
        self._links = pipeline.parts.links
        self._signup = pipeline.signup
        self._imprints = Imprints(pipeline)

    def newsletters(self, request: Request) -> Response:
        """The newsletters to choose from; with one alone there is nothing to choose."""
        language = language_of(request)
        offered = self._signup.newsletters(language=language)
        if len(offered) == 1:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"subscribe/{quote(offered[0].slug)}{query}", 302)
        return self._pages.show(request, "newsletters.html.j2", language=language, newsletters=offered)

    def form(
        self,
        request: Request,
        newsletter: str,
        *,
        entered: Entered | None = None,
        problems: Problems | None = None,
        stamp: str = "",
        is_step: bool = False,
    ) -> Response:
        """The form, empty or as it was `entered`, with what is wrong; `is_step` says that only the button is left."""
        offer = self._offer(request, newsletter)
        if entered is None:
            default = offer.newsletter.languages[0]
            entered = Entered(language=lookup(language_of(request), offer.newsletter.languages, default))
        return self.show(
            request,
            "subscribe.html.j2",
            newsletter,
            status=422 if problems else 200,
            offer=offer,
            entered=entered,
            problems=problems or {},
            stamp=stamp or offer.stamp,
            is_step=is_step,
            trap=TRAP,
        )

    def ask(self, request: Request, newsletter: str, form: Form) -> Response:
        """Take the form, or show it again."""
        entered = _entered(form)
        problems = self._problems(request, newsletter, entered)
        if problems:
            return self.form(request, newsletter, entered=entered, problems=problems, stamp=form.get("stamp"))
        try:
            self._signup.ask(_asked_for(newsletter, entered, form, origin=origin_of(request)))
        except FormStale as stale:
            return self.form(request, newsletter, entered=entered, stamp=stale.stamp, is_step=True)
        except TooMany as limit:
            raise HTTPException(429, headers={"Retry-After": str(limit.retry_after)}) from limit
        except REFUSED as error:
            return self.form(request, newsletter, entered=entered, problems=problems_of(error), stamp=form.get("stamp"))
        return onward(request, f"{quote(newsletter)}/asked")

    def embed(self, request: Request, newsletter: str) -> Response:
        """The form for other sites, to be copied."""
        language = language_of(request)
        narrowed = [("list", name) for name in request.query_params.getlist("list")]
        action = f"{self._links.subscribe(newsletter)}?{urlencode([('lang', language), *narrowed])}"
        offer = self._offer(request, newsletter)
        edition = lookup(language, offer.newsletter.languages, offer.newsletter.languages[0])
        return self.show(request, "embed.html.j2", newsletter, offer=offer, action=action, edition=edition)

    def look(self, request: Request, newsletter: str) -> Response:
        """The style sheet of a newsletter, empty where it has no colour of its own."""
        imprint = self._imprints.of(newsletter, language=language_of(request))
        if imprint is None:
            raise HTTPException(404)
        css = look_css(imprint.accent) if imprint.accent else ""
        return Response(css, media_type="text/css", headers={"Cache-Control": FOR_AN_HOUR})

    def show(self, request: Request, template: str, newsletter: str, *, status: int = 200, **names: object) -> Response:
        """A page about a newsletter; 404 where there is none by this name."""
        language = language_of(request)
        imprint = self._imprints.of(newsletter, language=language)
        if imprint is None:
            raise HTTPException(404)
        return self._pages.show(
            request, template, language=language, status=status, site=imprint.name.text, imprint=imprint, **names
        )

    def _offer(self, request: Request, newsletter: str) -> Offer:
        try:
            return self._signup.offer(
                newsletter, language=language_of(request), lists=request.query_params.getlist("list")
            )
        except NotFound as error:
            raise HTTPException(404) from error

    def _problems(self, request: Request, newsletter: str, entered: Entered) -> Problems:
        """What can be seen at once, so that all of it is said at once."""
        problems = {"address": problem_of_address(entered.address)}
        if not entered.lists and len(self._offer(request, newsletter).lists) > 1:
            problems["list"] = NONE_CHOSEN
        return {field: words for field, words in problems.items() if words}


def _entered(form: Form) -> Entered:
    return Entered(
        address=form.get("address").strip(),
        first_name=form.get("first_name").strip(),
        last_name=form.get("last_name").strip(),
        language=form.get("language"),
        lists=frozenset(form.all("list")),
    )


def _asked_for(newsletter: str, entered: Entered, form: Form, *, origin: str) -> AskedFor:
    return AskedFor(
        newsletter=newsletter,
        address=entered.address,
        lists=tuple(sorted(entered.lists)),
        first_name=entered.first_name,
        last_name=entered.last_name,
        language=entered.language,
        stamp=form.get("stamp"),
        trap=form.get(TRAP),
        origin=origin,
    )
