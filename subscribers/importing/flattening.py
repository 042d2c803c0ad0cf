"""
Attributes as JSON, as listmonk stores them.

Takes the text of one cell; yields fields and attributes; promises names and values that can be stored, and that a
value that is no field in spite of its name is kept as an attribute.
"""

import json
from collections.abc import Iterator
from typing import Any

from subscribers.errors import InvalidLanguage, InvalidValue
from subscribers.language import country_named
from subscribers.models import Attribute
from subscribers.segments import RESERVED
from subscribers.store import FIELDS, clean, clean_attributes, identifier, typed

_MAX_DEPTH = 8
"""Levels of objects within objects: more are nobody's data about a person."""

_TOO_LARGE = 10**15
"""Numbers of more digits are codes, and kept as text."""


def flattened(text: str) -> tuple[dict[str, str], dict[str, Attribute]]:
    """Return the fields and the attributes of a JSON object.

    Objects within it are joined by `_`, lists of plain values become text divided by `;`, null is left out. A name
    that is a field of ours is that field, if its value can be one.

    Raises:
        InvalidValue: it is no JSON object, or a value cannot be stored.
    """
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue("attributes", "the attributes are not JSON") from error
    if not isinstance(parsed, dict):
        raise InvalidValue("attributes", "the attributes are no JSON object")
    values: dict[str, str] = {}
    attributes: dict[str, Attribute] = {}
    for name, value in _leaves(parsed, "", 0):
        if name in FIELDS and (field := _field(name, value)):
            values[name] = field
        else:
            attributes[f"{name}_" if name in RESERVED else name] = value
    return values, clean_attributes(attributes)


def _leaves(parsed: dict[str, Any], above: str, depth: int) -> Iterator[tuple[str, Attribute]]:
    if depth == _MAX_DEPTH:
        raise InvalidValue("attributes", f"the attributes are nested more than {_MAX_DEPTH} levels deep")
    for key, value in parsed.items():
        name = identifier(f"{above}{key}")
        if isinstance(value, dict):
            yield from _leaves(value, f"{name} ", depth + 1)
        elif name and (plain := _plain(value)) not in {None, ""}:
            yield name, plain


def _plain(value: Any) -> Attribute | None:
    match value:
        case str():
            return typed(" ".join(value.split()))
        case list() if all(isinstance(each, str | int | float) for each in value):
            return ";".join(str(each).lower() if isinstance(each, bool) else str(each) for each in value)
        case list():
            return json.dumps(value, ensure_ascii=False)
        case bool() | int() | float():
            return value if abs(value) < _TOO_LARGE else str(value)  # also what is infinite or no number
        case _:
            return None


def _field(name: str, value: Attribute) -> str | None:
    try:
        return clean(name, str(value))
    except InvalidLanguage:
        return None
    except InvalidValue:
        return country_named(str(value)) if name == "country" else None
