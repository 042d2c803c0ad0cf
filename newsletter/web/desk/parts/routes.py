"""
What the form of an entry asks for while it is filled in. Nothing here changes an entry.

    POST  /desk/n/{newsletter}/entries/{key}/sittings        the form and `do`: add, copy-N, remove-N; the cards again
    POST  /desk/n/{newsletter}/entries/{key}/sittings/words  the form; what readers will see of each sitting
    POST  /desk/n/{newsletter}/entries/{key}/picture         the form with a file; the picture is stored and shown
    POST  /desk/paste                                        JSON `{"html": …}`; answers `{"markdown": …}`
"""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.content.paste import markdown_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent, SentJson
from newsletter.web.desk.guard import Officer
from newsletter.web.desk.parts import picture, sittings
from newsletter.web.desk.parts.picture import PictureRow
from newsletter.web.desk.parts.sittings import MOST_SITTINGS, SittingRow
from newsletter.web.desk.parts.view import parts_of


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of an entry's parts."""
    routes = APIRouter()
    del pipeline

    @routes.post("/desk/n/{newsletter}/entries/{key}/sittings")
    def arrange(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        rows, focus = arranged(sittings.rows_in(form), form.get("do"))
        return desk.show(
            request,
            "parts/sittings.html.j2",
            seat,
            parts=parts_of(
                seat.pipeline.entries.newsletter(newsletter),
                rows,
                PictureRow(),
                key=key,
                language=desk.language_of(request, seat),
                problems={},
                focus=focus,
            ),
        )

    @routes.post("/desk/n/{newsletter}/entries/{key}/sittings/words")
    def tell(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        return desk.show(
            request,
            "parts/words.html.j2",
            seat,
            parts=parts_of(
                seat.pipeline.entries.newsletter(newsletter),
                sittings.rows_in(form),
                PictureRow(),
                key=key,
                language=desk.language_of(request, seat),
                problems={},
            ),
        )

    @routes.post("/desk/n/{newsletter}/entries/{key}/picture")
    def upload(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        take = seat.pipeline.pictures.store
        row, problems = picture.uploaded(picture.row_in(form), form.files, take=take)
        return desk.show(
            request,
            "parts/picture.html.j2",
            seat,
            parts=parts_of(
                seat.pipeline.entries.newsletter(newsletter),
                (),
                row,
                key=key,
                language=desk.language_of(request, seat),
                problems=problems,
            ),
        )

    @routes.post("/desk/paste")
    def paste(seat: Officer, body: SentJson) -> Response:
        del seat
        html = body.get("html")
        if not isinstance(html, str):
            raise HTTPException(422)
        return JSONResponse({"markdown": markdown_of(html)})

    return routes


def arranged(rows: Sequence[SittingRow], do: str) -> tuple[tuple[SittingRow, ...], int | None]:
    """
    The rows with one added, copied or removed, and the number of the new one; -1 after removing, for the button to add.

    A copy has everything but the key, by which calendars know the sitting. What is no such wish changes nothing.
    """
    verb, _, number = do.partition("-")
    at = int(number) if number.isascii() and number.isdigit() and int(number) < len(rows) else None
    if verb == "remove" and at is not None:
        return (*rows[:at], *rows[at + 1 :]), -1
    if len(rows) >= MOST_SITTINGS:
        return tuple(rows), None
    if verb == "copy" and at is not None:
        return (*rows[: at + 1], replace(rows[at], key=""), *rows[at + 1 :]), at + 1
    if verb == "add":
        zone = rows[-1].zone if rows else ""
        return (*rows, SittingRow(zone=zone)), len(rows)
    return tuple(rows), None
