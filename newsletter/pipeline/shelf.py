"""
The verbs about entries as a collection: find them, begin one, copy one, rename one, delete one.

Takes a newsletter and conditions, or a key; yields pages of the register, or the key of what was made. Promises that a
key is made of the title and never taken twice, and that nothing is renamed or deleted that an issue has or names.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import standing
from newsletter.content import store as content
from newsletter.content.entry import Entry, Kind, Status
from newsletter.content.fields import LONGEST_KEY, Key
from newsletter.content.newsletter import Newsletter, Show, Topic
from newsletter.content.register import Mark, RegisterPage, Wanted, page
from newsletter.content.sheet import problems_of
from newsletter.database import reading
from newsletter.errors import InvalidInput, WrongState
from newsletter.pipeline.filing import File
from newsletter.pipeline.parts import Parts

ROWS: Final = 50
"""Entries on a page."""

_ROOM: Final = 60
"""Characters of a title that go into its key: the rest is for numbers, and for those who read addresses aloud."""

_TAKEN: Final = frozenset({"new"})
"""Addresses of pages that stand where those of entries do."""

_ELSEWHERE: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d"}
)
"""Letters that Unicode does not take apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the register, with the newsletter that it belongs to and its topics by key."""

    newsletter: Newsletter
    topics: Mapping[str, Topic]
    page: RegisterPage


class Shelf:
    """The verbs of the table of entries."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def page(
        self, newsletter: str, wanted: Wanted, *, after: Mark | None = None, before: Mark | None = None
    ) -> Listing:
        """A page of the entries that meet every condition, newest first. Raises NotFound."""
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            found = page(
                session,
                newsletter_id,
                wanted,
                languages=settings.languages,
                limit=ROWS,
                after=after,
                before=before,
            )
            topics = content.topics(session, newsletter_id)
        return Listing(newsletter=settings, topics=topics, page=found)

    def create(self, newsletter: str, *, kind: Kind, title: str, language: str, section: str = "") -> str:
        """
        Begin an entry as a draft, published from today; returns its key, made of the title.

        Without a section it goes into the first one that shows its kind. Raises InvalidInput, saying what is missing.
        """
        with self._parts.sessions() as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            data = {
                "key": free_key(title, content.entry_keys(session, newsletter_id), kind=kind),
                "kind": kind,
                "section": section or _section_for(kind, settings),
                "published": self._today(settings),
                "status": Status.DRAFT,
                "source": language or settings.default_language,
                "texts": {language or settings.default_language: {"title": title}},
            }
            try:
                entry = Entry.model_validate(data)
            except ValidationError as error:
                raise InvalidInput(" ".join(problems_of(error, {"source": language}).values())) from error
            self._begin(session, newsletter_id, entry, about=f"{settings.slug}/{entry.key}", reason=title)
            session.commit()
        return entry.key

    def copy(self, key: str, *, newsletter: str) -> str:
        """
        Copy an entry as a draft from today, with all its texts and without its sittings; returns the new key.

        A translation that lags behind in the original does so in the copy. Raises NotFound.
        """
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            own = file.stored.entry
            keys = content.entry_keys(session, file.newsletter_id)
            changes = {
                "key": free_key(re.sub(r"-\d{1,3}$", "", own.key), keys, kind=own.kind),
                "status": Status.DRAFT,
                "published": self._today(file.newsletter),
                "sittings": (),
            }
            entry = own.model_copy(update=changes)
            digests = content.source_digests(session, file.stored.id)
            self._begin(session, file.newsletter_id, entry, about=f"{newsletter}/{entry.key}", reason=f"copy of {key}")
            copied = content.get_entry(session, file.newsletter_id, key=entry.key)
            stale = {language: digests[language] for language in file.stored.stale}
            content.keep_stale(session, copied.id, digests=stale)
            session.commit()
        return entry.key

    def rename(self, key: str, new: str, *, newsletter: str) -> str:
        """
        Give a draft that no issue has another key; returns it.

        Raises NotFound, InvalidInput for what is no key, WrongState where it is taken or the entry is known by its own.
        """
        try:
            wanted = TypeAdapter(Key).validate_python(new.strip())
        except ValidationError as error:
            raise InvalidInput(str(error.errors()[0]["ctx"]["error"])) from error
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            if wanted == key:
                return wanted
            if file.stored.entry.status is not Status.DRAFT:
                raise WrongState("only a draft that was never published can get another key")
            self._ensure_free(session, file)
            now = self._parts.now()
            content.rename_entry(session, file.stored.id, key=wanted, now=now)
            told = f"{key} → {wanted}"
            note_deed(session, Deed.ENTRY_RENAMED, operator=self._parts.operator, at=now, about=file.about, reason=told)
            session.commit()
        return wanted

    def delete(self, key: str, *, newsletter: str) -> None:
        """Delete an entry with its history. Raises NotFound, WrongState where an issue has or names it."""
        now, operator = self._parts.now(), self._parts.operator
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            self._ensure_free(session, file)
            content.delete_entry(session, file.stored.id)
            title = file.stored.entry.texts[file.stored.entry.source].title
            note_deed(session, Deed.ENTRY_DELETED, operator=operator, at=now, about=file.about, reason=title)
            session.commit()

    def _begin(self, session: Session, newsletter_id: int, entry: Entry, *, about: str, reason: str) -> None:
        now = self._parts.now()
        content.save_entry(session, newsletter_id, entry=entry, now=now)
        note_deed(session, Deed.ENTRY_MADE, operator=self._parts.operator, at=now, about=about, reason=reason)

    def _ensure_free(self, session: Session, file: File) -> None:
        key = file.stored.entry.key
        held = standing.names(session, file.newsletter_id, entry_id=file.stored.id, key=key)
        if held:
            raise WrongState(f"the entry stands in {', '.join(held)}: take it out there first")

    def _today(self, newsletter: Newsletter) -> dt.date:
        return self._parts.now().astimezone(ZoneInfo(newsletter.timezone)).date()


def free_key(title: str, taken: Collection[str], *, kind: Kind) -> str:
    """A key made of a title, or of the kind where the title has no letter that a key may have; never one of `taken`."""
    spelled = unicodedata.normalize("NFKD", title.translate(_ELSEWHERE)).casefold()
    words = re.findall(r"[a-z0-9]+", "".join(sign for sign in spelled if not unicodedata.combining(sign)))
    base = ""
    for word in words:
        longer = f"{base}-{word}" if base else word[:_ROOM]
        if len(longer) > _ROOM:
            break
        base = longer
    base = (base or kind.value)[: LONGEST_KEY - 8]
    numbered = (base, *(f"{base}-{n}" for n in range(2, len(taken) + 4)))
    return next(key for key in numbered if key not in taken and key not in _TAKEN)


def _section_for(kind: Kind, newsletter: Newsletter) -> str:
    """The section named like the kind, else the first that shows its entries as an entry of the kind needs it."""
    by_key = {section.key: section for section in newsletter.sections}
    if kind.value in by_key:
        return kind.value
    blocks = [section.key for section in newsletter.sections if section.show is Show.BLOCKS]
    lines = [section.key for section in newsletter.sections if section.show is Show.LINES]
    return next(iter([*lines, *blocks] if kind is Kind.AGENDA else [*blocks, *lines]))
