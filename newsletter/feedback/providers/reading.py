"""
Reading JSON that came from outside: whatever stands there, it is read as what was expected or as nothing.

Takes bytes and parsed values; yields texts, lists and instants. Pure.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from newsletter.errors import InvalidInput

_MILLISECONDS: Final = 10**11
"""An epoch beyond it (the year 5138) is meant in milliseconds."""

_STATUS: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


def parsed(body: bytes | str) -> Any:
    """The JSON in a request's body; raises InvalidInput where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the body is no JSON") from error


def inside(value: Any, *path: str) -> Any:
    """What stands at a path of keys, None where there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: Any, *path: str) -> str:
    """The text, or the number as text, that stands at a path; else nothing."""
    found = inside(value, *path)
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        return ""
    return str(found)


def items(value: Any, *path: str) -> list[Any]:
    """The list that stands at a path; else an empty one."""
    found = inside(value, *path)
    return found if isinstance(found, list) else []


def enhanced(value: Any, *path: str) -> str:
    """The enhanced status code (RFC 3463 §2) that stands at a path; else nothing."""
    found = _STATUS.fullmatch(text(value, *path).strip())
    return found[0] if found else ""


def epoch(value: Any, *path: str) -> dt.datetime | None:
    """The instant that stands at a path as seconds or milliseconds since 1970, in a number or its digits."""
    try:
        seconds = float(text(value, *path))
        return dt.datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def instant(value: Any, *path: str) -> dt.datetime | None:
    """The instant that stands at a path in the manner of RFC 3339; without an offset it is UTC."""
    try:
        found = dt.datetime.fromisoformat(text(value, *path))
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except OverflowError:
        return None
