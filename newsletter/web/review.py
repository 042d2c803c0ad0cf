"""
The page by which somebody without an account reviews one edition, behind a secret link.

    GET   /review/{token}           the edition as it will be sent, and what can be said about it
    GET   /review/{token}/edition   the edition in its frame; `mark` shows a passage, `pictures=all` loads every picture
    POST  /review/{token}           `artifact`, and either `right` (with `words`) or `place` and `words`

The page speaks the edition's language where the program has its words, else English. Nothing about it is kept by
browsers, caches or search engines, and no link on it says where it came from.
"""

from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.compilation.preview import pictures_elsewhere
from newsletter.compilation.slots import unslotted
from newsletter.errors import CompilationFailed, InvalidInput, WrongState
from newsletter.pipeline.reviewing import Ending, Overtaken, Reading
from newsletter.preflight.passages import PARTS, passages
from newsletter.times import day_words, own_name
from newsletter.web.desk.checks.frames import framed, page_of
from newsletter.web.environment import environment
from newsletter.web.form import Form, Posted
from newsletter.web.static_files import address_of
from newsletter.words import ENGLISH, Catalogue, catalogue
from subscribers.language import direction

WORDS: Final = "desk-checks"
"""The domain of the words of this page."""

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page around the frame."""

HIDDEN: Final = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""What every answer says about itself."""

SAID: Final = ("right", "noted", "again", "wrong", "over")
"""What the page may say first, by a name in its address."""


def router(pipeline: Pipeline) -> APIRouter:
    """The routes `/review/{token}`."""
    routes, pages = APIRouter(), ReviewPages(pipeline)

    @routes.get("/review/{token}")
    def look(request: Request, token: str) -> Response:
        return pages.page(request, token)

    @routes.get("/review/{token}/edition")
    def edition(request: Request, token: str) -> Response:
        return pages.frame(request, token)

    @routes.post("/review/{token}")
    def answer(token: str, form: Posted) -> Response:
        return RedirectResponse(f"/review/{quote(token)}?said={pages.take(token, form)}", 303, headers=HIDDEN)

    return routes


class ReviewPages:
    """Shows one edition to the holder of a token, and takes what they say."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._reviewing = pipeline.reviewing
        self._looking = pipeline.previewing
        self._links = pipeline.parts.links

    def page(self, request: Request, token: str) -> Response:
        """The page around the frame. Raises TokenRefused."""
        found = self._read(token)
        if isinstance(found, Ending):
            return _show("ended.html.j2", language=ENGLISH, status=410, ending=found.value)
        html, asked = self._looking.message(found.artifact).html.decode(), request.query_params
        return _show(
            "review.html.j2",
            language=found.artifact.language,
            reading=found,
            passages=passages(found.edition),
            parts=PARTS,
            mark=asked.get("mark", ""),
            said=asked["said"] if asked.get("said") in SAID else "",
            root=f"/review/{quote(token)}",
            elsewhere=len(pictures_elsewhere(html, filter(None, (self._links.root, self._links.media)))),
            all_pictures=asked.get("pictures") == "all",
        )

    def frame(self, request: Request, token: str) -> Response:
        """The edition in its frame. Raises TokenRefused."""
        found = self._read(token)
        if isinstance(found, Ending):
            raise HTTPException(404)
        asked = request.query_params
        data = page_of(self._looking.message(found.artifact), found.edition, mark=asked.get("mark", ""))
        response = framed(data, self._links, everywhere=asked.get("pictures") == "all")
        response.headers.update(HIDDEN)
        return response

    def take(self, token: str, form: Form) -> str:
        """Take an answer; returns the name of what to say about it. Raises TokenRefused."""
        artifact, words = form.get("artifact"), form.get("words")
        try:
            if "right" in form:
                self._reviewing.approve(token, artifact=artifact, words=words)
                return "right"
            self._reviewing.suggest(token, artifact=artifact, place=form.get("place"), words=words)
        except Overtaken:
            return "again"
        except WrongState:
            return "over"
        except InvalidInput:
            return "wrong"
        return "noted"

    def _read(self, token: str) -> Reading | Ending:
        try:
            return self._reviewing.read(token)
        except CompilationFailed as error:  # an officer is at work on it
            raise HTTPException(503) from error


def _show(template: str, *, language: str, status: int = 200, **names: Any) -> Response:
    words: Catalogue = catalogue(language, WORDS)
    locale = "en-GB" if words.language == ENGLISH else words.language
    html = (
        environment("review")
        .get_template(template)
        .render(
            lang=words.language,
            dir=direction(words.language),
            say=words.say,
            say_n=words.say_n,
            day=lambda when: day_words(when.date(), locale=locale),
            own_name=own_name,
            unslotted=unslotted,
            static=address_of,
            **names,
        )
    )
    headers = {**HIDDEN, "Content-Security-Policy": POLICY, "Content-Language": words.language}
    return HTMLResponse(html, status, headers=headers)
