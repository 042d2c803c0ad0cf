"""
Writing at the desk: open an entry, keep what is being typed, save it, publish it, take it back.

Takes an entry's key and a sheet of its fields on the revision that the writer began with; yields what became of it as
a value: saved (and put together with what others saved meanwhile), refused with a problem a field, or a conflict.
Promises that no words which reached a verb are lost: what cannot be saved is kept as the writer's draft, and what met
somebody else's words stands in the history. A change ends the approvals of issues that have the entry.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from sqlmodel import Session

from newsletter.accounts import team
from newsletter.assembly import standing
from newsletter.assembly.standing import Stand
from newsletter.content import drafts, revisions
from newsletter.content import store as content
from newsletter.content.difference import Effect
from newsletter.content.drafts import Draft, Writer
from newsletter.content.entry import Entry, Status, StoredEntry
from newsletter.content.merging import Clash, Merged, merge
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.sheet import Sheet, traps_of
from newsletter.content.traps import Trap
from newsletter.content.versions import text_digest
from newsletter.database import reading
from newsletter.pipeline.filing import File
from newsletter.pipeline.history import History
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.shelf import Shelf
from newsletter.pipeline.touching import Touched

_IN_FORM: Final = frozenset({"sittings", "image"})
"""Fields that a draft keeps as its form had them."""

WRITING_NOW: Final = dt.timedelta(minutes=10)
"""Who has typed within this time is said to be writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    An entry with everything that its editor shows.

    `digest` names the original, as `versions.text_digest` does; `sheet` is what is stored, `draft` what this operator
    typed and has not saved, put together with what others saved since if nobody has to be asked. `writers` are the
    others who are writing just now. `may_rename` and `may_delete` say whether nothing names the entry yet.
    """

    stored: StoredEntry
    digest: str
    newsletter: Newsletter
    topics: Mapping[str, Topic]
    sheet: Sheet
    author: str
    draft: Draft | None
    writers: tuple[Writer, ...]
    stands: tuple[Stand, ...]
    may_rename: bool
    may_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """
    It is stored as `revision`; `changes` says in words what is different, empty where nothing is.

    `merged` names the fields that others had changed meanwhile and that were taken over; `traps` the places that plain
    Markdown would read otherwise.
    """

    revision: int
    changes: tuple[str, ...]
    merged: tuple[str, ...]
    touched: Touched
    traps: Mapping[str, tuple[Trap, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It cannot be stored as it is: what is wrong, by the names of fields. It is kept as the writer's draft."""

    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """
    Somebody else has changed the same fields meanwhile: a person decides, and saves on `revision`.

    `sheet` holds both people's words where they did not meet, and this writer's where they did; their own stand in the
    history from now on, whatever is decided.
    """

    revision: int
    author: str
    changed: dt.datetime
    sheet: Sheet
    clashes: tuple[Clash, ...]
    merged: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is being typed is safe; `revision` and `author` tell of what others have saved meanwhile."""

    revision: int
    author: str
    writers: tuple[Writer, ...]
    problems: Mapping[str, str]
    traps: Mapping[str, tuple[Trap, ...]]


class Writing:
    """The verbs of an entry's editor."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def shelf(self) -> Shelf:
        """Find entries, begin, copy, rename and delete them."""
        return Shelf(self._parts)

    @cached_property
    def history(self) -> History:
        """What entries were, and what translations were made from."""
        return History(self._parts)

    def called(self) -> Mapping[str, str]:
        """What to call the operators who wrote something, by their names."""
        with reading(self._parts.engine) as session:
            return team.called(session)

    def open(self, key: str, *, newsletter: str) -> Opened:
        """Everything that the editor of an entry shows. Raises NotFound."""
        operator, since = self._parts.operator, self._parts.now() - WRITING_NOW
        with reading(self._parts.engine) as session:
            file = File.find(session, key, newsletter=newsletter)
            draft = drafts.draft_of(session, file.stored.id, operator=operator)
            is_free = not standing.names(session, file.newsletter_id, entry_id=file.stored.id, key=key)
            return Opened(
                stored=file.stored,
                digest=text_digest(file.stored.entry.texts[file.stored.entry.source]),
                newsletter=file.newsletter,
                topics=content.topics(session, file.newsletter_id),
                sheet=file.sheet,
                author=content.author_of(session, file.stored.id),
                draft=_caught_up(session, draft, file) if draft else None,
                writers=_others(session, file.stored.id, operator=operator, since=since),
                stands=tuple(standing.stands_of(session, file.stored.id)),
                may_rename=is_free and file.stored.entry.status is Status.DRAFT,
                may_delete=is_free,
            )

    def save(
        self,
        key: str,
        *,
        newsletter: str,
        sheet: Sheet,
        base: int,
        status: Status | None = None,
        form: drafts.Form | None = None,
    ) -> Saved | Refused | Conflict:
        """
        Store a sheet that was begun on the revision `base`; with `status` publish it or take it back as well.

        A field that the sheet does not name stays as it is. `form` is kept with the draft where it cannot be saved.
        Raises NotFound.
        """
        draft = Draft(base=base, sheet=sheet, form=form or {}, saved=self._parts.now())
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            began = file.sheet if base == file.stored.revision else _sheet_at(session, file.stored.id, base)
            merged = merge(began, mine=sheet, theirs=file.sheet)
            result: Saved | Refused | Conflict
            if merged.clashes:
                result = self._set_aside(session, file, draft, merged)
            else:
                result = self._put(session, file, merged.sheet, status=status, merged=merged.taken)
            if isinstance(result, Saved):
                drafts.drop_draft(session, file.stored.id, operator=self._parts.operator)
            else:
                drafts.keep_draft(session, file.stored.id, draft, operator=self._parts.operator)
            session.commit()
        return result

    def change(self, key: str, *, newsletter: str, fields: Mapping[str, Any]) -> Saved | Refused:
        """Change some fields of what is stored now, whatever it is; drafts stay. Raises NotFound."""
        return self._at_once(key, newsletter=newsletter, fields=fields, status=None)

    def set_status(self, key: str, *, newsletter: str, status: Status) -> Saved | Refused:
        """Publish what is stored, or take it back; drafts stay. Raises NotFound."""
        return self._at_once(key, newsletter=newsletter, fields={}, status=status)

    def keep(
        self,
        key: str,
        *,
        newsletter: str,
        sheet: Sheet,
        base: int,
        form: drafts.Form | None = None,
        is_whole: bool = True,
    ) -> Kept:
        """
        Keep what is being typed until it is saved or thrown away, and say what is wrong with it.

        What is as it is stored needs no keeping, unless the sheet is not the whole of what the `form` says. Raises
        NotFound.
        """
        now, operator = self._parts.now(), self._parts.operator
        draft = Draft(base=base, sheet=sheet, form=form or {}, saved=now)
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            if is_whole and _says_nothing_new(draft, file):
                drafts.drop_draft(session, file.stored.id, operator=operator)
            else:
                drafts.keep_draft(session, file.stored.id, draft, operator=operator)
            checked = file.checked(session, file.sheet | sheet)
            kept = Kept(
                revision=file.stored.revision,
                author=content.author_of(session, file.stored.id),
                writers=_others(session, file.stored.id, operator=operator, since=now - WRITING_NOW),
                problems={} if isinstance(checked, Entry) else checked,
                traps=traps_of(sheet),
            )
            session.commit()
        return kept

    def drop(self, key: str, *, newsletter: str) -> bool:
        """Throw away what this operator typed and has not saved; returns whether there was any. Raises NotFound."""
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            dropped = drafts.drop_draft(session, file.stored.id, operator=self._parts.operator)
            session.commit()
        return dropped

    def _at_once(
        self, key: str, *, newsletter: str, fields: Mapping[str, Any], status: Status | None
    ) -> Saved | Refused:
        with self._parts.sessions() as session:
            file = File.hold(session, key, newsletter=newsletter)
            result = self._put(session, file, file.sheet | dict(fields), status=status)
            session.commit()
        return result

    def _put(
        self, session: Session, file: File, sheet: Sheet, *, status: Status | None, merged: tuple[str, ...] = ()
    ) -> Saved | Refused:
        checked = file.checked(session, sheet, status=status)
        if not isinstance(checked, Entry):
            return Refused(problems=checked)
        difference, touched = file.put(session, checked, parts=self._parts)
        return Saved(
            revision=file.stored.revision + (difference.effect is Effect.CHANGED),
            changes=difference.lines,
            merged=merged,
            touched=touched,
            traps=traps_of(sheet),
        )

    def _set_aside(self, session: Session, file: File, draft: Draft, merged: Merged) -> Conflict:
        """Put the writer's own words into the history, before anybody decides."""
        base = revisions.revision_numbered(session, file.stored.id, draft.base)
        revisions.set_aside(session, file.stored.id, sheet=draft.sheet, base=base, now=self._parts.now())
        return Conflict(
            revision=file.stored.revision,
            author=content.author_of(session, file.stored.id),
            changed=file.stored.changed,
            sheet=merged.sheet,
            clashes=merged.clashes,
            merged=merged.taken,
        )


def _sheet_at(session: Session, entry_id: int, number: int) -> Sheet:
    """What the entry was in a revision; where nobody knows, nothing, so that every difference is asked about."""
    found = revisions.revision_numbered(session, entry_id, number)
    return found.sheet if found else {}


def _caught_up(session: Session, draft: Draft, file: File) -> Draft:
    """A draft with what others have saved meanwhile, where that can be put together without asking anybody."""
    if draft.base == file.stored.revision:
        return draft
    merged = merge(_sheet_at(session, file.stored.id, draft.base), mine=draft.sheet, theirs=file.sheet)
    # What the form alone can show is as it was typed: nothing of it is put together here.
    if merged.clashes or not _IN_FORM.isdisjoint(merged.taken):
        return draft
    return replace(draft, base=file.stored.revision, sheet=merged.sheet)


def _says_nothing_new(draft: Draft, file: File) -> bool:
    stored = {name: value for name, value in file.sheet.items() if name in draft.sheet}
    return draft.base == file.stored.revision and not revisions.differing(stored, draft.sheet)


def _others(session: Session, entry_id: int, *, operator: str, since: dt.datetime) -> tuple[Writer, ...]:
    return tuple(each for each in drafts.writers(session, entry_id, since=since) if each.operator != operator)
