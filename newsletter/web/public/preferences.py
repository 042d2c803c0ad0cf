"""
Preferences: what a person receives and what they say about themselves.

The link stands in every message, and messages are forwarded: so the address is shown in part only, and what would give
somebody away or shut them out (their data, erasure, another address) asks for the address in full, see `own_data`.

    GET   /p/{token}    the page; `?saved` and `?kept` say what was done just before
    POST  /p/{token}    `first_name`, `last_name`, `language`, `timezone`, `shown`…, `list`…, `rejoin`…
"""

from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.own import Card, Changes
from newsletter.web.form import Form, Posted
from newsletter.web.public.forms import REFUSED, Problems, onward, origin_of, problems_of
from newsletter.web.public.person import PersonPages
from newsletter.web.zones import zone_groups, zone_names
from subscribers.errors import InvalidValue, UnknownSubscriber

SAID = {"saved": "Your preferences are saved.", "kept": "Your address stays as it is."}
"""What the page says first, by a name in its address; messages of `public.po`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What stands in the fields of the page."""

    first_name: str
    last_name: str
    language: str
    timezone: str
    lists: frozenset[str]
    rejoin: frozenset[str] = field(default_factory=frozenset)


def router(pipeline: Pipeline) -> APIRouter:
    """The routes `/p/{token}`."""
    routes, pages, own = APIRouter(), PersonPages(pipeline), pipeline.own

    @routes.get("/p/{token}")
    def look(request: Request, token: str) -> Response:
        card = pages.card(request, token)
        if card is None:
            return pages.gone(request)
        return _show(request, token, card, _stated_by(card))

    @routes.post("/p/{token}")
    def change(request: Request, token: str, form: Posted) -> Response:
        card = pages.card(request, token)
        if card is None:
            return pages.gone(request)
        stated = _stated_in(form)
        try:
            _ensure_zone(stated.timezone, card)
            changes = _changes(
                card, stated, shown=form.all("shown"), language=pages.language(request, card), origin=origin_of(request)
            )
            changed = own.change(token, changes)
        except UnknownSubscriber:
            return pages.gone(request)
        except REFUSED as error:
            return _show(request, token, card, stated, problems_of(error))
        return onward(request, token, keep="language" not in changed, saved="1")

    def _show(request: Request, token: str, card: Card, stated: Stated, problems: Problems | None = None) -> Response:
        said = next((words for name, words in SAID.items() if name in request.query_params), "")
        return pages.show(
            request,
            "preferences.html.j2",
            card,
            token=token,
            stated=stated,
            zones=zone_groups(pages.language(request, card)),
            zone_names=zone_names(),
            said="" if problems else said,
            problems=problems or {},
        )

    return routes


def _stated_by(card: Card) -> Stated:
    return Stated(
        first_name=card.first_name,
        last_name=card.last_name,
        language=card.language,
        timezone=card.timezone,
        lists=frozenset(choice.offer.name for choice in card.lists if choice.joined),
    )


def _stated_in(form: Form) -> Stated:
    return Stated(
        first_name=form.get("first_name").strip(),
        last_name=form.get("last_name").strip(),
        language=form.get("language"),
        timezone=form.get("timezone"),
        lists=frozenset(form.all("list")),
        rejoin=frozenset(form.all("rejoin")),
    )


def _changes(card: Card, stated: Stated, *, shown: tuple[str, ...], language: str, origin: str) -> Changes:
    """What differs: a list that was not on the page when it was sent is neither joined nor left."""
    joined = {choice.offer.name for choice in card.lists if choice.joined}
    return Changes(
        first_name=stated.first_name,
        last_name=stated.last_name,
        language=stated.language,
        timezone=stated.timezone,
        join=tuple(sorted(stated.lists - joined)),
        leave=tuple(sorted(joined & set(shown) - stated.lists)),
        rejoin=tuple(sorted(stated.rejoin)),
        shown_in=language,
        origin=origin,
    )


def _ensure_zone(timezone: str, card: Card) -> None:
    """Take the zones of the choice, and the one that is stored already, whatever its age."""
    if timezone and timezone != card.timezone and timezone not in zone_names():
        raise InvalidValue("timezone", "not offered")
