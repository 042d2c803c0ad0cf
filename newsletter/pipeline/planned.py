"""
Making issues, and changing what holds for one: number, dates, sections, what happens to missing translations.

Takes what an officer says of an issue; yields it planned and assembled in one transaction. What a change would do to
the items is told before it is done, by the same selection that then does it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import overview
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState, PlacedItem
from newsletter.assembly.models import IssueRow
from newsletter.assembly.selection import EntryVerdict, Selection
from newsletter.content import store as content
from newsletter.content.difference import compare
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Fallback, Newsletter, Section
from newsletter.content.rows import row_id
from newsletter.database import reading
from newsletter.pipeline.contents import settings_of
from newsletter.pipeline.editorial import assembled, keep, selected
from newsletter.pipeline.heads import Head, head
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.proposing import Fault, NewIssue, PlanRefused, Proposal, period_of, plan_of, proposed, slug_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """
    What holds for an issue beside its items and words.

    `agenda_days`, `fallback` and `accent` are None where its newsletter's hold; `sections` are its own, in order,
    `spare` those of the newsletter that it leaves out. `usual` are the newsletter's settings at present.
    """

    head: Head
    number: int | None
    date: dt.date
    first: dt.date
    last: dt.date
    agenda_days: int | None
    fallback: Fallback | None
    accent: str | None
    sections: tuple[Section, ...]
    spare: tuple[Section, ...]
    by_hand: bool
    usual: Newsletter


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """
    What is to hold for an issue; `sections` are keys in order.

    With `afresh` the list made by hand is given up for the automatic selection.
    """

    number: int | None
    date: dt.date
    first: dt.date
    last: dt.date
    agenda_days: int | None
    fallback: Fallback | None
    accent: str | None
    sections: Sequence[str]
    afresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """
    What a change does: entries that come in and go out, with their verdicts, and how many stay but stand elsewhere.

    `settings` says whether what holds for the issue beside its items becomes different.
    """

    gained: tuple[EntryVerdict, ...]
    lost: tuple[EntryVerdict, ...]
    moved: int
    settings: bool

    @property
    def nothing(self) -> bool:
        """Whether all stays as it is."""
        return not (self.gained or self.lost or self.moved or self.settings)


class Planned:
    """The verbs of plans."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def propose(self, newsletter: str, *, language: str | None = None) -> Proposal:
        """
        What the next issue of a newsletter would be: the number, dates and name that follow on the last one's.

        The head of that one is in `language`.
        """
        with reading(self._parts.engine) as session:
            return proposed(session, newsletter, now=self._parts.now(), language=language)

    def create(self, newsletter: str, issue: NewIssue) -> Head:
        """
        Plan an issue and choose its entries.

        Raises PlanRefused for a slug or a period that cannot be, NotFound for an unknown model.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            if issues.find_issue(session, newsletter_id, slug_of(issue.slug)) is not None:
                raise PlanRefused("slug", Fault.TAKEN)
            model = issues.plan_of(issues.get_issue(session, issue.model, newsletter)) if issue.model else None
            issues.save_plan(session, newsletter_id, plan_of(issue, model), now=now)
            row = issues.get_issue(session, issue.slug, newsletter)
            chosen = assembled(session, row, now=now)
            made = f"{len(chosen.items)} items" + (f", after the model of {issue.model}" if issue.model else "")
            self._note(session, Deed.ISSUE_MADE, issue.slug, made)
            session.commit()
            return head(row, settings)

    def facts(self, slug: str, *, newsletter: str, language: str | None = None) -> PlanFacts:
        """What holds for an issue. Raises NotFound."""
        with reading(self._parts.engine) as session:
            _, usual = content.get_newsletter(session, newsletter)
            row = issues.get_issue(session, slug, newsletter)
            plan = issues.plan_of(row)
            sections = (plan.sections or settings_of(session, row).sections) if row.settings else usual.sections
            own = {section.key for section in sections}
            return PlanFacts(
                head=head(row, usual, language=language),
                number=plan.number,
                date=plan.date,
                first=plan.period.first,
                last=plan.period.last,
                agenda_days=plan.agenda_days,
                fallback=plan.fallback,
                accent=plan.theme.accent if plan.theme and plan.theme.accent != usual.theme.accent else None,
                sections=sections,
                spare=tuple(section for section in usual.sections if section.key not in own),
                by_hand=plan.items != "auto",
                usual=usual,
            )

    def preview(self, slug: str, change: PlanChange, *, newsletter: str) -> Effects:
        """What a change would do to an issue. Raises NotFound, and PlanRefused for what cannot be."""
        with reading(self._parts.engine) as session:
            row = issues.get_issue(session, slug, newsletter)
            plan = _changed(session, row, change)
            chosen, settings = selected(session, row.newsletter_id, plan)
            return _effects(session, row, plan, chosen, settings)

    def change(self, slug: str, change: PlanChange, *, newsletter: str, revision: int) -> Effects | None:
        """
        Change what holds for a draft and choose its entries accordingly.

        Returns None, and changes nothing, where it is no draft any more or not the `revision` that was looked at.
        Raises NotFound, and PlanRefused for what cannot be.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            overview.lock(session, row)
            if row.state is not IssueState.DRAFT or row.revision != revision:
                return None
            before, plan = issues.plan_of(row), _changed(session, row, change)
            chosen, settings = selected(session, row.newsletter_id, plan)
            effects = _effects(session, row, plan, chosen, settings)
            issues.save_plan(session, row.newsletter_id, plan, now=now)
            keep(session, row, chosen, settings=settings, now=now)
            overview.forget_before(session, row_id(row))
            came = f"{len(effects.gained)} entries came, {len(effects.lost)} went"
            self._note(session, Deed.ISSUE_CHANGED, slug, "; ".join((*compare(before, plan).lines[:8], came)))
            session.commit()
        return effects

    def _note(self, session: Session, deed: Deed, slug: str, reason: str) -> None:
        operator, now = self._parts.operator, self._parts.now()
        note_deed(session, deed, operator=operator, at=now, about=f"issue {slug}", reason=reason)


