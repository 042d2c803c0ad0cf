"""Many keys in one statement: cut into pieces that it can bind, or as one value."""

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import ARRAY, ColumnElement, any_, func, literal, select
from sqlalchemy.orm import Session

Item = TypeVar("Item")

BATCH = 2000
"""Values in one statement: far below SQLite's 32,766, and enough that the round trip no longer counts."""


def in_batches(items: Collection[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    """Yield the items in order, at most `size` at a time."""
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch


def among(session: Session, column: Any, values: Collection[str | int]) -> ColumnElement[bool]:
    """Return the condition that a column has one of any number of values; `IN` would bind each by itself."""
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_each(json.dumps(list(values))).table_valued("value")
        return cast("ColumnElement[bool]", column.in_(select(each.c.value)))
    return cast("ColumnElement[bool]", column == any_(literal(list(values), ARRAY(column.type))))
