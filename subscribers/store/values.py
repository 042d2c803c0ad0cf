"""
What may be stored about a subscriber: the one check of every value, wherever it comes from.

Takes text from forms, files and the command line; yields values in their one spelling or raises; promises text
without control characters or line breaks, which could reach a mail header. No database here.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import available_timezones

from subscribers.errors import InvalidValue
from subscribers.language import country_code, normalise_tag
from subscribers.models import Attribute
from subscribers.segments import RESERVED

TEXT_FIELDS = ("first_name", "last_name", "organisation", "city")
"""Fields that take any text."""

FIELDS = (*TEXT_FIELDS, "country", "language", "timezone")
"""Every field of a subscriber beside the address; every other name is an attribute."""

MAX_TEXT = 500
"""Characters of a field or tag's text: more would not fit anywhere it is shown."""

MAX_TAG = 100
"""Characters of a tag, and of the name of a list or segment."""

MAX_ATTRIBUTE = 4096
"""Characters of an attribute, as of a field of an imported file."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}", re.ASCII)
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""How a spreadsheet recognises a formula, also in the full-width letters of East Asian keyboards (CWE-1236)."""


def clean(field: str, text: str) -> str | None:
    """Return the value of one of `FIELDS` in its one spelling; an unknown language or zone is None.

    Raises:
        InvalidLanguage, InvalidValue: with the reason in words.
    """
    text = clean_text(field, text)
    match field:
        case "language":
            return normalise_tag(text) if text else None
        case "timezone":
            return zone_name(text) if text else None
        case "country":
            return country_code(text) if text else ""
        case _:
            return text


def clean_text(field: str, text: str, *, longest: int = MAX_TEXT) -> str:
    """Return text in NFC on one line, with single spaces.

    Raises:
        InvalidValue: it contains control characters or is longer than `longest` characters.
    """
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if _CONTROL.search(text):
        raise InvalidValue(field, "the text contains a control character")
    if len(text) > longest:
        raise InvalidValue(field, f"the text is longer than {longest} characters")
    return text


def clean_name(field: str, text: str) -> str:
    """Return the name of a list, segment or tag.

    Raises:
        InvalidValue: it is empty or too long.
    """
    name = clean_text(field, text, longest=MAX_TAG)
    if not name:
        raise InvalidValue(field, "the name is empty")
    return name


def clean_attributes(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Return attributes that can be stored and asked for on every database.

    Raises:
        InvalidValue: a name is no identifier or has another meaning; a value is too long or no finite number.
    """
    return {clean_attribute_name(name): _clean_attribute(name, value) for name, value in attributes.items()}


def clean_attribute_name(name: str) -> str:
    """Return the name of an attribute.

    Raises:
        InvalidValue: it is no identifier of small letters, digits and underscores, or means something else.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise InvalidValue(name[:MAX_TAG], "the name of an attribute is made of a-z, 0-9 and _")
    if name in RESERVED:
        raise InvalidValue(name, "this name has another meaning and cannot be an attribute")
    return name


def identifier(text: str) -> str:
    """Return the attribute's name that a heading becomes: “Population (2024)” is `population_2024`; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]
    return f"_{name}" if name[:1].isdigit() else name


def typed(text: str) -> Attribute:
    """Return text as what it reads as: whole number, decimal number, `true`, `false`, else text.

    A number with a leading zero, a sign `+` or more than 15 digits is a code, not a quantity, and stays text.
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return {"true": True, "false": False}.get(text.lower(), text)


@lru_cache(maxsize=1024)
def zone_name(text: str) -> str:
    """Return an IANA time zone in its proper letter case.

    Raises:
        InvalidValue: there is no such zone.
    """
    zone = _zones().get(text.strip().lower())
    if zone is None:
        raise InvalidValue("timezone", f"“{text[:MAX_TAG]}” is no time zone; write one like Europe/Brussels")
    return zone


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    return {zone.lower(): zone for zone in available_timezones() - {"Factory", "localtime", "posixrules"}}


def guarded(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes before what would begin one."""
    return f"'{cell}" if _computes(cell) else cell


def unguarded(cell: str) -> str:
    """Return what was exported: the apostrophe that `guarded` put before a cell is taken off again."""
    return cell[1:] if cell.startswith("'") and _computes(cell[1:]) else cell


def _computes(cell: str) -> bool:
    # What is guarded already is guarded once more, so that every cell comes back as it was.
    return cell.lstrip("'").startswith(_FORMULA)


def _clean_attribute(name: str, value: Attribute) -> Attribute:
    if isinstance(value, str):
        return clean_text(name, value, longest=MAX_ATTRIBUTE)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidValue(name, "the number is not finite")
    if abs(value) >= 10**15:
        raise InvalidValue(name, "the number has more than 15 digits")
    return value
