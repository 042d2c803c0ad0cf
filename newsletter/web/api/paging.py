"""
Pages of lists: so many rows at a time, and where the next ones begin.

A cursor is opaque to callers; it holds the key of the last row, so that rows which come or go meanwhile neither repeat
nor hide others. Raises ApiError 422 for what is no cursor of ours.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from newsletter.web.api.problems import ApiError

Row = TypeVar("Row", bound=BaseModel)

MOST: Final = 200
"""Rows of a page."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")]
After = Annotated[str, Query(max_length=400, description="`next` of the page before.")]


class Page(BaseModel, Generic[Row]):
    """Rows, and where the next ones begin."""

    items: list[Row]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


def cursor(key: str) -> str:
    """The cursor that stands for a key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(text: str) -> str:
    """The key that a cursor stands for; "" for none."""
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ApiError(422, "invalid", "after is no cursor: send what `next` of the page before was.") from error


def number_of(text: str) -> int | None:
    """The number that a cursor stands for; None for none."""
    key = key_of(text)
    if not key:
        return None
    if not (key.isascii() and key.isdecimal() and len(key) < 19):  # noqa: PLR2004  fits 64 bits
        raise ApiError(422, "invalid", "after is no cursor: send what `next` of the page before was.")
    return int(key)


def page_of(rows: Sequence[Row], *, limit: int, keys: Sequence[str]) -> Page[Row]:
    """A page of at most `limit` rows out of one more, if there are more; `keys` are theirs."""
    has_more = len(rows) > limit
    return Page(items=list(rows[:limit]), next=cursor(keys[limit - 1]) if has_more else None)
