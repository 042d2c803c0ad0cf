"""
The settings of a newsletter, part by part.

    GET   /desk/n/{newsletter}/settings                     the first part
    GET   /desk/n/{newsletter}/settings/{part}
    POST  /desk/n/{newsletter}/settings/{part}              saves it; with `do` a member of a list is added, moved or
                                                            dropped, and nothing is saved; files: a logo is stored
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from babel import Locale, localedata
from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.content.images import PictureRefused
from newsletter.content.newsletter import Face
from newsletter.pipeline.founding import Stored
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Admin, Seat
from newsletter.web.desk.newsletters.listing import language_names
from newsletter.web.desk.newsletters.parts import Part, changes_of, moved, rhythm_of, shown, with_picture
from newsletter.web.desk.newsletters.problems import problems_of
from newsletter.web.desk.newsletters.rhythm import DAYS, NTHS, WEEKDAYS, Rhythm
from newsletter.web.desk.newsletters.trying import coming, query_of, trying_on, worn
from newsletter.web.desk.parts.picture import REFUSALS
from newsletter.web.zones import zone_groups

LISTS: Final[Mapping[str, Any]] = {
    "languages": "",
    "sections": {"key": "", "title": None, "show": "blocks", "columns": 1, "marker": None},
    "footer.social": {"network": "", "url": ""},
    "footer.logos": {"url": "", "alt": {}, "link": None},
}
"""The lists that a form can make longer, by the path of their setting, with what a new member is like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part as it is shown: `entered` is what a form said that was not saved, `theirs` what differs from it."""

    part: Part
    stored: Stored
    entered: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    theirs: tuple[str, ...] = ()
    rhythm: Rhythm | None = None


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the settings."""
    del pipeline
    routes = APIRouter()
    root = "/desk/n/{newsletter}/settings"

    @routes.get(root)
    def first(request: Request, newsletter: str, seat: Admin) -> Response:
        return _show(request, seat, Page(part=Part.GENERAL, stored=seat.pipeline.founding.show(newsletter)))

    @routes.get(f"{root}/{{part}}")
    def look(request: Request, newsletter: str, part: str, seat: Admin) -> Response:
        return _show(request, seat, Page(part=_part(part), stored=seat.pipeline.founding.show(newsletter)))

    @routes.post(f"{root}/{{part}}")
    def save(request: Request, newsletter: str, part: str, seat: Admin, form: Sent) -> Response:
        chosen, stored = _part(part), seat.pipeline.founding.show(newsletter)
        entered = changes_of(chosen, form, stored.settings)
        rhythm = rhythm_of(form) if chosen is Part.CADENCE else None
        seen = Stored(settings=stored.settings, seen=form.get("seen"))
        entered, refused = _with_pictures(seat, Page(part=chosen, stored=stored, entered=entered), form)
        wish = form.get("do")
        if refused:
            page = Page(part=chosen, stored=seen, entered=entered, problems=refused, rhythm=rhythm)
            return _show(request, seat, page, status=422)
        if wish:
            listed = _after(wish, entered)
            return _show(request, seat, Page(part=chosen, stored=seen, entered=listed, rhythm=rhythm))
        settled = seat.pipeline.founding.change(newsletter, entered, seen=seen.seen)
        if settled.is_late:
            page = Page(part=chosen, stored=stored, entered=entered, theirs=settled.lines, rhythm=rhythm)
            return _show(request, seat, page, status=409)
        if settled.refusals:
            problems = problems_of(settled.refusals)
            page = Page(part=chosen, stored=seen, entered=entered, problems=problems, rhythm=rhythm)
            return _show(request, seat, page, status=422)
        said = "Saved." if settled.lines else "Nothing was different: everything is as it was."
        return desk.onward(f"/desk/n/{newsletter}/settings/{chosen}", said=desk.say(request, seat, said))

    def _show(request: Request, seat: Seat, page: Page, *, status: int = 200) -> Response:
        settings = page.stored.settings
        data = shown(settings, page.entered)
        return desk.show(
            request,
            f"newsletters/{page.part.value}.html.j2",
            seat,
            status=status,
            nav="settings",
            part=page.part.value,
            settings=settings,
            data=data,
            seen=page.stored.seen,
            problems=page.problems,
            theirs=page.theirs,
            path=f"/desk/n/{settings.slug}/settings",
            **_names(seat, page, data, language=desk.language_of(request, seat)),
        )

    return routes


def _names(seat: Seat, page: Page, data: Mapping[str, Any], *, language: str) -> dict[str, Any]:
    """What the page of a part needs beside the settings."""
    settings = page.stored.settings
    match page.part:
        case Part.GENERAL:
            return {"zones": zone_groups(language)}
        case Part.LANGUAGES:
            known = {tag: locale_choices(tag, language) for tag in data["languages"] if tag}
            return {"languages": language_names(language), "locales": known}
        case Part.THEME:
            theme, themes = data["theme"], seat.pipeline.dressing.themes()
            tried = trying_on(seat, settings.slug, theme, query_of(theme))
            return {**tried, "themes": themes, "faces": list(Face), "worn": worn(seat, theme)}
        case Part.CADENCE:
            rhythm = page.rhythm or Rhythm.of(settings.cadence.cron)
            return {**coming(seat, rhythm, settings), "days": DAYS, "nths": NTHS, "weekdays": WEEKDAYS}
        case _:
            return {}


def locale_choices(tag: str, language: str) -> list[tuple[str, str]]:
    """The ways in which a language writes dates, by country: pairs of a locale and its country's name."""
    base = tag.partition("-")[0]
    spoken = Locale.parse(language, sep="-")
    found = []
    for name in localedata.locale_identifiers():
        locale = Locale.parse(name)
        if locale.language == base and locale.territory and not locale.script and not locale.variant:
            found.append((name.replace("_", "-"), spoken.territories.get(locale.territory, locale.territory)))
    return sorted(found, key=lambda pair: pair[1].casefold())


def _with_pictures(seat: Seat, page: Page, form: DeskForm) -> tuple[dict[str, Any], dict[str, str]]:
    """What was entered, with each picture that was sent stored and its address in place; which cannot be taken."""
    entered, refused = dict(page.entered), {}
    for name, file in form.files.items():
        try:
            stored = seat.pipeline.pictures.store(file.content, file.filename)
        except PictureRefused as refusal:
            refused[f"{name.removesuffix('.file')}.url"] = REFUSALS[refusal.refusal]
            continue
        url = seat.pipeline.parts.links.picture(stored.name)
        entered = with_picture(page.part, entered, form, page.stored.settings, field=name, url=url)
    return entered, refused


def _part(name: str) -> Part:
    try:
        return Part(name)
    except ValueError as error:
        raise HTTPException(404) from error


def _after(wish: str, entered: Mapping[str, Any]) -> dict[str, Any]:
    """What was entered, after a button of a list: `sections up:2`."""
    path, _, act = wish.partition(" ")
    return {
        name: moved(value, act, fresh=LISTS[path]) if name == path and path in LISTS else value
        for name, value in entered.items()
    }
