"""
Founding newsletters, and changing their settings.

Takes what an administrator fills in; yields newsletters that can send an issue at once, and says of what cannot be
taken where it stands. Promises that two people who change the same settings do not undo each other's work unseen.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content import store as content
from newsletter.content.difference import compare
from newsletter.content.newsletter import Newsletter
from newsletter.database import reading
from newsletter.pipeline.parts import Parts
from newsletter.words import catalogue
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress

LONGEST_SLUG: Final = 40
"""Characters of a slug that is made of a name: it stands in every address of the archive."""

SECTIONS: Final = (
    {"key": "lead"},
    {"key": "news", "words": "News", "columns": 2},
    {"key": "publications", "words": "Publications"},
    {"key": "did-you-know", "words": "Did you know?", "marker": "arrow"},
    {"key": "agenda", "words": "Agenda", "show": "lines"},
)
"""The parts of a new newsletter's issues; `words` are messages of the readers' catalogues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that cannot be taken: the path of its place, Pydantic's type of the error, and its English words."""

    place: tuple[str, ...]
    kind: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What came of founding a newsletter: its settings, or why there is none."""

    settings: Newsletter | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Settings as they are stored; `seen` says when they were last changed, and goes back with a change."""

    settings: Newsletter
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """
    What came of a change: what is different now, or why nothing is.

    `is_late` says that somebody else was faster: `lines` then say what of theirs the change would replace.
    """

    lines: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    is_late: bool = False

    @property
    def is_done(self) -> bool:
        """Whether everything is as it was wanted."""
        return not self.refusals and not self.is_late


class Founding:
    """The verbs of newsletters."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def found(
        self, *, name: str, languages: Sequence[str], timezone: str, sender_name: str, sender_address: str
    ) -> Founded:
        """Make a newsletter; the first language is the default, and all that is not asked for can be changed later."""
        domain = _domain(sender_address)
        with self._parts.sessions() as session:
            slug = _free(slug_of(name), {settings.slug for _, settings in content.list_newsletters(session)})
            data = {
                "slug": slug,
                "name": name,
                "languages": list(languages),
                "locales": usual_locales(languages, timezone),
                "timezone": timezone,
                "sender": {"name": sender_name, "address": sender_address},
                "list_id": f"{slug}.{domain or 'invalid'}",
                "sections": usual_sections(languages),
            }
            settings, refusals = _read(data)
            refusals = (*_blank(data, ("name",), ("sender", "name")), *refusals)
            if settings is None or refusals:
                return Founded(refusals=refusals)
            content.save_newsletter(session, settings, now=self._parts.now())
            self._note(session, Deed.NEWSLETTER_MADE, slug)
            session.commit()
        return Founded(settings=settings)

    def show(self, slug: str) -> Stored:
        """A newsletter's settings. Raises NotFound."""
        with reading(self._parts.engine) as session:
            settings, changed = content.stored_newsletter(session, slug)
        return Stored(settings=settings, seen=changed.isoformat())

    def change(self, slug: str, changes: Mapping[str, Any], *, seen: str) -> Settled:
        """
        Change settings by dotted keys such as `theme.accent`; None takes one away.

        `seen` is that of the settings which the change was made from: where they have changed since, nothing is done.
        Raises NotFound.
        """
        with self._parts.sessions() as session:
            settings, _ = content.stored_newsletter(session, slug)
            data = settings.model_dump(mode="json", by_alias=True)
            for key, value in changes.items():
                _put(data, key, value)
            data["slug"] = slug
            changed, refusals = _read(data)
            refusals = (*_blank(data, ("name",), ("sender", "name")), *refusals)
            if changed is None or refusals:
                return Settled(refusals=refusals)
            if not content.hold_newsletter(session, slug, seen=_instant(seen)):
                return Settled(is_late=True, lines=compare(settings, changed).lines)
            _, difference = content.save_newsletter(session, changed, now=self._parts.now())
            if difference.lines:
                self._note(session, Deed.NEWSLETTER_CHANGED, slug, reason="; ".join(difference.lines))
            session.commit()
        return Settled(lines=difference.lines)

    def _note(self, session: Session, deed: Deed, slug: str, *, reason: str = "") -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=slug, reason=reason)


def slug_of(name: str, *, otherwise: str = "newsletter") -> str:
    """A slug made of a name: its ASCII letters and digits, with hyphens between words; `otherwise` if it has none."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-") or otherwise


def usual_locales(languages: Sequence[str], timezone: str) -> dict[str, str]:
    """English as the British write it, but for the Americas: "1 December", and 24 hours to a day."""
    is_american = timezone.startswith("America/")
    return {} if is_american or "en" not in languages else {"en": "en-GB"}


def usual_sections(languages: Sequence[str]) -> list[dict[str, Any]]:
    """The sections of a new newsletter, titled in those of its languages that the program speaks."""
    titles = {tag: catalogue(tag) for tag in languages}
    return [
        {
            **{key: value for key, value in section.items() if key != "words"},
            "title": {
                tag: words.say(str(section["words"]))
                for tag, words in titles.items()
                if "words" in section and words.language == tag.partition("-")[0]
            },
        }
        for section in SECTIONS
    ]


def _free(slug: str, taken: set[str]) -> str:
    names = (slug, *(f"{slug}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _domain(address: str) -> str:
    try:
        return parse_address(address).domain
    except InvalidAddress:
        return ""


def _instant(seen: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(seen)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _read(data: Mapping[str, Any]) -> tuple[Newsletter | None, tuple[Refusal, ...]]:
    try:
        return Newsletter.model_validate(data), ()
    except ValidationError as error:
        return None, tuple(
            Refusal(place=tuple(map(str, each["loc"])), kind=each["type"], words=each["msg"])
            for each in error.errors(include_url=False, include_context=False)
        )


def _blank(data: Mapping[str, Any], *places: tuple[str, ...]) -> tuple[Refusal, ...]:
    """Refuse names that are there in no language: a file may leave them open, a form has asked for them."""
    found = []
    for place in places:
        value: Any = data
        for step in place:
            value = value[step]
        words = value.values() if isinstance(value, Mapping) else [value]
        if not any(word and word.strip() for word in words):
            found.append(Refusal(place=place, kind="missing", words="it is empty"))
    return tuple(found)


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    place = data
    for folder in folders:
        if not isinstance(place.get(folder), dict):
            place[folder] = {}
        place = place[folder]
    place[last] = deepcopy(value)
