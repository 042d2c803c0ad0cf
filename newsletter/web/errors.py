"""
What could not be done, as a page in the reader's language, without details.

Takes a request and a status; yields the page. Promises that no page says what went wrong inside, nor repeats what was
asked for.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from newsletter.web.page import WORDS, Pages, language_of
from newsletter.words import catalogue

_UNREADABLE: Final = (
    "The form could not be received",
    "It was too long, or did not arrive whole. Go back, shorten what you entered and send it again.",
)
_NOWHERE: Final = (
    "This page does not exist",
    "The address may be incomplete. Open the link again from the message, or copy all of it.",
)
_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.NOT_FOUND: _NOWHERE,
    HTTPStatus.MISDIRECTED_REQUEST: _NOWHERE,
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "This page cannot be used in this way",
        "Go back to the page you came from and use the button there.",
    ),
    HTTPStatus.BAD_REQUEST: _UNREADABLE,
    HTTPStatus.REQUEST_TIMEOUT: _UNREADABLE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _UNREADABLE,
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "Something in the form is missing or wrong",
        "Go back, look at what you entered and send it again.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "Too many attempts",
        "Many forms were sent from your network. Wait a few minutes, then try again.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "This page is not available at the moment",
        "Try again in a few minutes.",
    ),
}
"""Heading and advice by status; both are messages of `public.po`."""

_OTHERWISE: Final = ("Something went wrong here", "It is not your fault. Try again in a few minutes.")


class ErrorPages:
    """Makes error pages for one installation."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def page(self, request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """The page for a status, with further `headers` of the answer such as Allow or Retry-After."""
        language = language_of(request)
        heading, advice = _WORDS.get(status, _OTHERWISE)
        say = catalogue(language, WORDS).say
        response = self._pages.show(
            request, "error.html.j2", language=language, status=status, heading=say(heading), advice=say(advice)
        )
        response.headers.update(headers or {})
        return response
