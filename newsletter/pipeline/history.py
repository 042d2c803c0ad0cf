"""
The verbs about what entries were: their history with every difference, the way back, and what translations lag behind.

Takes an entry's key; yields revisions with their differences word by word. Promises that going back is a change like
any other, with a revision of its own, so that it can be taken back as well; and that a translation is never called
right for an original that the reader has not seen.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content import revisions
from newsletter.content import store as content
from newsletter.content.entry import Entry
from newsletter.content.revisions import Revision
from newsletter.content.sheet import Act, Sheet, value_in
from newsletter.content.versions import text_digest
from newsletter.content.wordwise import Piece, word_by_word
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline.filing import File
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.touching import Touched

LINES: Final = 30
"""Revisions on a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field that differs between two revisions, in words and word by word."""

    field: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Revisions, latest first; `more` is the id to go on from, None at the end."""

    title: str
    revisions: tuple[Revision, ...]
    current: int
    more: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionShown:
    """One revision beside the one before it; `is_current` says that it is what the entry is now."""

    title: str
    revision: Revision
    changes: tuple[FieldChange, ...]
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    What changed in the original since a translation was made from it.

    `changes` is None where that original is older than the history. `digest` names the original that is shown: who says
    "still right" says it of this one.
    """

    language: str
    source: str
    is_stale: bool
    digest: str
    since: dt.datetime | None
    author: str
    changes: tuple[FieldChange, ...] | None
    original: Sheet
    translation: Sheet


class History:
    """The verbs of an entry's past."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def page(self, key: str, *, newsletter: str, older_than: int | None = None) -> HistoryPage:
        """A page of the history of an entry. Raises NotFound."""
        with reading(self._parts.engine) as session:
            file = File.find(session, key, newsletter=newsletter)
            found = revisions.history(session, file.stored.id, limit=LINES + 1, older_than=older_than)
        return HistoryPage(
            title=_title(file),
            revisions=tuple(found[:LINES]),
            current=file.stored.revision,
            more=found[LINES - 1].id if len(found) > LINES else None,
        )

    def revision(self, key: str, revision_id: int, *, newsletter: str) -> RevisionShown:
        """One revision with what it changed. Raises NotFound."""
        with reading(self._parts.engine) as session:
            file = File.find(session, key, newsletter=newsletter)
            found = _revision(session, file, revision_id)
            before = revisions.before(session, file.stored.id, found)
        return RevisionShown(
            title=_title(file),
            revision=found,
            changes=changes_between(before.sheet, found.sheet, found.fields) if before else (),
            is_current=found.act is not Act.ASIDE and found.number == file.stored.revision,
        )

    def restore(self, key: str, revision_id: int, *, newsletter: str) -> Touched:
        """
        Make an entry what it was in a revision; whether it is published stays as it is.

        Raises NotFound, InvalidInput where that cannot be stored any more, WrongState where it is so already.
        """
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            found = _revision(session, file, revision_id)
            # Words set aside bring back what their writer changed, and leave what others have written since.
            own = {name: found.sheet[name] for name in found.fields if name in found.sheet} or found.sheet
            checked = file.checked(session, file.sheet | own if found.act is Act.ASIDE else found.sheet)
            if not isinstance(checked, Entry):
                raise InvalidInput(" ".join(checked.values()))
            difference, touched = file.put(session, checked, parts=self._parts, act=Act.RESTORED)
            if not difference.changes:
                raise WrongState("the entry is so already")
            session.commit()
        return touched

    def compare(self, key: str, language: str, *, newsletter: str) -> Comparison:
        """What changed in the original since the text in a language was made. Raises NotFound."""
        with reading(self._parts.engine) as session:
            file = File.find(session, key, newsletter=newsletter)
            entry = file.stored.entry
            if language not in entry.texts or language == entry.source:
                raise NotFound(f"translation of {key!r} into", language)
            made_from = content.source_digests(session, file.stored.id)[language]
            former = revisions.made_from(session, file.stored.id, made_from) if made_from else None
            author = content.author_of(session, file.stored.id)
        names = [f"{part}.{entry.source}" for part in ("title", "body", "links")]
        return Comparison(
            language=language,
            source=entry.source,
            is_stale=language in file.stored.stale,
            digest=text_digest(entry.texts[entry.source]),
            since=former.at if former else None,
            author=author,
            changes=changes_between(former.sheet, file.sheet, names) if former else None,
            original=_of(file.sheet, entry.source),
            translation=_of(file.sheet, language),
        )

    def still_right(self, key: str, language: str, *, newsletter: str, seen: str) -> bool:
        """
        Say that a translation is right for the original whose digest is `seen`; returns whether it was stale.

        Raises NotFound, WrongState where the original has changed once more.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            entry = file.stored.entry
            if seen != text_digest(entry.texts[entry.source]):
                raise WrongState("the original has changed once more: compare it again")
            done = content.still_right(session, file.newsletter_id, key=key, language=language, now=now)
            if done:
                about = f"{file.about}: {language}"
                note_deed(session, Deed.TRANSLATION_CONFIRMED, operator=self._parts.operator, at=now, about=about)
            session.commit()
        return done


def changes_between(before: Sheet, after: Sheet, fields: "tuple[str, ...] | list[str]") -> tuple[FieldChange, ...]:
    """The fields of two sheets that differ, each word by word."""
    pairs = ((name, said(value_in(before, name)), said(value_in(after, name))) for name in fields)
    return tuple(FieldChange(field=name, pieces=word_by_word(old, new)) for name, old, new in pairs if old != new)


def said(value: Any) -> str:
    """The value of a field as text, a line for each of its members."""
    if isinstance(value, dict):
        return "\n".join(
            f"{name}: {said(member)}" for name, member in value.items() if member not in (None, "", [], {})
        )
    if isinstance(value, list):
        return "\n".join(" · ".join(said(member).split("\n")) for member in value)
    return "" if value is None else str(value)


def _title(file: File) -> str:
    return file.stored.entry.texts[file.stored.entry.source].title


def _revision(session: Session, file: File, revision_id: int) -> Revision:
    found = revisions.get_revision(session, file.stored.id, revision_id)
    if found is None:
        raise NotFound(f"revision of {file.stored.entry.key!r}", str(revision_id))
    return found


def _of(sheet: Sheet, language: str) -> Sheet:
    return {part: value_in(sheet, f"{part}.{language}") for part in ("title", "body", "links")}
