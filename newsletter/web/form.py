"""
What a form says: its fields as text, within limits.

Takes a request in either encoding of forms (multipart/form-data, application/x-www-form-urlencoded); yields a `Form`.
A form with too many fields, or with a file, is answered 400; one with characters that no keyboard makes, 422.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, HTTPException
from starlette.requests import Request

MOST_FIELDS: Final = 100
"""Of a form: a preference page with a field for each of many lists."""

MOST_OCTETS: Final = 20_000
"""Of one field."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that no database takes, or that begin another header; halves of characters among them."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form by name, in the order in which they were sent."""

    fields: Mapping[str, tuple[str, ...]]

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return self.fields[name][-1] if name in self.fields else default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, such as the ticked boxes of one name."""
        return self.fields.get(name, ())


async def posted(request: Request) -> Form:
    """Read the form of a request; one without a body is a form without fields."""
    fields: dict[str, tuple[str, ...]] = {}
    async with request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=MOST_OCTETS) as form:
        for name, value in form.multi_items():
            if not isinstance(value, str) or _CONTROL.search(name) or _CONTROL.search(value):
                raise HTTPException(422)
            fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


Posted = Annotated[Form, Depends(posted)]
"""Asks FastAPI for the form of a request."""
