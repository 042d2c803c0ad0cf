"""
Building an issue by hand: look at its contents, add, take out, move and limit items, undo.

Each change is one transaction with the issue's row held, and is refused where the items are not those that the officer
saw, so that of two officers the second is told and nothing is lost. A change reads the entries that stand in the issue
and no others: what was written since the last assembly waits for the next.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import overview
from newsletter.assembly import store as issues
from newsletter.assembly.arranging import (
    Add,
    Change,
    Limit,
    Misplaced,
    Move,
    Obstacle,
    Remove,
    Step,
    arranged,
    listed,
    stamp_of,
)
from newsletter.assembly.facts import IssueState, PlacedItem, Placement
from newsletter.assembly.models import IssueRow
from newsletter.assembly.overview import Before
from newsletter.assembly.selection import EntryVerdict, Selection, select
from newsletter.content import store as content
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.rows import row_id
from newsletter.database import reading
from newsletter.errors import WrongState
from newsletter.pipeline.contents import Candidates, Contents, candidates_of, contents_of, settings_of
from newsletter.pipeline.entries import back_to_draft
from newsletter.pipeline.heads import Head, head_of
from newsletter.pipeline.issue_pages import IssuesPage, issues_page
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.planned import Planned
from newsletter.pipeline.worded import Worded
from subscribers.store import all_segments, get_segment


class Outcome(StrEnum):
    """What became of a change."""

    #: It was made.
    DONE = "done"
    #: Somebody else was faster: the items are not those that were seen.
    OVERTAKEN = "overtaken"
    #: The item cannot stand there, see `Arranged.obstacle`.
    REFUSED = "refused"
    #: The issue is no draft any more.
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """
    What became of a change; `obstacle` and `verdict` say why it was refused.

    For a change that was made, `section` is where the item stands, `place` its place there (from 1) and `of` how many
    stand beside it, None where it stands in no section any more.
    """

    outcome: Outcome
    obstacle: Obstacle | None = None
    verdict: EntryVerdict | None = None
    section: str | None = None
    place: int | None = None
    of: int | None = None


class Building:
    """The verbs of issues that are made by hand."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def plans(self) -> Planned:
        """Make issues, and change their dates and settings."""
        return Planned(self._parts)

    @cached_property
    def words(self) -> Worded:
        """Titles, subjects, preheaders and introductions."""
        return Worded(self._parts)

    def head(self, slug: str, *, newsletter: str, language: str | None = None) -> Head:
        """What an issue is called and where it stands. Raises NotFound."""
        with reading(self._parts.engine) as session:
            return head_of(session, slug, newsletter=newsletter, language=language)

    def issues(self, newsletter: str, *, language: str | None = None, after: str = "") -> IssuesPage:
        """The issues of a newsletter: those in the making, then a page of those that are ended, latest first."""
        with reading(self._parts.engine) as session:
            return issues_page(session, newsletter, language=language, after=after)

    def contents(self, slug: str, *, newsletter: str, language: str) -> Contents:
        """What an issue shows, in the words of somebody who reads `language`. Raises NotFound."""
        with reading(self._parts.engine) as session:
            return contents_of(session, issues.get_issue(session, slug, newsletter), language=language)

    def left_out(self, slug: str, *, newsletter: str, search: str = "", after: int = -1) -> Candidates:
        """A page of what an issue leaves out, and why. Raises NotFound."""
        with reading(self._parts.engine) as session:
            row = issues.get_issue(session, slug, newsletter)
            return candidates_of(session, row, search=search, after=after)

    def segments(self) -> tuple[str, ...]:
        """The names of the segments that an item may be limited to."""
        with reading(self._parts.engine) as session:
            return tuple(segment.name for segment in all_segments(session))

    def arrange(self, slug: str, change: Change, *, newsletter: str, seen: str) -> Arranged:
        """
        Change the items of a draft; `seen` is the stamp of those that the officer saw.

        Raises NotFound for an issue that does not exist, UnknownSegment for such a segment.
        """
        with self._parts.sessions() as session:
            row = _held(session, slug, newsletter)
            if isinstance(change, Limit) and change.segment is not None:
                get_segment(session, change.segment)
            placed = issues.items(session, row_id(row))
            if unfit := _unfit(session, row, placed, seen):
                return Arranged(outcome=unfit)
            try:
                items = self._change(session, row, placed, change)
            except Misplaced as error:
                return Arranged(outcome=Outcome.REFUSED, obstacle=error.obstacle, verdict=error.verdict)
            session.commit()
        return _told(items, change)

    def undo(self, slug: str, *, newsletter: str, seen: str) -> Arranged:
        """Put the items of a draft back to where they stood before the last change by hand."""
        with self._parts.sessions() as session:
            row = _held(session, slug, newsletter)
            issue_id, placed = row_id(row), issues.items(session, row_id(row))
            if unfit := _unfit(session, row, placed, seen):
                return Arranged(outcome=unfit)
            before = overview.find_before(session, issue_id, stamp=seen)
            if before is None:
                return Arranged(outcome=Outcome.OVERTAKEN)
            plan = issues.plan_of(row).model_copy(update={"items": before.plan.items, "sections": before.plan.sections})
            issues.save_plan(session, row.newsletter_id, plan, now=self._parts.now())
            self._store(session, row, before.items, settings=before.settings)
            keys = {item.key for item in (*placed, *before.items)}
            chosen = _judged(session, row, keys, plan=plan, settings=before.settings)
            overview.judge_again(session, issue_id, chosen.verdicts)
            overview.forget_before(session, issue_id)
            self._note(session, row, "the last change of the items was undone")
            session.commit()
        return Arranged(outcome=Outcome.DONE)

    def reopen(self, slug: str, *, newsletter: str) -> bool:
        """End the approval of an issue so that it can be changed; returns whether it was approved."""
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            was = row.state is IssueState.APPROVED
            back_to_draft(session, row_id(row), now=self._parts.now(), reason="opened to be changed")
            session.commit()
        return was

    def _change(
        self, session: Session, row: IssueRow, placed: Sequence[PlacedItem], change: Change
    ) -> tuple[PlacedItem, ...]:
        plan, settings = issues.plan_of(row), settings_of(session, row)
        shows = {section.key: section.show for section in settings.sections}
        wanted = arranged(placed, change, shows)
        keys = {change.key, *(item.key for item in placed)}
        entries = [stored.entry for stored in content.entries(session, row.newsletter_id, keys=keys)]
        if all(entry.key != change.key for entry in entries):
            raise Misplaced(Obstacle.GONE, f"there is no entry {change.key}")
        published = issues.published_before(session, row.newsletter_id, date=plan.date, slug=plan.slug, keys=keys)
        changed, chosen = listed(
            plan,
            wanted,
            settings=settings,
            judge=lambda candidate: select(entries, plan=candidate, settings=settings, published=published),
            added=change.key if isinstance(change, Add) else None,
        )
        issues.save_plan(session, row.newsletter_id, changed, now=self._parts.now())
        self._store(session, row, chosen.items, settings=changed.settings(settings))
        overview.judge_again(session, row_id(row), chosen.verdicts)
        stamp = stamp_of(chosen.items, (section.key for section in changed.settings(settings).sections))
        before = Before(plan=plan, settings=settings, items=tuple(placed))
        operator, now = self._parts.operator, self._parts.now()
        overview.keep_before(session, row_id(row), before, stamp=stamp, operator=operator, now=now)
        self._note(session, row, _in_words(change, chosen.items))
        return chosen.items

    def _store(self, session: Session, row: IssueRow, placed: Sequence[PlacedItem], *, settings: Newsletter) -> None:
        """Store items with the topics that the issue knows already, and those that came with a new entry."""
        known = {topic.key: topic for topic in map(Topic.model_validate, row.topics or ())}
        topics = {**content.topics(session, row.newsletter_id), **known}
        issues.rearrange(
            session, row, placed=placed, settings=settings, topics=list(topics.values()), now=self._parts.now()
        )

    def _note(self, session: Session, row: IssueRow, reason: str) -> None:
        note_deed(
            session,
            Deed.ISSUE_ARRANGED,
            operator=self._parts.operator,
            at=self._parts.now(),
            about=f"issue {row.slug}",
            reason=reason,
        )


