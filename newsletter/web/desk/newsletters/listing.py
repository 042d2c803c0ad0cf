"""
All newsletters, and a new one in one short form.

    GET   /desk/newsletters         the list
    GET   /desk/newsletters/new     `name`, `languages` (the first is the default), `timezone`, `sender_name`,
    POST  /desk/newsletters/new     `sender_address`
"""

from collections.abc import Mapping
from typing import Final

from babel import Locale
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.founding import Refusal
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Admin, Seat, Viewer
from newsletter.web.desk.newsletters.problems import BAD_LANGUAGE, problems_of
from newsletter.web.zones import zone_groups

FIELDS: Final[Mapping[str, str]] = {"sender.name": "sender_name", "sender.address": "sender_address"}
"""The names of fields that differ from the paths of settings."""

OFFERED: Final = 4
"""Languages that the form has room for; more can be added in the settings."""

USUAL: Final = (
    *("ar", "bg", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "is"),
    *("it", "lb", "lt", "lv", "mk", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk"),
    "zh",
)
"""Languages that are offered by name; any other can be written as a tag in the settings."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the list."""
    del pipeline
    routes = APIRouter()

    @routes.get("/desk/newsletters")
    def listing(request: Request, seat: Viewer) -> Response:
        found = seat.pipeline.entries.newsletters()
        return desk.show(request, "newsletters/list.html.j2", seat, nav="settings", all=found)

    @routes.get("/desk/newsletters/new")
    def empty(request: Request, seat: Admin) -> Response:
        language = desk.language_of(request, seat)
        usual = {"languages": (language,), "timezone": (seat.operator.timezone,)}
        return _form(request, seat, DeskForm(usual), {})

    @routes.post("/desk/newsletters/new")
    def found(request: Request, seat: Admin, form: Sent) -> Response:
        languages = list(dict.fromkeys(filter(None, map(str.strip, form.all("languages")))))
        founded = seat.pipeline.founding.found(
            name=form.get("name").strip(),
            languages=languages,
            timezone=form.get("timezone"),
            sender_name=form.get("sender_name").strip(),
            sender_address=form.get("sender_address").strip(),
        )
        if founded.settings is None:
            return _form(request, seat, form, _problems(founded.refusals))
        said = desk.say(
            request,
            seat,
            "The newsletter is there; entries can begin. Before the first issue, put your postal address into its "
            "footer: many countries want one in every newsletter.",
        )
        return desk.onward(f"/desk/n/{founded.settings.slug}/settings", said=said)

    def _form(request: Request, seat: Seat, form: DeskForm, problems: Mapping[str, str]) -> Response:
        language = desk.language_of(request, seat)
        chosen = [tag for tag in form.all("languages") if tag]
        return desk.show(
            request,
            "newsletters/new.html.j2",
            seat,
            status=422 if problems else 200,
            nav="settings",
            form=form,
            problems=problems,
            chosen=[*chosen, *[""] * OFFERED][: max(OFFERED, len(chosen))],
            languages=language_names(language),
            zones=zone_groups(language),
        )

    return routes


def language_names(language: str) -> list[tuple[str, str]]:
    """The usual languages by name, in a language of the desk: pairs of tag and name, in alphabetical order."""
    locale = Locale.parse(language, sep="-")
    return sorted(((tag, locale.languages.get(tag, tag)) for tag in USUAL), key=lambda pair: pair[1].casefold())


def _problems(refusals: tuple[Refusal, ...]) -> dict[str, str]:
    found = {FIELDS.get(name, name): message for name, message in problems_of(refusals).items()}
    if any(name.startswith("languages.") for name in found):
        found.setdefault("languages", BAD_LANGUAGE)
    return found
