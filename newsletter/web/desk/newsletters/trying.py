"""
What a theme or a cadence would come to, while it is being chosen; nothing is saved.

    GET  /desk/n/{newsletter}/settings/theme/sample     an edition in the theme that the query names, framed
    GET  /desk/n/{newsletter}/settings/theme/try        the frame of it, and what could not be read
    GET  /desk/n/{newsletter}/settings/cadence/dates    the next dates of the cadence that the query names
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.compilation.theme import ThemeFolder
from newsletter.content.newsletter import Newsletter
from newsletter.web.desk.checks.frames import framed
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Admin, Seat
from newsletter.web.desk.newsletters.parts import rhythm_of, theme_of
from newsletter.web.desk.newsletters.problems import BAD_CRON
from newsletter.web.desk.newsletters.rhythm import Rhythm
from newsletter.web.form import Form


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of trying."""
    del pipeline
    routes = APIRouter()
    root = "/desk/n/{newsletter}/settings"

    @routes.get(f"{root}/theme/sample")
    def sample(request: Request, newsletter: str, seat: Admin) -> Response:
        settings = seat.pipeline.founding.show(newsletter).settings
        theme = theme_of(_asked(request), settings) if request.url.query else {}
        html = seat.pipeline.dressing.sample(newsletter, theme, language=desk.language_of(request, seat))
        everywhere = request.query_params.get("pictures") == "all"
        return framed(html.encode(), seat.pipeline.parts.links, everywhere=everywhere)

    @routes.get(f"{root}/theme/try")
    def attempt(request: Request, newsletter: str, seat: Admin) -> Response:
        settings = seat.pipeline.founding.show(newsletter).settings
        theme = theme_of(_asked(request), settings)
        everywhere = request.query_params.get("pictures") == "all"
        names = trying_on(seat, newsletter, theme, request.url.query, everywhere=everywhere)
        return desk.show(request, "newsletters/try.html.j2", seat, **names)

    @routes.get(f"{root}/cadence/dates")
    def dates(request: Request, newsletter: str, seat: Admin) -> Response:
        settings = seat.pipeline.founding.show(newsletter).settings
        names = coming(seat, rhythm_of(_asked(request)), settings)
        return desk.show(request, "newsletters/dates.html.j2", seat, **names)

    return routes


def _asked(request: Request) -> Form:
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in request.query_params.multi_items():
        fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


def query_of(theme: Mapping[str, Any]) -> str:
    """A theme as the query of the sample."""
    logo = theme["logo"] or {}
    fields = {
        "theme.name": theme["name"],
        "theme.accent": theme["accent"],
        "theme.logo.url": logo.get("url"),
        **{f"theme.fonts.{name}": face for name, face in theme["fonts"].items()},
        **{f"usual.{name}": "no" if is_on else "yes" for name, is_on in theme["options"].items()},
        **{f"theme.options.{name}": "yes" for name, is_on in theme["options"].items() if is_on},
    }
    return urlencode({name: value for name, value in fields.items() if value})


def trying_on(
    seat: Seat, slug: str, theme: Mapping[str, Any], query: str, *, everywhere: bool = False
) -> dict[str, Any]:
    """What the frame of the sample needs."""
    return {
        "sample": f"/desk/n/{slug}/settings/theme/sample?{query}",
        "everywhere": everywhere,
        "pale": seat.pipeline.dressing.pale(theme["name"], theme["accent"] or ""),
    }


def worn(seat: Seat, theme: Mapping[str, Any]) -> ThemeFolder | None:
    """The theme of that name, or the first there is."""
    known = {each.name: each for each in seat.pipeline.dressing.themes()}
    return known.get(theme["name"]) or next(iter(known.values()), None)


def coming(seat: Seat, rhythm: Rhythm, settings: Newsletter) -> dict[str, Any]:
    """The next dates of a cadence, or that there are none because it cannot be read."""
    if rhythm.cron is None:
        return {"rhythm": rhythm, "dates": (), "problem": ""}
    try:
        dates = seat.pipeline.cadence.upcoming(rhythm.cron, settings.timezone)
    except ValueError:
        return {"rhythm": rhythm, "dates": (), "problem": BAD_CRON}
    return {"rhythm": rhythm, "dates": tuple(dates), "problem": ""}
