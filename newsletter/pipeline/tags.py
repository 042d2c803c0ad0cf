"""
The verbs about tags, the labels that operators put on people.

Takes names, yields how many people they were changed for; promises that no tag disappears under a segment or a queued
issue that names it, and that the audit log says who renamed or deleted one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.pipeline.naming import naming_tag, refuse_named
from newsletter.pipeline.parts import Parts
from subscribers import store


@dataclass(frozen=True, slots=True)
class Renamed:
    """For how many people a tag was renamed, and what still names it by the old name."""

    people: int
    stranded: tuple[str, ...]


class Tags:
    """The verbs about tags."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def all(self) -> Mapping[str, int]:
        """Return every tag with the number of people who have it, in order."""
        with reading(self._parts.engine) as session:
            return store.all_tags(session)

    def rename(self, old: str, new: str, *, dry_run: bool = False) -> Renamed:
        """Give everybody who has one tag another one instead; where they have both, one stays. Raises UnknownTag."""
        with self._parts.sessions() as session:
            people = store.rename_tag(session, old, new)
            stranded = tuple(naming_tag(session, old)) if old.lower() != new.strip().lower() else ()
            told = f"{old} → {new}"
            note_deed(session, Deed.TAG_RENAMED, operator=self._parts.operator, at=self._parts.now(), about=told)
            if dry_run:
                session.rollback()
            session.commit()
        return Renamed(people, stranded)

    def delete(self, name: str, *, dry_run: bool = False) -> int:
        """Take a tag off everybody; returns how many had it. Raises UnknownTag, WrongState where something names it."""
        with self._parts.sessions() as session:
            store.count_tagged(session, name)
            refuse_named(f"tag “{name}”", naming_tag(session, name))
            people = store.delete_tag(session, name)
            note_deed(session, Deed.TAG_DELETED, operator=self._parts.operator, at=self._parts.now(), about=name)
            if dry_run:
                session.rollback()
            session.commit()
        return people
