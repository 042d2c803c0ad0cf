"""What is stored: newsletters, entries, pictures; taken from content packs, changed, listed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.compilation import approvals
from newsletter.compilation import store as artifacts
from newsletter.content import store as content
from newsletter.content.difference import Difference, Effect, compare
from newsletter.content.entry import Kind, Status, StoredEntry
from newsletter.content.intake import PackReport, import_pack, read_pack
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter
from newsletter.database import ACTING, reading
from newsletter.errors import InvalidInput
from newsletter.pipeline.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a content pack did; `issues` says the same of its issue plans, `voided` which approvals it ended."""

    report: PackReport
    issues: Mapping[str, Difference]
    voided: tuple[str, ...]


class Entries:
    """The verbs of content."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def import_pack(self, path: Path, *, dry_run: bool = False) -> Imported:
        """
        Store a content pack, whole or not at all; with `dry_run` only say what it would do.

        Raises InvalidPack with every problem's place, WrongState where it changes an issue that is being sent.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            sections = issues.own_sections(session)
        pack = read_pack(path, sections=sections)
        with self._parts.sessions() as session:
            report = import_pack(session, pack, now=now, file=path, sections=sections)
            planned: dict[str, Difference] = {}
            voided = []
            for plan in pack.issues:
                if self._void(session, report.newsletter_id, plan, now=now):
                    voided.append(plan.slug)
                planned[plan.slug] = issues.save_plan(session, report.newsletter_id, plan, now=now)
            if dry_run:
                session.rollback()
            else:
                session.commit()
        return Imported(report=report, issues=planned, voided=tuple(voided))

    def _void(self, session: Session, newsletter_id: int, plan: IssuePlan, *, now: dt.datetime) -> bool:
        """End an approval that a changed plan contradicts, unless the issue is queued already."""
        row = issues.find_issue(session, newsletter_id, plan.slug)
        if row is None or row.state is not IssueState.APPROVED:
            return False
        if compare(issues.plan_of(row), plan).effect is Effect.UNCHANGED:
            return False
        back_to_draft(session, row.id or 0, now=now, reason="the plan of the issue was imported anew")
        session.refresh(row)
        return True

    def newsletters(self) -> list[Newsletter]:
        """All newsletters, by slug."""
        with reading(self._parts.engine) as session:
            return [settings for _, settings in content.list_newsletters(session)]

    def newsletter(self, slug: str) -> Newsletter:
        """A newsletter's settings."""
        with reading(self._parts.engine) as session:
            return content.get_newsletter(session, slug)[1]

    def change_newsletter(self, slug: str, changes: Mapping[str, Any]) -> tuple[str, ...]:
        """Change settings by dotted keys such as `theme.accent`; returns what is different, in words."""
        with self._parts.sessions() as session:
            _, settings = content.get_newsletter(session, slug)
            data = settings.model_dump(mode="json", by_alias=True)
            for key, value in changes.items():
                _put(data, key, value)
            if data["slug"] != slug:
                raise InvalidInput("the slug names a newsletter for ever and cannot be changed")
            try:
                changed = Newsletter.model_validate(data)
            except ValidationError as error:
                raise InvalidInput(_refusal(error, slug)) from error
            _, difference = content.save_newsletter(session, changed, now=self._parts.now())
            session.commit()
        return difference.lines or ("nothing is different",)

    def entries(
        self, *, newsletter: str | None, kind: Kind | None, language: str | None, status: Status | None
    ) -> list[StoredEntry]:
        """The entries of a newsletter that meet every condition given."""
        with self._parts.sessions() as session:
            newsletter_id, _ = content.only_newsletter(session, newsletter)
            return list(content.entries(session, newsletter_id, kind=kind, language=language, status=status))

    def entry(self, key: str, *, newsletter: str | None) -> StoredEntry:
        """One entry."""
        with self._parts.sessions() as session:
            newsletter_id, _ = content.newsletter_of_entry(session, key, slug=newsletter)
            return content.get_entry(session, newsletter_id, key=key)

    def write_pictures(self, folder: Path) -> int:
        """Write every stored picture into a folder that a web server hands out; returns how many."""
        folder.mkdir(parents=True, exist_ok=True)
        with self._parts.sessions() as session:
            names = content.picture_names(session)
            for name in names:
                (folder / name).write_bytes(content.get_picture(session, name).data)
        return len(names)


def back_to_draft(session: Session, issue_id: int, *, now: dt.datetime, reason: str = "") -> None:
    """End an approval: the issue is a draft again, nothing is pinned, and the log says by whose doing and why."""
    if issues.set_state(session, issue_id, expected=(IssueState.APPROVED,), state=IssueState.DRAFT, now=now):
        operator = session.info.get(ACTING, "")
        approvals.note(session, issue_id, operator=operator, at=now, ended=True, reason=reason)
        row = issues.issue_row(session, issue_id)
        about = f"{issues.owner_of(session, row)}/{row.slug}"
        note_deed(session, Deed.APPROVAL_ENDED, operator=operator, at=now, about=about, reason=reason)
    artifacts.unpin(session, issue_id)


def _refusal(error: ValidationError, slug: str) -> str:
    """What is wrong with a change of settings, in one line."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or slug
    if first["type"] == "extra_forbidden":
        return f"there is no setting {place}: `newsletter newsletters show {slug}` lists those there are"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set a value inside nested settings by its dotted path."""
    *folders, last = path.split(".")
    place = data
    for folder in folders:
        if not isinstance(place.get(folder), dict):
            place[folder] = {}
        place = place[folder]
    place[last] = value
