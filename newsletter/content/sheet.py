"""
An entry as a sheet: its fields by name, as a form shows them and a history keeps them.

Takes an `Entry` and yields plain values by name, one name for whatever two people may change without each other:
`topic`, `title.fr`, `links.fr`, `sittings`. Takes such a sheet, which may hold what somebody typed and nobody has
checked, and yields an entry or Pydantic's refusal; `problems_of` gives that in words by the names of fields. Pure.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from newsletter.content.entry import Entry, Status
from newsletter.content.traps import Trap, traps

Sheet = dict[str, Any]
"""The fields of an entry by name; every value is what JSON can hold."""

SHARED: Final = (
    "kind",
    "section",
    "topic",
    "tags",
    "published",
    "priority",
    "source",
    "languages",
    "repeat",
    "place",
    "image",
    "sittings",
)
"""The fields that are the same in every language, in the order in which they are shown."""

TEXT: Final = ("title", "body", "links")
"""The fields of each language; `title.fr` names the French one."""

_EMPTY: Final[Mapping[str, Any]] = {
    "topic": None,
    "tags": [],
    "priority": 0,
    "languages": [],
    "repeat": False,
    "place": None,
    "image": None,
    "sittings": [],
    "title": "",
    "body": "",
    "links": [],
}

_WORDS: Final[Mapping[str, str]] = {
    "kind": "Choose what kind of entry this is.",
    "section": "Choose a section of the newsletter.",
    "topic": "A topic has at most 200 characters.",
    "tags": "A tag has at most 80 characters.",
    "published": "Write the day as 2026-11-03.",
    "priority": "Write a whole number from -1000 to 1000.",
    "source": "The language of the original needs a title and a text.",
    "languages": "Choose languages of the newsletter.",
    "place": "A place has a name, a city, a country or an online address, which begins with https://.",
    "image": "The picture or its link is not complete: its address begins with https://.",
    "title": "Give it a title of at most 500 characters.",
    "body": "The text has at most 50,000 characters.",
    "links": "A link has an address that begins with https://, http://, mailto: or tel:, and words of its own "
    "or one of the set calls to action.",
}
"""What to do about a field that cannot be taken."""

SECTION_PROBLEM: Final = _WORDS["section"]
"""What to do about a section that the newsletter does not have."""

_NEEDS_SITTINGS: Final = "An agenda entry needs at least one sitting before it is published."
_HAS_SITTINGS: Final = "Only agenda entries have sittings: take them out first."

SENTENCES: Final = (*_WORDS.values(), _NEEDS_SITTINGS, _HAS_SITTINGS)
"""Every sentence that `problems_of` says of its own accord, so that each can be translated."""


class Act(StrEnum):
    """How a revision came about."""

    #: Somebody saved the entry, at the desk or by a content pack.
    SAVED = "saved"
    #: Somebody went back to an earlier revision.
    RESTORED = "restored"
    #: Words that were written while somebody else changed the same field, and were not taken.
    ASIDE = "aside"


def sheet_of(entry: Entry) -> Sheet:
    """The fields of an entry, each at its name."""
    data = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"key", "status", "texts"})
    sheet = {name: data.get(name, empty_value(name)) for name in SHARED}
    for language, text in entry.texts.items():
        links = [link.model_dump(mode="json", exclude_defaults=True) for link in text.links]
        sheet |= {f"title.{language}": text.title, f"body.{language}": text.body, f"links.{language}": links}
    return sheet


def entry_of(sheet: Mapping[str, Any], *, key: str, status: Status) -> Entry:
    """The entry that a sheet describes; a language in which it says nothing is left out. Raises ValidationError."""
    texts = {}
    for language in languages_of(sheet):
        said = {part: value for part in TEXT if (value := sheet.get(f"{part}.{language}"))}
        if said:
            texts[language] = {"title": "", **said}
    shared = {name: value for name in SHARED if (value := sheet.get(name)) not in (None, "", [])}
    return Entry.model_validate({**shared, "key": key, "status": status, "texts": texts})


def languages_of(sheet: Iterable[str]) -> tuple[str, ...]:
    """The languages that a sheet has fields for, in its order."""
    return tuple(dict.fromkeys(name.partition(".")[2] for name in sheet if name.partition(".")[0] in TEXT))


def is_well_shaped(sheet: Mapping[str, Any]) -> bool:
    """Tell whether every field holds the kind of value that a form makes of it, right or wrong."""
    return all(_fits(name.partition(".")[0], value) for name, value in sheet.items())


def _fits(name: str, value: Any) -> bool:
    if name in {"tags", "languages"}:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name in {"links", "sittings"}:
        return isinstance(value, list) and all(isinstance(each, dict) for each in value)
    if name in {"place", "image"}:
        return value is None or isinstance(value, dict)
    if name == "topic":
        return value is None or isinstance(value, str)
    return isinstance(value, (str, int))


def empty_value(name: str) -> Any:
    """What a field holds where nothing was ever said in it."""
    value = _EMPTY.get(name.partition(".")[0], "")
    return list(value) if isinstance(value, list) else value


def value_in(sheet: Mapping[str, Any], name: str) -> Any:
    """The value of a field, the empty one where the sheet does not have it."""
    value = sheet.get(name)
    return empty_value(name) if value is None else value


def problems_of(error: ValidationError, sheet: Mapping[str, Any]) -> dict[str, str]:
    """
    What is wrong with which field of a sheet, in words.

    Places inside sittings keep their path (`sittings.0.start`) and the words of the rule; `SENTENCES` has the others.
    """
    found: dict[str, str] = {}
    for details in error.errors(include_url=False, include_input=False):
        loc = tuple(map(str, details["loc"]))
        name = _field(loc, sheet)
        if name.startswith("sittings."):
            found.setdefault(name, details["msg"].removeprefix("Value error, "))
        elif not loc:
            found.setdefault("sittings", _HAS_SITTINGS if sheet.get("sittings") else _NEEDS_SITTINGS)
        else:
            found.setdefault(name, _WORDS.get(name.partition(".")[0], SECTION_PROBLEM))
    return found


def traps_of(sheet: Mapping[str, Any]) -> dict[str, tuple[Trap, ...]]:
    """The places of its texts that plain Markdown reads otherwise, by the names of the fields."""
    bodies = {name: value for name, value in sheet.items() if name.startswith("body.") and isinstance(value, str)}
    return {name: found for name, body in bodies.items() if (found := traps(body))}


def _field(loc: tuple[str, ...], sheet: Mapping[str, Any]) -> str:
    match loc:
        case ("texts", language, part, *_) if part in TEXT:
            return f"{part}.{language}"
        case ("texts", language, *_) if f"title.{language}" in sheet:
            return f"title.{language}"
        case ("texts", *_):
            return f"title.{sheet.get('source') or ''}"
        case ("sittings", _, *_):
            return ".".join(loc)
        case ():
            return ""
    return loc[0]
