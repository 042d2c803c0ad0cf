"""
Lists: what people subscribe to.

    GET   /desk/lists
    GET   /desk/lists/new
    POST  /desk/lists/new      as /save
    GET   /desk/lists/edit     name
    POST  /desk/lists/save     `was`, `name`, `description`, `public`, `double_opt_in`, `opt_in_reason`,
                               `title.LANGUAGE`, `description.LANGUAGE`
    POST  /desk/lists/delete   `name`, `typed`

A name may hold any character, so it stands behind the question mark. Only administrators do without confirmation, and
delete.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, WrongState
from newsletter.pipeline.lists import ListFacts
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Admin, Officer, Seat, Viewer
from subscribers.errors import InvalidLanguage, InvalidValue, ListExists, UnknownList
from subscribers.models import MembershipState

COUNTED: Final[Mapping[MembershipState, str]] = {
    MembershipState.CONFIRMED: "Members",
    MembershipState.PENDING: "Not confirmed yet",
    MembershipState.LEFT: "Have left",
    MembershipState.REMOVED: "Taken off",
}
"""What stands beside the counts of a list: messages of `desk-people.po`."""

_REFUSED: Final = (InvalidInput, InvalidValue, InvalidLanguage, ListExists)


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: C901  a route each, of a few lines
    """The routes of lists."""
    routes = APIRouter()
    people = pipeline.people

    @routes.get("/desk/lists")
    def look(request: Request, seat: Viewer) -> Response:
        return desk.show(
            request, "lists/table.html.j2", seat, nav="lists", lists=people.lists.all(), state=MembershipState
        )

    @routes.get("/desk/lists/new")
    def begin(request: Request, seat: Officer) -> Response:
        return _form(request, seat, {"double_opt_in": "yes"})

    @routes.post("/desk/lists/new")
    def create(request: Request, seat: Officer, form: Sent) -> Response:
        lists, name = seat.pipeline.people.lists, " ".join(form.get("name").split())
        try:
            _ensure_allowed(request, seat, form, known=None)
            lists.create(name, double_opt_in="double_opt_in" in form, opt_in_reason=form.get("opt_in_reason"))
            lists.change(name, _changes(form, name))
        except _REFUSED as error:
            return _form(request, seat, _stated(form), problem=error)
        return desk.onward("/desk/lists", said=desk.say(request, seat, "The list {name} is made.", name=name))

    @routes.get("/desk/lists/edit")
    def edit(request: Request, seat: Viewer) -> Response:
        found = _list(request.query_params.get("name", ""))
        return _form(request, seat, _facts(found), found=found)

    @routes.post("/desk/lists/save")
    def save(request: Request, seat: Officer, form: Sent) -> Response:
        was, name = form.get("was"), " ".join(form.get("name").split())
        found = _list(was)
        try:
            _ensure_allowed(request, seat, form, known=found)
            stranded = seat.pipeline.people.lists.change(was, _changes(form, name))
        except _REFUSED as error:
            return _form(request, seat, _stated(form), found=found, problem=error)
        said = desk.say(request, seat, "The list {name} is saved.", name=name)
        if stranded:
            words = "Still called by its old name: {names}. Change that, or it means nobody."
            said += " " + desk.say(request, seat, words, names=", ".join(stranded))
        return desk.onward(f"/desk/lists/edit?{urlencode({'name': name})}", said=said)

    @routes.post("/desk/lists/delete")
    def delete(request: Request, seat: Admin, form: Sent) -> Response:
        name = form.get("name")
        found = _list(name)
        if form.get("typed").strip() != name:
            mistyped = InvalidInput(desk.say(request, seat, "This is not the name. Nothing was deleted."))
            return _form(request, seat, _facts(found), found=found, problem=mistyped)
        try:
            seat.pipeline.people.lists.delete(name)
        except WrongState as error:
            return _form(request, seat, _facts(found), found=found, problem=error)
        return desk.onward("/desk/lists", said=desk.say(request, seat, "The list {name} is deleted.", name=name))

    def _list(name: str) -> ListFacts:
        known = people.lists.all()
        for each in known:
            if each.name == name:
                return each
        raise UnknownList(name, [each.name for each in known])

    def _form(
        request: Request,
        seat: Seat,
        stated: Mapping[str, str],
        *,
        found: ListFacts | None = None,
        problem: Exception | None = None,
    ) -> Response:
        field = "name" if isinstance(problem, ListExists) else getattr(problem, "field", "")
        known = field if field in {"name", "list", "description", "opt_in_reason"} else ""
        words = getattr(problem, "reason", "") or str(problem or "")
        return desk.show(
            request,
            "lists/form.html.j2",
            seat,
            nav="lists",
            status=422 if problem else 200,
            found=found,
            stated=stated,
            problems={"name" if known == "list" else known: words} if known else {},
            problem="" if known else str(problem or ""),
            languages=_languages(pipeline),
            named_by=people.glances.named_by(mailing_list=found.name) if found else [],
            counted=COUNTED,
        )

    def _ensure_allowed(request: Request, seat: Seat, form: DeskForm, *, known: ListFacts | None) -> None:
        """Doing without confirmation is an administrator's decision, and needs a reason."""
        does_without = "double_opt_in" not in form
        if not does_without or (known is not None and not known.double_opt_in):
            return
        if not seat.may(Role.ADMIN):
            words = "Only an administrator can do without confirmation."
            raise InvalidInput(desk.say(request, seat, words))
        if not form.get("opt_in_reason").strip():
            raise InvalidValue("opt_in_reason", desk.say(request, seat, "Say why: this has to be accounted for."))

    return routes


def _languages(pipeline: Pipeline) -> list[str]:
    """The languages in which readers may see a list: those of all newsletters."""
    found: dict[str, None] = {}
    for newsletter in pipeline.entries.newsletters():
        found |= dict.fromkeys(newsletter.languages)
    return list(found)


def _changes(form: DeskForm, name: str) -> dict[str, str]:
    """What a form says, as `Lists.change` takes it."""
    texts = {field: form.get(field) for field in form.fields if field.startswith(("title.", "description."))}
    return {
        "name": name,
        "description": form.get("description"),
        "public": "yes" if "public" in form else "no",
        "double_opt_in": "yes" if "double_opt_in" in form else "no",
        "opt_in_reason": form.get("opt_in_reason"),
        **texts,
    }


def _stated(form: DeskForm) -> dict[str, str]:
    return {name: form.get(name) for name in form.fields if name != "csrf"}


def _facts(found: ListFacts) -> dict[str, str]:
    """A list as its form states it."""
    ticks = {"public": found.public, "double_opt_in": found.double_opt_in}
    texts = {f"title.{tag}": text for tag, text in found.titles.items()}
    texts |= {f"description.{tag}": text for tag, text in found.descriptions.items()}
    plain = {"name": found.name, "description": found.description, "opt_in_reason": found.opt_in_reason}
    return {**plain, **texts, **{name: "yes" for name, is_set in ticks.items() if is_set}}
