"""
Topics of a newsletter: what stands above entries, and what funders ask to be told.

    GET   /desk/n/{newsletter}/topics
    GET   /desk/n/{newsletter}/topics/new           and POST: a topic is made
    GET   /desk/n/{newsletter}/topics/{key}/edit    and POST: it is changed
    POST  /desk/n/{newsletter}/topics/{key}/delete  while no entry names it

Fields: `key` (of a new one; made of its name where it is empty), `name-TAG`, `credit-TAG`, `url`, `logo-url`,
`logo-link`; a file `logo`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.content.entry import Kind
from newsletter.content.images import PictureRefused
from newsletter.content.localised import EVERY
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.errors import InvalidInput, WrongState
from newsletter.pipeline.shelf import free_key
from newsletter.pipeline.topics import ShownTopics
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.parts.fields import languages_of, words_in
from newsletter.web.desk.parts.picture import REFUSALS

_MESSAGES: Mapping[str, str] = {
    "key": "A key is small letters and digits, with single hyphens between them.",
    "name": "Give it a name.",
    "url": "A link begins with https:// (or mailto:, tel:) and has no spaces.",
    "logo-url": "The address begins with https://.",
    "logo-link": "The address begins with https://.",
}
"""What to say of a field that cannot be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """A topic as it was entered."""

    key: str = ""
    name: Mapping[str, str] = field(default_factory=dict)
    credit: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    logo_url: str = ""
    logo_link: str = ""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: C901  a list of routes
    """The routes of topics."""
    routes = APIRouter()
    links = pipeline.parts.links

    @routes.get("/desk/n/{newsletter}/topics")
    def look(request: Request, newsletter: str, seat: Viewer) -> Response:
        return _list(request, seat, newsletter)

    @routes.get("/desk/n/{newsletter}/topics/new")
    def begin(request: Request, newsletter: str, seat: Officer) -> Response:
        return _form(request, seat, seat.pipeline.topics.shown(newsletter), TopicRow(), is_new=True)

    @routes.post("/desk/n/{newsletter}/topics/new")
    def make(request: Request, newsletter: str, seat: Officer, form: Sent) -> Response:
        shown = seat.pipeline.topics.shown(newsletter)
        return _save(request, seat, shown, form, key=None)

    @routes.get("/desk/n/{newsletter}/topics/{key}/edit")
    def edit(request: Request, newsletter: str, key: str, seat: Officer) -> Response:
        shown = seat.pipeline.topics.shown(newsletter)
        return _form(request, seat, shown, row_of(_known(shown, key)), is_new=False)

    @routes.post("/desk/n/{newsletter}/topics/{key}/edit")
    def change(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        shown = seat.pipeline.topics.shown(newsletter)
        _known(shown, key)
        return _save(request, seat, shown, form, key=key)

    @routes.post("/desk/n/{newsletter}/topics/{key}/delete")
    def delete(request: Request, newsletter: str, key: str, seat: Officer) -> Response:
        try:
            seat.pipeline.topics.delete(newsletter, key)
        except WrongState:
            words = "Entries have got this topic meanwhile, so it stays."
            return _list(request, seat, newsletter, problem=desk.say(request, seat, words))
        return desk.onward(f"/desk/n/{newsletter}/topics", said=desk.say(request, seat, "The topic is deleted."))

    def _list(request: Request, seat: Seat, newsletter: str, *, problem: str = "") -> Response:
        shown = seat.pipeline.topics.shown(newsletter)
        return desk.show(
            request,
            "topics/list.html.j2",
            seat,
            status=409 if problem else 200,
            nav="topics",
            shown=shown,
            problem=problem,
        )

    def _save(request: Request, seat: Seat, shown: ShownTopics, form: DeskForm, *, key: str | None) -> Response:
        row, problems = _with_logo(row_in(form, key=key), form, seat)
        topic, wrong = topic_of(row if row.key else replace(row, key=_free(row, shown)))
        slug, is_new = shown.newsletter.slug, key is None
        if topic is not None and not problems:
            try:
                seat.pipeline.topics.save(slug, topic, new=is_new)
            except InvalidInput:
                wrong = {"key": "There is a topic with this key already."}
            else:
                return desk.onward(f"/desk/n/{slug}/topics", said=desk.say(request, seat, "The topic is saved."))
        return _form(request, seat, shown, row, is_new=is_new, problems={**problems, **wrong})

    def _form(
        request: Request,
        seat: Seat,
        shown: ShownTopics,
        row: TopicRow,
        *,
        is_new: bool,
        problems: Mapping[str, str] | None = None,
    ) -> Response:
        offered = shown.newsletter.languages
        return desk.show(
            request,
            "topics/topic.html.j2",
            seat,
            status=422 if problems else 200,
            nav="topics",
            settings=shown.newsletter,
            row=row,
            is_new=is_new,
            name_languages=languages_of(offered, ({EVERY: ""}, row.name, row.credit)),
            credit_languages=languages_of(offered, (row.credit,)),
            problems=problems or {},
            uses=shown.uses.get(row.key, 0),
            logo_at=_path_of,
        )

    def _with_logo(row: TopicRow, form: DeskForm, seat: Seat) -> tuple[TopicRow, dict[str, str]]:
        file = form.files.get("logo")
        if file is None:
            return row, {}
        try:
            stored = seat.pipeline.pictures.store(file.content, file.filename)
        except PictureRefused as refused:
            return row, {"logo": REFUSALS[refused.refusal]}
        return replace(row, logo_url=links.picture(stored.name)), {}

    def _path_of(address: str) -> str:
        """Where the desk shows a stored logo from, "" for one that lies elsewhere."""
        root = links.picture("")
        return f"/media/{address.removeprefix(root)}" if address.startswith(root) else ""

    return routes


def row_of(topic: Topic) -> TopicRow:
    """The row that shows a topic."""
    logo = topic.logo
    return TopicRow(
        key=topic.key,
        name=topic.name,
        credit=topic.credit,
        url=topic.url or "",
        logo_url=logo.url if logo else "",
        logo_link=(logo.link or "") if logo else "",
    )


def row_in(form: DeskForm, *, key: str | None) -> TopicRow:
    """What a form says; `key` is that of a topic which is there."""
    languages = form.get("languages").split()
    return TopicRow(
        key=form.get("key").strip() if key is None else key,
        name=words_in(form, "name", languages),
        credit=words_in(form, "credit", languages),
        url=form.get("url").strip(),
        logo_url=form.get("logo-url").strip(),
        logo_link=form.get("logo-link").strip(),
    )


def topic_of(row: TopicRow) -> tuple[Topic | None, dict[str, str]]:
    """The topic that a row makes, or what is wrong by the names of its fields."""
    if not row.name:
        return None, {"name": _MESSAGES["name"]}
    logo = {"url": row.logo_url, "link": row.logo_link or None, "alt": dict(row.name)} if row.logo_url else None
    data: dict[str, Any] = {"key": row.key, "name": row.name, "credit": row.credit, "url": row.url or None}
    try:
        return Topic.model_validate(data | {"logo": logo}), {}
    except ValidationError as error:
        return None, dict(_problems(error))


def _problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    for details in error.errors(include_url=False):
        name = "-".join(str(part) for part in details["loc"][:2] if part in {"key", "name", "url", "logo", "link"})
        yield (name, _MESSAGES[name]) if name in _MESSAGES else ("name", _MESSAGES["name"])


def _known(shown: ShownTopics, key: str) -> Topic:
    if key not in shown.topics:
        raise HTTPException(404)
    return shown.topics[key]


def _free(row: TopicRow, shown: ShownTopics) -> str:
    return free_key(_called(row, shown.newsletter), shown.topics, kind=Kind.NOTE)


def _called(row: TopicRow, newsletter: Newsletter) -> str:
    found = (row.name.get(tag, "") for tag in (newsletter.default_language, *row.name))
    return next(filter(None, found), "")
