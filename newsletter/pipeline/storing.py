"""
What programs send whole: entries as content packs have them.

Takes an entry and, if the caller says so, the revision that it replaces; promises what saving at the desk promises: a
line in the history and in the audit log, and the end of the approvals that it contradicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly.store import own_sections
from newsletter.content import store as content
from newsletter.content.entry import Entry, Kind, Status, StoredEntry
from newsletter.content.newsletter import Newsletter
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline.filing import File
from newsletter.pipeline.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored now, whether it is new, and what is different in words."""

    stored: StoredEntry
    is_new: bool
    changes: tuple[str, ...]


class Storing:
    """The verbs of programs that write."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def entry(self, entry: Entry, *, newsletter: str, revision: int | None = None) -> Stored:
        """
        Store an entry, new or in place of the one with its key.

        Raises NotFound for the newsletter, InvalidInput for a section that it does not have, WrongState where the entry
        is no longer of the `revision`.
        """
        with self._parts.sessions() as session:
            try:
                file = File.hold(session, entry.key, newsletter=newsletter)
            except NotFound as missing:
                if missing.what != "entry" or revision is not None:
                    raise
                changes = self._begin(session, entry, newsletter=newsletter)
                file, is_new = File.hold(session, entry.key, newsletter=newsletter), True
            else:
                if revision is not None and revision != file.stored.revision:
                    raise WrongState(f"the entry is at revision {file.stored.revision} by now: read it again")
                _ensure_section(session, entry, file.newsletter, file.stored.entry.section)
                difference, _ = file.put(session, entry, parts=self._parts)
                changes, is_new = difference.lines, False
            stored = content.get_entry(session, file.newsletter_id, key=entry.key)
            session.commit()
        return Stored(stored=stored, is_new=is_new, changes=changes)

    def entries(
        self,
        newsletter: str,
        *,
        after: str,
        limit: int,
        kind: Kind | None = None,
        status: Status | None = None,
        language: str | None = None,
    ) -> Sequence[StoredEntry]:
        """The next entries by key that meet every condition. Raises NotFound."""
        with reading(self._parts.engine) as session:
            newsletter_id, _ = content.get_newsletter(session, newsletter)
            return content.entries_after(
                session, newsletter_id, after, limit=limit, kind=kind, status=status, language=language
            )

    def _begin(self, session: Session, entry: Entry, *, newsletter: str) -> tuple[str, ...]:
        newsletter_id, settings = content.get_newsletter(session, newsletter)
        _ensure_section(session, entry, settings)
        now = self._parts.now()
        difference = content.save_entry(session, newsletter_id, entry=entry, now=now)
        about, title = f"{newsletter}/{entry.key}", entry.texts[entry.source].title
        note_deed(session, Deed.ENTRY_MADE, operator=self._parts.operator, at=now, about=about, reason=title)
        return difference.lines


def _ensure_section(session: Session, entry: Entry, newsletter: Newsletter, own: str = "") -> None:
    known = {own, *(section.key for section in newsletter.sections)}
    if entry.section not in known and entry.section not in own_sections(session):
        names = ", ".join(section.key for section in newsletter.sections)
        raise InvalidInput(f"there is no section {entry.section!r}: there are {names}")
