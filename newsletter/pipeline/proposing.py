"""
The next issue of a newsletter: what follows on the last one, and the plan that an officer makes of it.

Takes a session and a newsletter's slug, or what was said in a form; yields a `Proposal`, or an `IssuePlan`. Promises
that no entry falls between two issues, and that a name which is proposed is free.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from newsletter.assembly import overview
from newsletter.assembly import store as issues
from newsletter.assembly.days import default_period, following
from newsletter.content import store as content
from newsletter.content.fields import Key
from newsletter.content.issue import IssuePlan, IssueText, Period
from newsletter.content.newsletter import Newsletter
from newsletter.errors import InvalidInput
from newsletter.pipeline.heads import Head, head
from newsletter.times import month_words


class Fault(StrEnum):
    """What is wrong with a field of a plan."""

    #: The slug is not made of small letters, digits and single hyphens.
    SHAPE = "shape"
    #: Another issue has the slug.
    TAKEN = "taken"
    #: The period ends before it begins.
    ORDER = "order"
    #: No section is left.
    EMPTY = "empty"


class PlanRefused(InvalidInput):
    """
    A plan cannot be taken.

    Attributes:
        field: the field that is wrong: slug, last or sections.
        fault: what is wrong with it.
    """

    def __init__(self, field: str, fault: Fault) -> None:
        self.field, self.fault = field, fault
        super().__init__(f"{field}: {fault.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIssue:
    """
    An issue as it is to be made; both ends of the period are included.

    `model` is the slug of an issue whose sections, settings and words are taken over, its dates and items left.
    """

    slug: str
    number: int | None
    date: dt.date
    first: dt.date
    last: dt.date
    titles: Mapping[str, str]
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the next issue would be, and the one before it, whose words may be taken over."""

    issue: NewIssue
    languages: tuple[str, ...]
    previous: Head | None


def proposed(session: Session, newsletter: str, *, now: dt.datetime, language: str | None) -> Proposal:
    """What the next issue of a newsletter would be; the head of the last one is in `language`. Raises NotFound."""
    newsletter_id, settings = content.get_newsletter(session, newsletter)
    row = overview.newest(session, newsletter_id)
    today = now.astimezone(ZoneInfo(settings.timezone)).date()
    plan = issues.plan_of(row) if row else None
    date = max(today, following(plan, plan.slug).date) if plan else today
    period = default_period(plan, date)
    return Proposal(
        issue=NewIssue(
            slug=_free(session, newsletter_id, next_slug(plan.slug if plan else "", date)),
            number=1 if plan is None else None if plan.number is None else plan.number + 1,
            date=date,
            first=period.first,
            last=max(period.last, today),  # what was written this morning is meant to go out at noon
            titles=_months(settings, date),
        ),
        languages=settings.languages,
        previous=head(row, settings, language=language) if row else None,
    )


_COUNTED: Final = re.compile(r"(.*?)(\d+)(\D*)")
_MONTH: Final = re.compile(r"\d{4}-\d{2}")


def next_slug(last: str, date: dt.date) -> str:
    """
    The slug that follows: of a series such as `2026-11` the month of `date`, of `no-41` the next number.

    A series without numbers goes on by months.
    """
    counted = _COUNTED.fullmatch(last)
    if counted is None or _MONTH.fullmatch(last):
        return f"{date:%Y-%m}"
    before, number, after = counted.groups()
    return f"{before}{int(number) + 1:0{len(number)}}{after}"


def _free(session: Session, newsletter_id: int, slug: str) -> str:
    """The slug, or with a letter behind it where it is taken."""
    endings = ("", *(f"-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"))
    return next((slug + end for end in endings if issues.find_issue(session, newsletter_id, slug + end) is None), slug)


def _months(settings: Newsletter, date: dt.date) -> dict[str, str]:
    """A title in each language: the month, as readers see it where there is none."""
    months = {tag: month_words(date, locale=settings.locale(tag)) for tag in settings.languages}
    return {tag: words[:1].upper() + words[1:] for tag, words in months.items()}


def slug_of(text: str) -> str:
    """The slug that a text is. Raises PlanRefused."""
    try:
        return str(TypeAdapter(Key).validate_python(text))
    except ValidationError as error:
        raise PlanRefused("slug", Fault.SHAPE) from error


def period_of(first: dt.date, last: dt.date) -> Period:
    """A period with both its ends. Raises PlanRefused where it ends before it begins."""
    if last < first:
        raise PlanRefused("last", Fault.ORDER)
    return Period.model_validate({"from": first, "to": last})


def plan_of(issue: NewIssue, model: IssuePlan | None) -> IssuePlan:
    """The plan of a new issue, with the words, sections and settings of its model. Raises PlanRefused."""
    words = dict(model.texts) if model else {}
    for tag, title in issue.titles.items():
        words[tag] = words.get(tag, IssueText()).model_copy(update={"title": " ".join(title.split())})
    plan = IssuePlan(slug=issue.slug, number=issue.number, date=issue.date, period=period_of(issue.first, issue.last))
    over = {name: getattr(model, name) for name in ("agenda_days", "sections", "fallback", "theme")} if model else {}
    return plan.model_copy(update={**over, "texts": {tag: text for tag, text in words.items() if text != IssueText()}})
