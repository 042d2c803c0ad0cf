"""
Issues in the making: plan one, choose its entries, see what is there and what is missing.

Nothing here looks at today's date but to stamp what is stored, and to date an issue that nobody has planned.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.days import default_period
from newsletter.assembly.facts import IssueFacts, IssueState, PlacedItem
from newsletter.assembly.models import IssueRow
from newsletter.assembly.selection import EntryVerdict, Selection, select
from newsletter.compilation import store as artifacts
from newsletter.compilation.correction import Correction
from newsletter.content import store as content
from newsletter.content.fields import Key
from newsletter.content.issue import IssuePlan, Period
from newsletter.content.matrix import MatrixRow, matrix
from newsletter.content.newsletter import Newsletter
from newsletter.content.outlines import outlines
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound
from newsletter.pipeline.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An issue in a list."""

    newsletter: str
    slug: str
    number: int | None
    date: dt.date
    state: IssueState


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An issue with everything an officer asks about it."""

    facts: IssueFacts
    verdicts: tuple[EntryVerdict, ...]
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An issue as far as it is planned; without items and verdicts until it is assembled."""

    newsletter: str
    state: IssueState
    plan: IssuePlan
    items: tuple[PlacedItem, ...]
    verdicts: tuple[EntryVerdict, ...]


class Editorial:
    """The verbs of issues in the making."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def matrix(self, slug: str, *, newsletter: str | None) -> tuple[tuple[str, ...], tuple[MatrixRow, ...]]:
        """The languages of an issue, and how each of its entries stands in them."""
        facts = self._facts(slug, newsletter)
        settings = facts.settings
        ordered = [facts.entries[key] for key in dict.fromkeys(item.key for item in facts.items)]
        rows = matrix(ordered, settings.languages, default=settings.default_language, fallback=settings.fallback)
        return settings.languages, rows

    def assemble(
        self, slug: str, *, newsletter: str | None, first: dt.date | None = None, last: dt.date | None = None
    ) -> Selection:
        """
        Choose the items of an issue and judge every candidate; replaces what was chosen before.

        An issue that nobody has planned is made: dated the day after `last`, or today. Raises WrongState unless the
        issue is a draft.
        """
        with self._parts.sessions() as session:
            row = self._planned(session, slug, newsletter, first=first, last=last)
            chosen = assembled(session, row, now=self._parts.now())
            session.commit()
        return chosen

    def _planned(
        self, session: Session, slug: str, newsletter: str | None, *, first: dt.date | None, last: dt.date | None
    ) -> IssueRow:
        """The issue of that slug, with its period changed where that is asked for; made where there is none."""
        now = self._parts.now()
        try:
            row = issues.get_issue(session, slug, newsletter)
        except NotFound as missing:
            if newsletter is None or missing.what != "issue":
                raise
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            plan = _new_plan(session, newsletter_id, slug, settings=settings, first=first, last=last, now=now)
        else:
            if first is None and last is None:
                return row
            newsletter_id, plan = row.newsletter_id, issues.plan_of(row)
            period = _period(first or plan.period.first, last or plan.period.last)
            plan = plan.model_copy(update={"period": period})
        issues.save_plan(session, newsletter_id, plan, now=now)
        return issues.get_issue(session, slug, newsletter)

    def issues(self, newsletter: str | None) -> list[Listed]:
        """All issues, or those of one newsletter, newest first."""
        with self._parts.sessions() as session:
            names = {known: settings.slug for known, settings in content.list_newsletters(session)}
            chosen = content.get_newsletter(session, newsletter)[0] if newsletter else None
            return [
                Listed(
                    newsletter=names[row.newsletter_id],
                    slug=row.slug,
                    number=row.number,
                    date=row.date,
                    state=row.state,
                )
                for row in issues.list_issues(session, chosen)
            ]

    def show(self, slug: str, *, newsletter: str | None) -> Shown:
        """An issue with its items and verdicts, and how it was corrected since it was sent."""
        with self._parts.sessions() as session:
            facts = issues.load_issue(session, slug, newsletter)
            return Shown(
                facts=facts,
                verdicts=issues.verdicts(session, facts.id),
                corrections=artifacts.corrections(session, facts.id),
            )

    def planned(self, slug: str, *, newsletter: str | None) -> Planned:
        """An issue as far as it is planned, assembled or not."""
        with reading(self._parts.engine) as session:
            row = issues.get_issue(session, slug, newsletter)
            issue_id = row.id or 0
            return Planned(
                newsletter=issues.owner_of(session, row),
                state=row.state,
                plan=issues.plan_of(row),
                items=issues.items(session, issue_id),
                verdicts=issues.verdicts(session, issue_id),
            )

    def zone_of(self, slug: str, *, newsletter: str | None) -> str:
        """The time zone of an issue's newsletter."""
        return self._facts(slug, newsletter).settings.timezone

    def copy(self, slug: str, new: str, *, newsletter: str | None) -> IssuePlan:
        """Plan the next issue after the model of one; raises InvalidInput for a slug that cannot be one."""
        _ensure_slug(new)
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            plan = issues.plan_of(issues.copy_issue(session, row, new, now=self._parts.now()))
            session.commit()
        return plan

    def _facts(self, slug: str, newsletter: str | None) -> IssueFacts:
        with self._parts.sessions() as session:
            return issues.load_issue(session, slug, newsletter)


def selected(session: Session, newsletter_id: int, plan: IssuePlan) -> tuple[Selection, Newsletter]:
    """What an issue of that plan would take of its newsletter's entries, and the settings that would hold for it."""
    settings = next(settings for known, settings in content.list_newsletters(session) if known == newsletter_id)
    chosen = select(
        outlines(session, newsletter_id, date=plan.date, language=settings.default_language),
        plan=plan,
        settings=settings,
        published=issues.published_before(session, newsletter_id, date=plan.date, slug=plan.slug),
    )
    return chosen, plan.settings(settings)


def assembled(session: Session, row: IssueRow, *, now: dt.datetime) -> Selection:
    """Choose the items of an issue by its plan and store them. Raises WrongState unless it is a draft."""
    chosen, settings = selected(session, row.newsletter_id, issues.plan_of(row))
    keep(session, row, chosen, settings=settings, now=now)
    return chosen


def keep(session: Session, row: IssueRow, chosen: Selection, *, settings: Newsletter, now: dt.datetime) -> None:
    """Store what `selected` gave for an issue. Raises WrongState unless it is a draft."""
    topics = list(content.topics(session, row.newsletter_id).values())
    issues.replace_items(session, row, selection=chosen, settings=settings, topics=topics, now=now)


def _period(first: dt.date, last: dt.date) -> Period:
    if last < first:
        raise InvalidInput(f"the period ends ({last}) before it begins ({first})")
    return Period.model_validate({"from": first, "to": last})


def _new_plan(
    session: Session,
    newsletter_id: int,
    slug: str,
    *,
    settings: Newsletter,
    first: dt.date | None,
    last: dt.date | None,
    now: dt.datetime,
) -> IssuePlan:
    """The plan of an issue that nobody has planned: dated the day after its period, or today where none is given."""
    _ensure_slug(slug)
    date = last + dt.timedelta(days=1) if last else now.astimezone(ZoneInfo(settings.timezone)).date()
    usual = default_period(issues.previous_plan(session, newsletter_id, date), date)
    period = _period(first or usual.first, last or usual.last)
    return IssuePlan(slug=slug, date=date, period=period)


def _ensure_slug(slug: str) -> None:
    try:
        TypeAdapter(Key).validate_python(slug)
    except ValidationError as error:
        raise InvalidInput(f"the slug: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
