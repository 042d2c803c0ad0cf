"""
The editor of an entry: every language in a column of its own, side by side.

    GET   /desk/n/{newsletter}/entries/{key}            `?show=en,fr`: the columns that are open
    POST  /desk/n/{newsletter}/entries/{key}            the form (see `form`); `then`: save or publish
    POST  /desk/n/{newsletter}/entries/{key}/merge      `base`, `sheet`, `choice.FIELD` (mine, theirs, edit),
                                                        `edit.FIELD`
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.content.drafts import Draft, Form
from newsletter.content.entry import Status
from newsletter.content.merging import Clash
from newsletter.content.revisions import differing
from newsletter.content.sheet import Sheet, is_well_shaped, traps_of
from newsletter.content.wordwise import word_by_word
from newsletter.pipeline.history import said
from newsletter.pipeline.writing import Conflict, Opened, Refused, Saved
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries.form import base_in, sheet_in
from newsletter.web.desk.entries.said import KINDS, sentences
from newsletter.web.desk.entries.table import labels_of
from newsletter.web.desk.entries.view import columns_of, place_of
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.parts.view import ACTIONS, entry_parts
from newsletter.web.form import Form as Fields

_EDITED = ("title", "body")
"""The parts of a text that somebody may put together by hand where two people have changed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the editor shows: a sheet on a revision, the form it was typed in, what is wrong with it, what is open."""

    sheet: Sheet
    base: int
    form: Form | None = None
    problems: Mapping[str, str] | None = None
    status: int = 200
    draft: Draft | None = None
    columns: str = ""


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of the editor."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/entries/{key}")
    def edit(request: Request, newsletter: str, key: str, seat: Viewer) -> Response:
        opened = seat.pipeline.writing.open(key, newsletter=newsletter)
        draft = opened.draft if seat.may(Role.OFFICER) and _says_more(opened) else None
        shown = Shown(sheet=opened.sheet, base=opened.stored.revision)
        if draft:
            shown = Shown(sheet=opened.sheet | draft.sheet, base=draft.base, form=draft.form, draft=draft)
        return _show(request, seat, opened, shown)

    @routes.post("/desk/n/{newsletter}/entries/{key}")
    def save(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        opened = seat.pipeline.writing.open(key, newsletter=newsletter)
        entry, fields = opened.stored.entry, _raw(form)
        sheet, wrong = sheet_in(form, entry, newsletter=opened.newsletter, take=_taking(seat))
        status = Status.PUBLISHED if form.get("then") == "publish" else None
        base = base_in(form)
        shown = Shown(sheet=opened.sheet | sheet, base=base, form=fields, columns=form.get("show"))
        if wrong:
            kept = seat.pipeline.writing.keep(
                key, newsletter=newsletter, sheet=sheet, base=base, form=fields, is_whole=False
            )
            return _show(request, seat, opened, replace(shown, problems={**kept.problems, **wrong}, status=422))
        result = seat.pipeline.writing.save(
            key, newsletter=newsletter, sheet=sheet, base=base, status=status, form=fields
        )
        return _answer(request, seat, opened, result, shown)

    @routes.post("/desk/n/{newsletter}/entries/{key}/merge")
    def merge(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        opened = seat.pipeline.writing.open(key, newsletter=newsletter)
        sheet = _decided(form)
        result = seat.pipeline.writing.save(key, newsletter=newsletter, sheet=sheet, base=base_in(form))
        return _answer(request, seat, opened, result, Shown(sheet=opened.sheet | sheet, base=base_in(form)))

    def _answer(
        request: Request, seat: Seat, opened: Opened, result: Saved | Refused | Conflict, shown: Shown
    ) -> Response:
        labels = labels_of(desk, request, seat, opened.newsletter)
        key, slug = opened.stored.entry.key, opened.newsletter.slug
        if isinstance(result, Saved):
            address = f"/desk/n/{slug}/entries/{key}{f'?show={quote(shown.columns)}' if shown.columns else ''}"
            return desk.onward(address, said=" ".join(sentences(labels, result)))
        if isinstance(result, Refused):
            return _show(request, seat, opened, replace(shown, problems=result.problems, status=422))
        return desk.show(
            request,
            "entries/conflict.html.j2",
            seat,
            status=409,
            nav="entries",
            labels=labels,
            key=key,
            opened=opened,
            conflict=result,
            sheet=json.dumps(result.sheet, ensure_ascii=False),
            clashes=[_clash(clash) for clash in result.clashes],
        )

    def _show(request: Request, seat: Seat, opened: Opened, shown: Shown) -> Response:
        labels = labels_of(desk, request, seat, opened.newsletter)
        problems = {name: labels.problem(words) for name, words in (shown.problems or {}).items()}
        form = Fields({name: tuple(values) for name, values in shown.form.items()}) if shown.form else None
        key = opened.stored.entry.key
        return desk.show(
            request,
            "entries/editor.html.j2",
            seat,
            status=shown.status,
            nav="entries",
            labels=labels,
            key=key,
            path=f"/desk/n/{opened.newsletter.slug}/entries/{key}",
            opened=opened,
            settings=opened.newsletter,
            sheet=shown.sheet,
            base=shown.base,
            draft=shown.draft,
            problems=problems,
            columns=columns_of(
                opened,
                shown.sheet,
                labels,
                wanted=(shown.columns or request.query_params.get("show", "")).split(","),
                problems=problems,
                traps=traps_of(shown.sheet),
            ),
            place=place_of(shown.sheet, opened.newsletter.languages),
            kinds=list(KINDS),
            link_actions=ACTIONS,
            parts=entry_parts(
                opened.newsletter, opened.stored.entry, key=key, language=desk.language_of(request, seat), form=form
            ),
            may_write=seat.may(Role.OFFICER),
        )

    return routes


def _taking(seat: Seat) -> Any:
    return seat.pipeline.pictures.store


def _says_more(opened: Opened) -> bool:
    """Whether a draft differs from what is stored: one may come in when its words have just been saved."""
    draft, stored = opened.draft, opened.stored.entry
    if draft is None:
        return False
    same = {name: value for name, value in opened.sheet.items() if name in draft.sheet}
    form = Fields({name: tuple(values) for name, values in draft.form.items()})
    return bool(differing(same, draft.sheet) or sheet_in(form, stored, newsletter=opened.newsletter)[1])


def _raw(form: DeskForm) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in form.fields.items() if name != "csrf"}


def _decided(form: Fields) -> Sheet:
    """The sheet of a conflict with what was chosen: a field that shall be the other's is left out."""
    try:
        sheet = json.loads(form.get("sheet"))
    except ValueError as error:
        raise HTTPException(422) from error
    if not isinstance(sheet, dict) or not is_well_shaped(sheet):
        raise HTTPException(422)
    for name in form.fields:
        choice, _, field = name.partition(".")
        if choice != "choice" or field not in sheet:
            continue
        if form.get(name) == "theirs":
            del sheet[field]
        elif form.get(name) == "edit" and field.partition(".")[0] in _EDITED:
            sheet[field] = form.get(f"edit.{field}").replace("\r\n", "\n").strip()
    return sheet


def _clash(clash: Clash) -> dict[str, Any]:
    base, mine, theirs = said(clash.base), said(clash.mine), said(clash.theirs)
    return {
        "field": clash.field,
        "mine": word_by_word(base, mine),
        "theirs": word_by_word(base, theirs),
        "words": mine,
        "is_text": clash.field.partition(".")[0] in _EDITED,
        "language": clash.field.partition(".")[2],
    }
