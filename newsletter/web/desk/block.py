"""
The block of an entry as it will look in the mail, made of the form as it stands.

    POST  /desk/n/{newsletter}/entries/{key}/block   the form of the editor, `block-language`, `block-dark`,
                                                     `block-pictures`: load those of other sites, too

Answers a page of its own for a sandboxed frame: nothing in it runs, and it loads pictures only. Nothing is stored.
"""

from typing import Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.content.entry import Entry
from newsletter.content.sheet import entry_of, problems_of
from newsletter.pipeline.writing import Opened
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries.form import sheet_in
from newsletter.web.desk.entries.table import labels_of
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Seat, Viewer
from newsletter.web.form import Form

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'{pictures}; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin"
)
"""
Content-Security-Policy of the block: no script runs in it; pictures come from here, from other sites on demand. It
keeps its origin, so that the page around it can ask how high it is.
"""

_OWN_PAGE: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
"""That of what stands there while there is no block."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The route of the block."""
    routes = APIRouter()
    del pipeline

    @routes.post("/desk/n/{newsletter}/entries/{key}/block")
    def look(request: Request, newsletter: str, key: str, seat: Viewer, form: Sent) -> Response:
        opened = seat.pipeline.writing.open(key, newsletter=newsletter)
        entry = entry_in(form, opened)
        if not isinstance(entry, Entry):
            labels = labels_of(desk, request, seat, opened.newsletter)
            return _unfinished(request, seat, [labels.problem(words) for words in entry.values()])
        language = form.get("block-language")
        if language not in opened.newsletter.languages:
            language = opened.newsletter.default_language
        block = seat.pipeline.rendering.block(newsletter, entry, language=language, dark="block-dark" in form)
        if not block.html:
            return _unfinished(request, seat, [])
        # A link of the block would take the place of the frame; where it may open no window, it does nothing.
        page = block.html.replace("<head>", '<head><base target="_blank">', 1)
        pictures = " https:" if "block-pictures" in form else ""
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY.format(pictures=pictures)})

    def _unfinished(request: Request, seat: Seat, reasons: list[str]) -> Response:
        words = "As soon as nothing is missing, the block stands here." if reasons else "This edition does not have it."
        response = desk.show(
            request, "parts/unfinished.html.j2", seat, heading=desk.say(request, seat, words), reasons=reasons
        )
        response.headers["Content-Security-Policy"] = _OWN_PAGE
        return response

    return routes


def entry_in(form: Form, opened: Opened) -> Entry | dict[str, str]:
    """The entry that a form makes of the stored one, or what is missing of it, in words by field."""
    own = opened.stored.entry
    sheet, wrong = sheet_in(form, own, newsletter=opened.newsletter)
    sheet = opened.sheet | sheet
    if wrong and not sheet.get("sittings"):
        return dict(wrong)
    try:
        return entry_of(sheet, key=own.key, status=own.status)
    except ValidationError as error:
        return problems_of(error, sheet)
