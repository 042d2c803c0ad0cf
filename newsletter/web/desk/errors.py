"""
What could not be done at the desk, as a page that says what to do.

Takes the errors of guard and verbs; yields answers: the way to the form that signs in, or a page with the status and
the words that belong to it. A part of a page that a script fetched gets the same words without the rest.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newsletter.errors import InvalidInput, NewsletterError, NotFound, WrongState
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import SAFE
from subscribers.errors import SubscribersError, UnknownList, UnknownSubscriber

_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.FORBIDDEN: (
        "You may not do this",
        "Your role does not allow it, or the page was open for too long. Load it again, or ask an administrator.",
    ),
    HTTPStatus.NOT_FOUND: ("There is no such page", "It may have been renamed or deleted. Look for it in its list."),
    HTTPStatus.CONFLICT: ("This is not possible now", "Something has changed since the page was loaded. Look again."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("This is too large", "A file may have 50 MB. Send it in parts."),
}
"""Heading and advice by status; both are messages of `desk.po`."""

_OTHERWISE: Final = ("This could not be taken", "Go back, look at what you entered and send it again.")

_GONE: Final = (NotFound, UnknownSubscriber, UnknownList)


def to_login(request: Request) -> Response:
    """Lead to the form that signs in, and from there back to the page."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    login = f"/desk/login?next={quote(wanted, safe='/')}" if request.method in SAFE else "/desk/login"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/desk/login"})
    if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
        return Response(status_code=401)
    return RedirectResponse(login, 303)


def refused(desk: Desk, request: Request, status: int, *, detail: str = "") -> Response:
    """The page for a status; `detail` is what a verb said, in English."""
    seat = desk.seat_of(request)
    heading, usual = _WORDS.get(status, _OTHERWISE)
    return desk.show(
        request,
        "error.html.j2",
        seat,
        status=status,
        heading=desk.say(request, seat, heading),
        advice=desk.say(request, seat, usual),
        detail=detail,
    )


def status_of(error: NewsletterError | SubscribersError) -> int:
    """The status that says what kind of an error a verb has raised."""
    if isinstance(error, _GONE):
        return 404
    return 409 if isinstance(error, WrongState) else 422 if isinstance(error, InvalidInput | SubscribersError) else 500
