"""
An entry with its newsletter, found for writing; and a changed entry put back, with everything that belongs to a change.

Takes a session that the verb opens and commits; promises that a change of an entry goes into its history and into the
audit log, and ends the approvals that it contradicts, by whichever verb it is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from pydantic import ValidationError
from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly.store import own_sections
from newsletter.content import store as content
from newsletter.content.difference import Difference, Effect
from newsletter.content.entry import Entry, Status, StoredEntry
from newsletter.content.newsletter import Newsletter
from newsletter.content.revisions import differing
from newsletter.content.sheet import SECTION_PROBLEM, Act, Sheet, entry_of, problems_of, sheet_of
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.touching import Change, Touched, touch_issues

_DEEDS: Final[Mapping[Status, Deed]] = {
    Status.DRAFT: Deed.ENTRY_WITHDRAWN,
    Status.PUBLISHED: Deed.ENTRY_PUBLISHED,
    Status.WITHDRAWN: Deed.ENTRY_WITHDRAWN,
}
"""By the status that an entry got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A stored entry, its sheet and its newsletter."""

    newsletter_id: int
    newsletter: Newsletter
    stored: StoredEntry
    sheet: Sheet

    @classmethod
    def find(cls, session: Session, key: str, *, newsletter: str) -> Self:
        """Read an entry. Raises NotFound with the nearest names."""
        newsletter_id, settings = content.get_newsletter(session, newsletter)
        return cls._of(session, newsletter_id, settings, key=key)

    @classmethod
    def hold(cls, session: Session, key: str, *, newsletter: str) -> Self:
        """Read an entry that is going to be written: nobody else writes it meanwhile. Raises NotFound."""
        newsletter_id, settings = content.get_newsletter(session, newsletter)
        content.hold_entry(session, newsletter_id, key=key)
        return cls._of(session, newsletter_id, settings, key=key)

    @classmethod
    def _of(cls, session: Session, newsletter_id: int, settings: Newsletter, *, key: str) -> Self:
        stored = content.get_entry(session, newsletter_id, key=key)
        return cls(newsletter_id=newsletter_id, newsletter=settings, stored=stored, sheet=sheet_of(stored.entry))

    @property
    def about(self) -> str:
        """What the audit log calls it."""
        return f"{self.newsletter.slug}/{self.stored.entry.key}"

    def checked(self, session: Session, sheet: Sheet, *, status: Status | None = None) -> Entry | dict[str, str]:
        """The entry that a sheet makes of this one, or what is wrong with it by the names of fields."""
        own = self.stored.entry
        problems: dict[str, str] = {}
        known = {own.section, *(section.key for section in self.newsletter.sections)}
        if sheet.get("section") not in known and sheet.get("section") not in own_sections(session):
            problems["section"] = SECTION_PROBLEM
        try:
            entry = entry_of(sheet, key=own.key, status=status or own.status)
        except ValidationError as error:
            return problems_of(error, sheet) | problems
        return problems or entry

    def put(self, session: Session, entry: Entry, *, parts: Parts, act: Act = Act.SAVED) -> tuple[Difference, Touched]:
        """Store what the entry says now; says what is different, and what that means for issues."""
        now = parts.now()
        difference = content.save_entry(session, self.newsletter_id, entry=entry, now=now, act=act)
        if difference.effect is Effect.UNCHANGED:
            return difference, Touched()
        fields = differing(self.sheet, sheet_of(entry))
        is_moved = entry.status is not self.stored.entry.status
        deed = _DEEDS[entry.status] if is_moved else Deed.ENTRY_RESTORED if act is Act.RESTORED else Deed.ENTRY_CHANGED
        told = "; ".join(difference.lines)
        note_deed(session, deed, operator=parts.operator, at=now, about=self.about, reason=told)
        change = Change(
            entry_id=self.stored.id,
            about=self.about,
            fields=(*fields, *(["status"] if is_moved else [])),
            now=now,
        )
        return difference, touch_issues(session, change)
