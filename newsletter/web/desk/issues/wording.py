"""
The issue's own words, language beside language, and how complete its entries are.

    GET   /desk/n/N/issues/SLUG/wording        the page; `?language=fr#subject` leads to a field
    POST  /desk/n/N/issues/SLUG/wording        `PART-LANGUAGE` and what each began from, `PART-LANGUAGE-before`
    POST  /desk/n/N/issues/SLUG/wording/save   JSON {"edits": [{"language", "part", "before", "after"}]}, by a script

The script is answered {"open", "at", "saved", "clashes", "refused"}, each field by its `PART-LANGUAGE`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.worded import PARTS, Edit, Saved
from newsletter.times import rfc3339
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent, SentJson
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.issues.said import CLOSED
from subscribers.language import direction

_MOST_EDITS = 400
"""In one save: four fields in every language that a newsletter may have."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: ARG001  every area is made of both
    """The routes of the words of an issue."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/issues/{slug}/wording")
    def look(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        return _show(request, seat, newsletter, slug)

    @routes.post("/desk/n/{newsletter}/issues/{slug}/wording")
    def save(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        words = seat.pipeline.building.words
        saved = words.save(slug, list(_edits(form)), newsletter=newsletter)
        if saved.clashes or saved.refused:
            return _show(request, seat, newsletter, slug, saved=saved, form=form)
        said = desk.say(request, seat, "Saved." if saved.open else CLOSED)
        return desk.onward(f"/desk/n/{newsletter}/issues/{slug}/wording", said=said)

    @routes.post("/desk/n/{newsletter}/issues/{slug}/wording/save")
    def save_itself(newsletter: str, slug: str, seat: Officer, body: SentJson) -> Response:
        saved = seat.pipeline.building.words.save(slug, _sent_edits(body), newsletter=newsletter)
        return JSONResponse(_told(saved))

    def _show(
        request: Request,
        seat: Seat,
        newsletter: str,
        slug: str,
        *,
        saved: Saved | None = None,
        form: DeskForm | None = None,
    ) -> Response:
        language = desk.language_of(request, seat)
        words = seat.pipeline.building.words.read(slug, newsletter=newsletter, language=language)
        return desk.show(
            request,
            "issues/wording.html.j2",
            seat,
            status=409 if saved else 200,
            nav="issues",
            issue=words.head,
            step="wording",
            words=words,
            may_change=seat.may("officer") and words.head.state == "draft",
            wanted=request.query_params.get("language", ""),
            direction=direction,
            clashes={f"{clash.part}-{clash.language}": clash.theirs for clash in saved.clashes} if saved else {},
            refused={f"{edit.part}-{edit.language}" for edit in saved.refused} if saved else set(),
            sent={name: form.get(name) for name in form.fields} if form else {},
        )

    return routes


def _edits(form: DeskForm) -> Iterator[Edit]:
    """The fields of a form that are not what they began from."""
    for name in form.fields:
        part, _, language = name.partition("-")
        before = f"{name}-before"
        if part in PARTS and before in form and form.get(name) != form.get(before):
            began, after = _line(form.get(before), part), _line(form.get(name), part)
            yield Edit(language=language, part=part, before=began, after=after)


def _sent_edits(body: Mapping[str, Any]) -> list[Edit]:
    """The edits that a script sends. Raises HTTPException 422 for anything else."""
    edits = body.get("edits")
    if not isinstance(edits, list) or len(edits) > _MOST_EDITS:
        raise HTTPException(422)
    return [_sent_edit(edit) for edit in edits]


def _sent_edit(edit: Any) -> Edit:
    names = ("language", "part", "before", "after")
    if not isinstance(edit, dict) or not all(isinstance(edit.get(name), str) for name in names):
        raise HTTPException(422)
    if edit["part"] not in PARTS:
        raise HTTPException(422)
    began, after = (_line(edit[name], edit["part"]) for name in ("before", "after"))
    return Edit(language=edit["language"], part=edit["part"], before=began, after=after)


def _line(words: str, part: str) -> str:
    """Words for a field of one line: what was pasted with line breaks is one line all the same."""
    return words if part == "intro" else " ".join(words.split())


def _told(saved: Saved) -> dict[str, Any]:
    return {
        "open": saved.open,
        "at": rfc3339(saved.at),
        "saved": [f"{edit.part}-{edit.language}" for edit in saved.saved],
        "clashes": {f"{clash.part}-{clash.language}": clash.theirs for clash in saved.clashes},
        "refused": [f"{edit.part}-{edit.language}" for edit in saved.refused],
    }
