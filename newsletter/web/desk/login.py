"""
Signing in and out.

    GET   /desk/login         the form; `?next=` is the page that was asked for
    POST  /desk/login         `name` (or an address), `password`
    GET   /desk/login/code    the second step, for whoever has a device
    POST  /desk/login/code    `code`
    POST  /desk/logout

Between the two steps the browser holds a ticket, in a cookie that ends after minutes. By way of a provider: `oidc`.
"""

from math import ceil
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.problems import CODE_WRONG
from newsletter.bootstrap import Pipeline
from newsletter.pipeline.login import TICKET_SECONDS, CodeAsked, Refused
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Viewer, cookie_name, from_our_pages
from newsletter.web.desk.words import tongue

TICKET: Final = "desk_ticket"
"""The cookie of whoever has given the password, and not yet the code."""

PATH: Final = "/desk/login"


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of sessions."""
    routes = APIRouter()

    @routes.get(PATH)
    def look(request: Request) -> Response:
        if desk.seat_of(request):
            return desk.onward(page_wanted(request))
        return _form(desk, request, is_new=not pipeline.operators.anybody())

    @routes.post(PATH)
    def sign_in(request: Request, form: Sent) -> Response:
        _ensure_ours(request)
        found = pipeline.operators.login.enter(form.get("name"), form.get("password"), **_sender(request))
        if isinstance(found, Refused):
            return _form(desk, request, name=form.get("name"), refused=found)
        if isinstance(found, CodeAsked):
            return _asked_for_code(request, desk, found)
        return signed_in(request, desk.onward(page_wanted(request)), found.token)

    @routes.post("/desk/logout")
    def sign_out(request: Request, seat: Viewer) -> Response:
        pipeline.seats.sign_out(seat.session_id)
        response = desk.onward(PATH, said=desk.say(request, seat, "You have signed out."))
        response.delete_cookie(
            cookie_name(request), path="/", secure=_is_secure(request), httponly=True, samesite="lax"
        )
        return response

    _add_second_step(routes, pipeline, desk)
    return routes


def _add_second_step(routes: APIRouter, pipeline: Pipeline, desk: Desk) -> None:
    @routes.get(f"{PATH}/code")
    def look_for_code(request: Request) -> Response:
        return _code_form(desk, request) if request.cookies.get(TICKET) else desk.onward(PATH)

    @routes.post(f"{PATH}/code")
    def confirm(request: Request, form: Sent) -> Response:
        _ensure_ours(request)
        ticket = request.cookies.get(TICKET, "")
        found = pipeline.operators.login.confirm(ticket, form.get("code"), **_sender(request))
        if isinstance(found, Refused):
            return _code_form(desk, request, refused=found)
        if found is None:
            said = desk.say(request, None, "It took too long. Begin again with your password.")
            return _without_ticket(desk.onward(PATH, said=said))
        return _without_ticket(signed_in(request, desk.onward(page_wanted(request)), found.token))


def signed_in(request: Request, response: Response, token: str) -> Response:
    """Give a response the cookie of a session."""
    response.set_cookie(
        cookie_name(request), token, path="/", secure=_is_secure(request), httponly=True, samesite="lax"
    )
    return response


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def page_wanted(request: Request) -> str:
    """The page that was asked for before signing in, if it is one of the desk's."""
    wanted = urlsplit(request.query_params.get("next", ""))
    is_ours = not wanted.scheme and not wanted.netloc and wanted.path.startswith("/desk/")
    return f"{wanted.path}{'?' + wanted.query if wanted.query else ''}" if is_ours else "/desk"


def _form(
    desk: Desk, request: Request, *, name: str = "", refused: Refused | None = None, is_new: bool = False
) -> Response:
    oidc = desk.pipeline.parts.settings.oidc
    wanted = page_wanted(request)
    return _waiting(
        desk.show(
            request,
            "login.html.j2",
            None,
            status=_status(refused),
            name=name,
            failed=refused is not None and not refused.wait,
            wait=_wait(desk, request, refused),
            is_new=is_new,
            provider=oidc.name if oidc.is_set else "",
            provider_href="/desk/oidc" + ("" if wanted == "/desk" else f"?{urlencode({'next': wanted})}"),
            provider_said=request.query_params.get("provider", ""),
        ),
        refused,
    )


def _code_form(desk: Desk, request: Request, *, refused: Refused | None = None) -> Response:
    problem = _wait(desk, request, refused) or (desk.say(request, None, CODE_WRONG) if refused else "")
    shown = desk.show(request, "login_code.html.j2", None, status=_status(refused), problem=problem)
    return _waiting(shown, refused)


def _asked_for_code(request: Request, desk: Desk, asked: CodeAsked) -> Response:
    wanted = page_wanted(request)
    response = desk.onward(f"{PATH}/code" + ("" if wanted == "/desk" else f"?{urlencode({'next': wanted})}"))
    response.set_cookie(
        TICKET,
        asked.ticket,
        max_age=TICKET_SECONDS,
        path=PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _without_ticket(response: Response) -> Response:
    response.delete_cookie(TICKET, path=PATH, httponly=True, samesite="strict")
    return response


def _ensure_ours(request: Request) -> None:
    if not from_our_pages(request):
        raise HTTPException(403)


def _sender(request: Request) -> dict[str, str]:
    return {
        "origin": request.client.host if request.client else "",
        "agent": request.headers.get("user-agent", ""),
    }


def _status(refused: Refused | None) -> int:
    if refused is None:
        return 200
    return 429 if refused.wait else 403


def _wait(desk: Desk, request: Request, refused: Refused | None) -> str:
    """How long to wait, in words; "" where there is no need."""
    if refused is None or not refused.wait:
        return ""
    words = tongue(desk.language_of(request), "UTC").words
    if refused.wait < 60:  # noqa: PLR2004  seconds of a minute
        one, many = "Too many attempts. Try again in {n} second.", "Too many attempts. Try again in {n} seconds."
        return words.say_n(one, many, refused.wait)
    one, many = "Too many attempts. Try again in {n} minute.", "Too many attempts. Try again in {n} minutes."
    return words.say_n(one, many, ceil(refused.wait / 60))


def _waiting(response: Response, refused: Refused | None) -> Response:
    if refused is not None and refused.wait:
        response.headers["Retry-After"] = str(refused.wait)
    return response
