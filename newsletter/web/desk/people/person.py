"""
The page of one person, and what an operator may do about them.

    GET   /desk/people/{uid}                              before: the key of the last message of the page before
    GET   /desk/people/{uid}/explain/{newsletter}/{issue} the whole story of one message
    POST  /desk/people/{uid}/facts                        fields, `tags`, `attribute.NAME`, `new_name`, `new_value`
    POST  /desk/people/{uid}/address                      `address`, `how` (ask, now), `reason`
    POST  /desk/people/{uid}/join                         `list`
    POST  /desk/people/{uid}/leave                        `what` (list:NAME, newsletter:SLUG, everything)
    POST  /desk/people/{uid}/suppress                     `reason`
    POST  /desk/people/{uid}/unsuppress                   `reason`
    POST  /desk/people/{uid}/data                         everything that is stored, as JSON
    POST  /desk/people/{uid}/erase                        `typed`: the address

A page is called by a public id: an address of a person stands in no log and in no history of a browser.
"""

import json
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Admin, Officer, Seat
from newsletter.web.desk.people import labels
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress, SubscribersError, UnknownSubscriber
from subscribers.models import MembershipState

MESSAGES: Final = 20
"""Messages on a page."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: C901, PLR0915  a route each, of a few lines
    """The routes of a person's page."""
    routes = APIRouter()
    register = pipeline.register

    @routes.get("/desk/people/{uid}")
    def look(request: Request, seat: Officer, uid: str) -> Response:
        return _page(request, seat, uid)

    @routes.get("/desk/people/{uid}/explain/{newsletter}/{issue}")
    def explain(request: Request, seat: Officer, uid: str, newsletter: str, issue: str) -> Response:
        address = register.address_of(uid)
        story = pipeline.proof.explain(address, issue, newsletter=newsletter)
        return desk.show(request, "people/story.html.j2", seat, nav="people", uid=uid, address=address, story=story)

    @routes.post("/desk/people/{uid}/facts")
    def change(request: Request, seat: Officer, uid: str, form: Sent) -> Response:
        try:
            changed = seat.pipeline.people.change(register.address_of(uid), _given(form))
        except UnknownSubscriber:
            raise
        except (SubscribersError, InvalidInput) as error:
            return _page(request, seat, uid, problem=error, place="facts", form=form)
        said = "What is known is changed." if changed else "Nothing was different."
        return _done(request, seat, uid, said)

    @routes.post("/desk/people/{uid}/address")
    def change_address(request: Request, seat: Officer, uid: str, form: Sent) -> Response:
        new, at_once = form.get("address"), form.get("how") == "now"
        try:
            if not at_once:
                seat.pipeline.register.ask_for_address(uid, new)
                return _done(
                    request, seat, uid, "A confirmation mail goes to the new address. Until then all stays as it is."
                )
            if not seat.may(Role.ADMIN):
                raise InvalidInput(
                    desk.say(request, seat, "Only an administrator can change it without a confirmation.")
                )
            _ensure_reason(request, seat, form)
            seat.pipeline.people.changes.rename(register.address_of(uid), new, reason=form.get("reason"))
        except UnknownSubscriber:
            raise
        except (SubscribersError, NewsletterError) as error:
            return _page(request, seat, uid, problem=error, place="address", form=form)
        return _done(request, seat, uid, "The address is changed.")

    @routes.post("/desk/people/{uid}/join")
    def join(request: Request, seat: Officer, uid: str, form: Sent) -> Response:
        try:
            seat.pipeline.people.add(register.address_of(uid), list_name=form.get("list"), given={})
        except NewsletterError as error:
            return _page(request, seat, uid, problem=error, place="lists")
        return _done(request, seat, uid, "Is a member of {list} now.", list=form.get("list"))

    @routes.post("/desk/people/{uid}/leave")
    def leave(request: Request, seat: Officer, uid: str, form: Sent) -> Response:
        kind, _, name = form.get("what").partition(":")
        where = {"list": {"list_name": name}, "newsletter": {"newsletter": name}, "everything": {}}.get(kind)
        if where is None:
            return _page(request, seat, uid)
        done = seat.pipeline.people.unsubscribe(register.address_of(uid), **where)
        return _done(request, seat, uid, "Has left. Messages stopped: {n}.", n=done.deliveries)

    @routes.post("/desk/people/{uid}/suppress")
    def suppress(request: Request, seat: Officer, uid: str, form: Sent) -> Response:
        try:
            _ensure_reason(request, seat, form)
        except InvalidInput as error:
            return _page(request, seat, uid, problem=error, place="suppress")
        done = seat.pipeline.people.barring.suppress(register.address_of(uid), reason=form.get("reason"))
        return _done(request, seat, uid, "Will not be written to any more. Messages stopped: {n}.", n=done.deliveries)

    @routes.post("/desk/people/{uid}/unsuppress")
    def unsuppress(request: Request, seat: Officer, uid: str, form: Sent) -> Response:
        try:
            _ensure_reason(request, seat, form)
            seat.pipeline.people.barring.unsuppress(
                register.address_of(uid), reason=form.get("reason"), even_complaints=seat.may(Role.ADMIN)
            )
        except NewsletterError as error:
            return _page(request, seat, uid, problem=error, place="suppress")
        return _done(request, seat, uid, "May be written to again. Lists that were left stay left.")

    @routes.post("/desk/people/{uid}/data")
    def data(seat: Officer, uid: str) -> Response:
        told = seat.pipeline.people.data(register.address_of(uid))
        headers = {"Content-Disposition": 'attachment; filename="data.json"', "Cache-Control": "no-store"}
        return Response(json.dumps(told, ensure_ascii=False, indent=2), media_type="application/json", headers=headers)

    @routes.post("/desk/people/{uid}/erase")
    def erase(request: Request, seat: Admin, uid: str, form: Sent) -> Response:
        address = register.address_of(uid)
        if not _is_same(form.get("typed"), address):
            problem = InvalidInput(desk.say(request, seat, "This is not the address. Nothing was erased."))
            return _page(request, seat, uid, problem=problem, place="erase")
        done = seat.pipeline.people.erase(address)
        said = desk.say(request, seat, "The person is erased. Messages stopped: {n}.", n=done.deliveries)
        return desk.onward("/desk/people", said=said)

    def _page(
        request: Request,
        seat: Seat,
        uid: str,
        *,
        problem: Exception | None = None,
        place: str = "",
        form: DeskForm | None = None,
    ) -> Response:
        standing = register.person(uid)
        before = request.query_params.get("before", "")
        sent = register.deliveries(uid, limit=MESSAGES + 1, before=int(before) if before.isdecimal() else None)
        joined = {name for name, (state, _) in standing.memberships.items() if state is MembershipState.CONFIRMED}
        return desk.show(
            request,
            "people/person.html.j2",
            seat,
            nav="people",
            status=422 if problem else 200,
            uid=uid,
            standing=standing,
            person=standing.person,
            asked_address=register.address_asked_for(uid),
            sent=sent[:MESSAGES],
            more=f"?before={sent[MESSAGES - 1].key}#messages" if len(sent) > MESSAGES else "",
            free=[name for name in register.choices().lists if name not in joined],
            problem=_words(problem),
            place=place,
            stated=dict(_stated(form)) if form else {},
            labels=labels,
            pairs=labels.pairs,
        )

    def _ensure_reason(request: Request, seat: Seat, form: DeskForm) -> None:
        if not form.get("reason").strip():
            raise InvalidInput(desk.say(request, seat, "Say why: this has to be accounted for."))

    def _done(request: Request, seat: Seat, uid: str, words: str, **values: object) -> Response:
        return desk.onward(f"/desk/people/{uid}", said=desk.say(request, seat, words, **values))

    return routes


def _given(form: DeskForm) -> dict[str, str]:
    """What a form says about a person: every field, the tags, and attributes by name; an empty one is taken away."""
    given = {name: form.get(name) for name in labels.FIELDS if name in form}
    given |= {name.removeprefix("attribute."): form.get(name) for name in form.fields if name.startswith("attribute.")}
    if form.get("new_name").strip():
        given[form.get("new_name")] = form.get("new_value")
    if "tags" in form:
        given["tags"] = ";".join(part for part in form.get("tags").replace(",", ";").split(";"))
    return given


def _stated(form: DeskForm) -> dict[str, str]:
    return {name: form.get(name) for name in form.fields if name != "csrf"}


def _words(problem: Exception | None) -> str:
    return "" if problem is None else getattr(problem, "message", "") or str(problem)


def _is_same(typed: str, address: str) -> bool:
    try:
        return parse_address(typed).key == parse_address(address).key
    except InvalidAddress:
        return False
