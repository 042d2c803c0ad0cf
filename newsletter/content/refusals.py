"""
Pydantic's refusals in an officer's words, each with its place in the file.

Takes a ValidationError, the model that raised it and the document the data came from; yields problems. A key that does
not exist is answered with the nearest one that does.
"""

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from newsletter.content.fields import DUPLICATE
from newsletter.content.localised import Value
from newsletter.content.yaml import Document, Path
from newsletter.errors import Problem

_SHOWN: Final = 40
"""Characters of what was written that a message repeats."""

_WORDS: Final = {
    "string_type": "this is one text",
    "string_unicode": "this text holds half a character (a lone surrogate): write it again",
    "dict_type": "this is a mapping of keys and values",
    "model_type": "this is a mapping of keys and values",
    "model_attributes_type": "this is a mapping of keys and values",
    "tuple_type": "this is a list: put it in brackets, or begin each member with a dash",
    "bool_parsing": "this is true or false",
    "bool_type": "this is true or false",
    "int_parsing": "this is a whole number",
    "int_type": "this is a whole number",
    "int_from_float": "this is a whole number",
}
"""For Pydantic's types of errors, what should stand there."""


def problems_of(error: ValidationError, model: type[Value], *, document: Document, path: Path) -> Iterator[Problem]:
    """The problems behind an error of `model` about the data at `path`."""
    for details in error.errors(include_url=False):
        if details["type"] != DUPLICATE:
            yield _problem(details, model, document=document, path=path)


def unknown_key(key: str, known: Collection[str]) -> str:
    """Say that a key does not exist and which one may be meant."""
    near = get_close_matches(key, known, n=1)
    return f"unknown key {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"here may stand {', '.join(known)}")


def _problem(details: ErrorDetails, model: type[Value], *, document: Document, path: Path) -> Problem:
    loc = details["loc"]
    where = (*path, *loc)
    if details["type"] == "missing":
        return document.problem(f"{loc[-1]!r} is missing", where[:-1], absent=str(loc[-1]))
    if details["type"] == "extra_forbidden":
        return document.problem(unknown_key(str(loc[-1]), _keys(model, loc[:-1])), where, at_key=True)
    return document.problem(_said(details), where, at_key=loc[-1:] == ("[key]",))


def _said(details: ErrorDetails) -> str:
    kind, given = details["type"], details["input"]
    if kind in _WORDS:
        message = _WORDS[kind]
    elif kind in {"value_error", "assertion_error"}:
        return str(details["ctx"]["error"])
    else:
        message = details["msg"].replace("Input should be", "this is").replace("String should", "this should")
        message = message[:1].lower() + message[1:]
    shown = isinstance(given, (str, int, float)) and 0 < len(str(given)) <= _SHOWN
    return f"{message}, not {given!r}" if shown else message


def _keys(model: type[Value], loc: Sequence[str | int]) -> list[str]:
    for step in loc:
        by_key = {field.alias or name: field for name, field in model.model_fields.items()}
        inner = _model_in(by_key[step].annotation) if step in by_key else None
        model = inner or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[Value] | None:
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
