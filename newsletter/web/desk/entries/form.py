"""
The form of an entry's editor.

Takes what the form says; yields a sheet (see `content.sheet`) and the problems that reading it found. Promises that
what was not changed reads as it is stored, that a form without a field leaves it alone, and that what cannot be read is
kept as it was typed.

Fields: `base` (the revision the writer began with), `kind`, `section`, `topic`, `tags` (split at commas), `published`,
`priority`, `source`, `languages` (several; all or none of them ticked: every edition), `repeat`, `place.country`,
`place.online`, `place.name.TAG`, `place.city.TAG`; `texts` (the languages that follow, between blanks), and for each
`title.TAG`, `body.TAG`, `link.TAG.N.action`, `.label` and `.url`; those of `parts.sittings` and `parts.picture`.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from newsletter.content.entry import Entry, Link, Place, Status
from newsletter.content.localised import EVERY, Value
from newsletter.content.newsletter import Newsletter
from newsletter.content.sheet import Sheet
from newsletter.web.desk.parts.fields import Fields, Problems
from newsletter.web.desk.parts.picture import Taking, picture_in
from newsletter.web.desk.parts.sittings import rows_in, sittings_in

MOST_LINKS: Final = 20
"""Of one text."""

_DIGITS: Final = 9
"""Of a number of ours: no database takes issue with it."""

_WHOLE: Final = re.compile(r"-?[0-9]{1,6}")

_PLACE: Final = ("name", "city")


def sheet_in(
    form: Fields, entry: Entry, *, newsletter: Newsletter, take: Taking | None = None
) -> tuple[Sheet, Problems]:
    """The fields that a form of `entry` has, and what is wrong with its sittings and its picture."""
    sheet: Sheet = dict(_texts(form))
    if "kind" not in form:
        return sheet, {}
    sheet |= _shared(form, newsletter)
    sittings, wrong = sittings_in(form, entry)
    if _is_begun_only(form, entry):
        wrong = {}
    picture, wrong_picture = picture_in(form, entry, take=take)
    sheet["sittings"] = [_plain(sitting) for sitting in sittings]
    sheet["image"] = None if picture is None else _plain(picture)
    return sheet, {**wrong, **wrong_picture}


def languages_in(form: Fields) -> tuple[str, ...]:
    """The languages that a form has texts for."""
    return tuple(form.get("texts").split())


def base_in(form: Fields) -> int:
    """The revision that the writer began with; -1 where the form does not say, so that every difference is asked."""
    return number_in(form.get("base"), otherwise=-1)


def number_in(said: str, *, otherwise: int) -> int:
    """A whole number that a page of ours wrote; what no such page writes is `otherwise`."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _DIGITS else otherwise


def _is_begun_only(form: Fields, entry: Entry) -> bool:
    """Whether dates are still to come: a draft is saved without them, and published with them."""
    rows = rows_in(form) if "sitting-count" in form else ()
    return entry.status is Status.DRAFT and all(row.is_blank for row in rows)


def _shared(form: Fields, newsletter: Newsletter) -> dict[str, Any]:
    chosen = form.all("languages")
    offered = newsletter.languages
    priority = form.get("priority", "0").strip() or "0"
    return {
        "kind": form.get("kind"),
        "section": form.get("section"),
        "topic": form.get("topic").strip() or None,
        "tags": list(dict.fromkeys(filter(None, (tag.strip() for tag in form.get("tags").split(","))))),
        "published": form.get("published").strip(),
        "priority": int(priority) if _WHOLE.fullmatch(priority) else priority,
        "source": form.get("source"),
        "languages": [] if set(offered) <= set(chosen) else list(chosen),
        "repeat": "repeat" in form,
        "place": _place(form, newsletter),
    }


def _place(form: Fields, newsletter: Newsletter) -> dict[str, Any] | None:
    said: dict[str, Any] = {part: form.get(f"place.{part}").strip() or None for part in ("country", "online")}
    tags = (EVERY, *newsletter.languages, *form.get("place.languages").split())
    for part in _PLACE:
        found = ((tag, form.get(f"place.{part}.{tag}").strip()) for tag in dict.fromkeys(tags))
        said[part] = {tag: words for tag, words in found if words}
    filled = {part: value for part, value in said.items() if value}
    return _read(Place, filled) if filled else None


def _texts(form: Fields) -> Iterator[tuple[str, Any]]:
    for language in languages_in(form):
        yield f"title.{language}", form.get(f"title.{language}").strip()
        yield f"body.{language}", form.get(f"body.{language}").replace("\r\n", "\n").strip()
        yield f"links.{language}", list(_links(form, language))


def _links(form: Fields, language: str) -> Iterator[dict[str, Any]]:
    for number in range(MOST_LINKS):
        name = f"link.{language}.{number}"
        url, action, label = (form.get(f"{name}.{part}").strip() for part in ("url", "action", "label"))
        if url or label:
            words = {"action": action} if action else {"label": label} if label else {}
            yield _read(Link, {**words, "url": url})


def _read(model: type[Value], data: dict[str, Any]) -> dict[str, Any]:
    """The data as they would be stored, or as they are where that cannot be."""
    try:
        return _plain(model.model_validate(data))
    except ValidationError:
        return data


def _plain(value: Value) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
