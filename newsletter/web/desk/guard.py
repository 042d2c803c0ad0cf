"""
Who comes in, and what they may do: asked of every request of the desk before its route runs.

Takes a request; yields the `Seat` of the operator whose cookie it bears. Promises that a request which may change
something comes from a page of ours: its `Sec-Fetch-Site` or `Origin` says so (Fetch Metadata, W3C), and it bears the
token of the session, in the field `csrf` or in the header `X-CSRF-Token`.

A route asks for its seat by a parameter annotated with `Viewer`, `Officer` or `Admin`; a test finds those that do not.
What a group of verbs keeps in memory lasts as long as the `Pipeline` it hangs on: `seat.pipeline` is one for each
operator, `desk.pipeline` the one of all.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from newsletter.accounts.operator import Operator, Role
from newsletter.bootstrap import Pipeline
from newsletter.web.desk.forms import form_of

COOKIE: Final = "desk"
"""Bears the token of a session; see `cookie_name`."""

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 §9.2.1)."""

_OURS: Final = frozenset({"same-origin", "none"})
"""`none` is what somebody did by themselves, such as sending a form again after a restart of the browser."""


OPEN_WITHOUT_DEVICE: Final = ("/desk/account/sec", "/desk/logout")
"""Where somebody may go who has to set up a second factor first: to where that is done, and out."""


class DeviceNeeded(Exception):  # noqa: N818  reads as what happened
    """The operator's role has to sign in with a second factor: set it up first."""


class NotSignedIn(Exception):  # noqa: N818  reads as what happened
    """Nobody sits there: sign in first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """
    Somebody at the desk.

    `pipeline` acts in their name; `csrf` is the token that forms bear; `newsletter` is the slug of the one in the
    address, else of the one last worked on, else None; `needs_device` until the second factor is set up
    that the role has to sign in with.
    """

    operator: Operator
    pipeline: Pipeline
    session_id: int
    csrf: str
    newsletter: str | None
    needs_device: bool = False

    def may(self, role: Role | str) -> bool:
        """Tell whether the operator may do what a role may: for what a page offers."""
        return self.operator.role.covers(Role(role))


def cookie_name(request: Request) -> str:
    """
    The name of the cookie of a session.

    On https it begins with `__Host-`, so that no other host of the domain can set it (RFC 6265bis §4.1.3.2).
    """
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def csrf_of(token: str) -> str:
    """The token of forms that belongs to the token of a session; neither tells the other."""
    return hashlib.sha256(f"csrf:{token}".encode()).hexdigest()


def from_our_pages(request: Request) -> bool:
    """Tell whether a page of this host sent the request, as far as the browser says (all of them do, since 2023)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OURS
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


class Needing:
    """Finds the seat of a request, and refuses one whose operator may too little."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Seat:
        """Find the seat; raises NotSignedIn, DeviceNeeded, or HTTPException 403."""
        if request.method not in SAFE and not from_our_pages(request):
            raise HTTPException(403)
        seat: Seat | None = await run_in_threadpool(request.app.state.desk.seat_of, request)
        if seat is None:
            raise NotSignedIn
        if seat.needs_device and not request.url.path.startswith(OPEN_WITHOUT_DEVICE):
            raise DeviceNeeded
        if request.method not in SAFE and not await _bears_token(request, seat):
            raise HTTPException(403)
        if not seat.operator.role.covers(self.role):
            raise HTTPException(403)
        return seat


async def _bears_token(request: Request, seat: Seat) -> bool:
    given = request.headers.get("x-csrf-token")
    if given is None and not request.headers.get("content-type", "").startswith("application/json"):
        given = (await form_of(request)).get("csrf")
    return secrets.compare_digest((given or "").encode(), seat.csrf.encode())


Viewer = Annotated[Seat, Depends(Needing(Role.VIEWER))]
"""Whoever has signed in."""

Officer = Annotated[Seat, Depends(Needing(Role.OFFICER))]
"""Those who make and send newsletters."""

Admin = Annotated[Seat, Depends(Needing(Role.ADMIN))]
"""Those who answer for the installation."""