def _changed(session: Session, row: IssueRow, change: PlanChange) -> IssuePlan:
    """The plan of an issue after a change; what is as the newsletter has it is not said of the issue again."""
    plan = issues.plan_of(row)
    usual = next(settings for known, settings in content.list_newsletters(session) if known == row.newsletter_id)
    known = {section.key: section for section in (*usual.sections, *settings_of(session, row).sections)}
    sections = tuple(known[key] for key in change.sections if key in known)
    if not sections:
        raise PlanRefused("sections", Fault.EMPTY)
    items = plan.items
    if items != "auto":
        kept = {section.key for section in sections}
        items = "auto" if change.afresh else tuple(item for item in items if item.section in {*kept, None})
    theme = (plan.theme or usual.theme).model_copy(update={"accent": change.accent or usual.theme.accent})
    return plan.model_copy(
        update={
            "number": change.number,
            "date": change.date,
            "period": period_of(change.first, change.last),
            "agenda_days": None if change.agenda_days == usual.cadence.agenda_days else change.agenda_days,
            "fallback": change.fallback,
            "theme": None if theme == usual.theme else theme,
            "sections": None if sections == usual.sections else sections,
            "items": items,
        }
    )


def _effects(session: Session, row: IssueRow, plan: IssuePlan, chosen: Selection, settings: Newsletter) -> Effects:
    before = issues.items(session, row_id(row))
    old, new = {item.key for item in before}, {item.key for item in chosen.items}
    verdicts = {verdict.key: verdict for verdict in chosen.verdicts}
    stay = {key: (_places(before, key), _places(chosen.items, key)) for key in old & new}
    same = row.settings is not None and Newsletter.model_validate(row.settings) == settings
    return Effects(
        gained=tuple(verdict for key, verdict in verdicts.items() if key in new - old),
        lost=tuple(verdict for key, verdict in verdicts.items() if key in old - new),
        moved=sum(1 for was, now in stay.values() if was != now),
        settings=not same or issues.plan_of(row).model_copy(update={"items": plan.items}) != plan,
    )


def _places(items: Sequence[PlacedItem], key: str) -> list[tuple[str, str | None, int]]:
    """Where an entry stands: in which sections, for whom, behind how many others that it shares them with."""
    found = []
    for item in items:
        if item.key == key:
            ahead = sum(1 for other in items if other.section == item.section and other.position < item.position)
            found.append((item.section, item.segment, ahead))
    return found