def _held(session: Session, slug: str, newsletter: str) -> IssueRow:
    row = issues.get_issue(session, slug, newsletter)
    overview.lock(session, row)
    return row


def _unfit(session: Session, row: IssueRow, placed: Sequence[PlacedItem], seen: str) -> Outcome | None:
    """Why items cannot be changed by somebody who saw them as `seen`; None where they can."""
    if row.state is not IssueState.DRAFT:
        return Outcome.CLOSED
    if row.settings is None:
        raise WrongState(f"issue {row.slug!r} has no items yet: assemble it first")
    sections = (section.key for section in settings_of(session, row).sections)
    return None if stamp_of(placed, sections) == seen else Outcome.OVERTAKEN


def _judged(
    session: Session, row: IssueRow, keys: Collection[str], *, plan: IssuePlan, settings: Newsletter
) -> Selection:
    return select(
        [stored.entry for stored in content.entries(session, row.newsletter_id, keys=keys)],
        plan=plan,
        settings=settings,
        published=issues.published_before(session, row.newsletter_id, date=plan.date, slug=plan.slug, keys=keys),
    )


_STANDS: Final = {Placement.BLOCK: "as a block", Placement.LINES: "in the agenda"}


def _in_words(change: Change, items: Sequence[PlacedItem]) -> str:
    """What was done, for the log."""
    match change:
        case Add(key=key, section=section):
            return f"{key} was added to {section}"
        case Remove(key=key, placement=placement):
            return f"{key} was taken out ({_STANDS[placement]})"
        case Limit(key=key, segment=segment):
            return f"{key} is shown to {f'the segment {segment}' if segment else 'everybody'}"
        case Move(key=key) | Step(key=key):
            told = _told(items, change)
            return f"{key} was moved to {told.section}, place {told.place} of {told.of}"


def _told(items: Sequence[PlacedItem], change: Change) -> Arranged:
    """Where the item stands that was changed, for the officer who hears it."""
    if isinstance(change, Remove):
        return Arranged(outcome=Outcome.DONE)
    mine = [item for item in items if item.key == change.key]
    wanted = change.section if isinstance(change, Add | Move) else None
    found = next(item for item in mine if wanted is None or item.section == wanted)
    beside = [item for item in items if item.section == found.section]
    return Arranged(outcome=Outcome.DONE, section=found.section, place=beside.index(found) + 1, of=len(beside))
