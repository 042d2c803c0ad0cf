"""
What is being typed in the editor and is not saved yet.

    POST  /desk/n/{newsletter}/entries/{key}/draft    JSON `{"base": 3, "fields": {"title.en": ["…"], …}}`
    POST  /desk/n/{newsletter}/entries/{key}/drop     what was typed and not saved goes
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.writing import Kept
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries.form import sheet_in
from newsletter.web.desk.entries.said import Labels
from newsletter.web.desk.entries.table import labels_of
from newsletter.web.desk.forms import SentJson
from newsletter.web.desk.guard import Officer
from newsletter.web.form import Form

_MOST_REVISIONS: Final = 2**31
"""Of one entry: what the column of their numbers holds."""


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of drafts."""
    routes = APIRouter()

    @routes.post("/desk/n/{newsletter}/entries/{key}/draft")
    def keep(request: Request, newsletter: str, key: str, seat: Officer, body: SentJson) -> Response:
        opened = seat.pipeline.writing.open(key, newsletter=newsletter)
        form, base = _typed(body)
        sheet, wrong = sheet_in(form, opened.stored.entry, newsletter=opened.newsletter)
        kept = seat.pipeline.writing.keep(
            key, newsletter=newsletter, sheet=sheet, base=base, form=dict(form.fields), is_whole=not wrong
        )
        return JSONResponse(_told(labels_of(desk, request, seat, opened.newsletter), kept, base=base))

    @routes.post("/desk/n/{newsletter}/entries/{key}/drop")
    def drop(request: Request, newsletter: str, key: str, seat: Officer) -> Response:
        seat.pipeline.writing.drop(key, newsletter=newsletter)
        said = desk.say(request, seat, "What you had not saved is gone.")
        return desk.onward(f"/desk/n/{newsletter}/entries/{key}", said=said)

    return routes


def _typed(body: Mapping[str, Any]) -> tuple[Form, int]:
    """The form that a script sends; HTTP 422 for what is none."""
    fields, base = body.get("fields"), body.get("base")
    if not isinstance(fields, dict) or not isinstance(base, int) or not -1 <= base < _MOST_REVISIONS:
        raise HTTPException(422)
    found: dict[str, tuple[str, ...]] = {}
    for name, values in fields.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise HTTPException(422)
        found[name] = tuple(value.encode("utf-8", "replace").decode().replace("\x00", "") for value in values)
    return Form(found), base


def _told(labels: Labels, kept: Kept, *, base: int) -> dict[str, Any]:
    """What the script of the editor shows."""
    newer = ""
    if kept.revision != base:
        words = "{name} has saved this entry meanwhile. When you save, what you both wrote is put together."
        newer = labels.say(words, name=labels.person(kept.author))
    writing = [
        labels.say("{name} is writing here, too.", name=labels.person(writer.operator)) for writer in kept.writers
    ]
    return {
        "words": labels.say("Kept, not yet saved"),
        "newer": newer,
        "writing": " ".join(writing),
        "notes": {name: labels.traps(found) for name, found in kept.traps.items()},
    }
