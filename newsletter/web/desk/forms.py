"""
What a form of the desk says: its fields, and the files that were sent with it.

Takes a request in any encoding of forms; yields a `DeskForm`. Every way of reading it is the same reading: the guard
looks for the token in the form that the route gets. Raises HTTPException 400 for what is no form, 422 for characters
that no keyboard makes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, cast

from fastapi import Depends, HTTPException
from starlette.datastructures import UploadFile
from starlette.requests import Request

from newsletter.web.form import Form

MOST_FIELDS: Final = 3_000
"""Of a form: an entry with many sittings in many languages."""

MOST_FILES: Final = 5
"""Of a form."""

MOST_OCTETS: Final = 1_000_000
"""Of one field: the longest text that anybody pastes."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent; `media_type` is what the browser takes it for, and proves nothing."""

    filename: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class DeskForm(Form):
    """The fields of a form by name, and its files."""

    files: Mapping[str, Upload] = field(default_factory=dict)


async def form_of(request: Request) -> DeskForm:
    """Read the form of a request, once."""
    known = getattr(request.state, "form", None)
    if known is None:
        known = request.state.form = await _read(request)
    return cast("DeskForm", known)


async def _read(request: Request) -> DeskForm:
    fields: dict[str, tuple[str, ...]] = {}
    files: dict[str, Upload] = {}
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MOST_OCTETS) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if value.filename:
                    files[name] = await _upload(value)
                continue
            if _CONTROL.search(name) or _CONTROL.search(value):
                raise HTTPException(422)
            fields[name] = (*fields.get(name, ()), value.replace("\r\n", "\n"))
    return DeskForm(fields, files)


async def _upload(file: UploadFile) -> Upload:
    return Upload(
        filename=_CONTROL.sub("", file.filename or "")[-200:],
        content=await file.read(),
        media_type=file.content_type or "application/octet-stream",
    )


async def _json(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise HTTPException(415)  # its body was read as a form already
    try:
        body = await request.json()
    except ValueError as error:
        raise HTTPException(400) from error
    if not isinstance(body, dict):
        raise HTTPException(400)
    return body


Sent = Annotated[DeskForm, Depends(form_of)]
"""Asks FastAPI for the form of a request."""

SentJson = Annotated[dict[str, Any], Depends(_json)]
"""Asks FastAPI for the JSON object in the body of a request."""
