"""
The desk of one installation: renders its pages, and knows who sits there.

Takes a request, a template and a seat; yields HTML in the operator's language. Promises that values are escaped, that
an undefined name is an error, and that a page loads nothing from another host.

Names in every template
    lang, dir               the language of the page and how it is read
    say, say_n              the words of the desk, see `words.Catalogue`
    seat, operator          who sits there; both None on pages before signing in
    newsletter, newsletters the slug of the one worked on or None; slug and name of each
    newsletter_name         its name, or ""
    moment, day, clock      an instant in full, its day, its time of day, in the operator's zone
    ago                     how long ago an instant was, or is still to come
    number, percent         a number as the language writes it; a share from 0 to 1
    own_name(tag)           a language's name in itself
    static(name)            the address of a file under `templates/web/static`
    here                    the path of the page
    nav                     the entry of the navigation that the page belongs to
    said                    what was done just before, or ""
"""

import base64
import binascii
import threading
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.times import own_name
from newsletter.web.desk.guard import Seat, cookie_name, csrf_of
from newsletter.web.desk.words import desk_languages, tongue
from newsletter.web.environment import environment
from newsletter.web.page import accepted
from newsletter.web.static_files import address_of
from newsletter.words import ENGLISH
from subscribers.language import direction, lookup

SAID: Final = "desk_said"
"""A cookie with what was done just before: shown once, by the next page."""

_SAID_LONGEST: Final = 600
"""Characters: a cookie holds 4,096 octets."""

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:{media}; connect-src 'self'; "
    "font-src 'self'; frame-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the desk's pages; `media` is the root of pictures that another server of ours has."""


class Desk:
    """Renders the desk's pages, and finds out who asks for them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        media = pipeline.parts.links.media
        self._policy = POLICY.format(media=f" {media}" if media else "")
        self._acting: dict[str, Pipeline] = {}
        self._lock = threading.Lock()

    def seat_of(self, request: Request) -> Seat | None:
        """Who sends a request, by its cookie; None where nobody has signed in."""
        token = request.cookies.get(cookie_name(request))
        named = request.path_params.get("newsletter")
        found = self.pipeline.seats.find(token, newsletter=named) if token else None
        if token is None or found is None:
            return None
        return Seat(
            operator=found.operator,
            pipeline=self.acting_as(found.operator.name),
            session_id=found.session_id,
            csrf=csrf_of(token),
            newsletter=named or found.newsletter,
            needs_device=self.pipeline.operators.login.needs_device(found),
        )

    def acting_as(self, name: str) -> Pipeline:
        """The pipeline whose verbs are done in an operator's name."""
        with self._lock:
            if name not in self._acting:
                self._acting[name] = self.pipeline.acting_as(name)
            return self._acting[name]

    def language_of(self, request: Request, seat: Seat | None = None) -> str:
        """The language of a page: the operator's, else one that the browser asks for, else English."""
        asked = [seat.operator.language] if seat else accepted(request.headers.get("accept-language", ""))
        found = (lookup(wanted, desk_languages(), "") for wanted in asked if len(wanted) < 36)  # noqa: PLR2004  RFC 5646 §4.4.1
        return next(filter(None, found), ENGLISH)

    def show(
        self, request: Request, template: str, seat: Seat | None, /, *, status: int = 200, nav: str = "", **names: Any
    ) -> HTMLResponse:
        """Render a page, or a part of one, with the `names` that belong to it."""
        language = self.language_of(request, seat)
        said = _said(request) if _is_page(request) else ""
        html = (
            environment("desk")
            .get_template(template)
            .render(**self._common(request, seat, language), nav=nav, said=said, **names)
        )
        response = HTMLResponse(
            html, status, headers={"Content-Language": language, "Content-Security-Policy": self._policy}
        )
        if said:
            response.delete_cookie(SAID, path="/desk", httponly=True, samesite="lax")
        return response

    def _common(self, request: Request, seat: Seat | None, language: str) -> Mapping[str, Any]:
        reads = tongue(language, seat.operator.timezone if seat else "UTC")
        known = self.pipeline.seats.newsletters(language) if seat else []
        slugs = [slug for slug, _ in known]
        worked_on = seat.newsletter if seat and seat.newsletter in slugs else next(iter(slugs), None)
        return {
            "lang": language,
            "dir": direction(language),
            "say": reads.words.say,
            "say_n": reads.words.say_n,
            "seat": seat,
            "operator": seat.operator if seat else None,
            "newsletter": worked_on,
            "newsletters": known,
            "newsletter_name": dict(known).get(worked_on or "", ""),
            "moment": reads.moment,
            "day": reads.day,
            "clock": reads.clock,
            "ago": lambda when: reads.ago(when, now=self.pipeline.parts.now()),
            "number": reads.number,
            "percent": reads.percent,
            "own_name": own_name,
            "static": address_of,
            "here": request.url.path,
        }

    def say(self, request: Request, seat: Seat | None, msgid: str, /, **values: Any) -> str:
        """One message of the desk, in the language of the page."""
        return tongue(self.language_of(request, seat), "UTC").words.say(msgid, **values)

    def onward(self, address: str, /, *, said: str = "") -> Response:
        """Answer a POST: lead to a page by GET, which shows what was done (RFC 9110 §15.4.4)."""
        response = RedirectResponse(address, 303)
        if said:
            words = base64.urlsafe_b64encode(said[:_SAID_LONGEST].encode()).decode()
            response.set_cookie(SAID, words, max_age=60, path="/desk", httponly=True, samesite="lax")
        return response


def _is_page(request: Request) -> bool:
    """Tell a page from a part that a script fetches."""
    return request.headers.get("sec-fetch-dest", "document") == "document" and "hx-request" not in request.headers


def _said(request: Request) -> str:
    try:
        return base64.urlsafe_b64decode(request.cookies.get(SAID, "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
