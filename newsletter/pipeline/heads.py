"""
What an issue is called, where it stands, and which of its steps are done: the head of every page about it.

Takes the slugs of an issue and its newsletter, yields a `Head`; reads the issue's own row and nothing of its entries.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content import store as content
from newsletter.content.issue import IssuePlan
from newsletter.content.localised import chosen
from newsletter.content.newsletter import Newsletter
from newsletter.content.rows import row_id

_MADE: Final = frozenset({"contents", "wording"})
_DONE: Final[Mapping[IssueState, frozenset[str]]] = {
    IssueState.APPROVED: _MADE | {"check", "approve"},
    IssueState.QUEUED: _MADE | {"check", "approve", "schedule"},
    IssueState.SENDING: _MADE | {"check", "approve", "schedule"},
    IssueState.PAUSED: _MADE | {"check", "approve", "schedule"},
    IssueState.SENT: _MADE | {"check", "approve", "schedule", "run", "report"},
    IssueState.CANCELLED: _MADE | {"check", "approve", "schedule"},
}
"""The steps behind an issue, by its state; what a draft has behind it shows in its items and texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    An issue at a glance.

    `title` is its own in the newsletter's first language that has one, or "". `done` names the steps behind it:
    contents, wording, check, approve, schedule, run, report. `revision` counts the changes to what its editions show.
    """

    id: int
    newsletter: str
    slug: str
    number: int | None
    title: str
    date: dt.date
    state: IssueState
    revision: int
    assembled: dt.datetime | None
    done: frozenset[str]

    @property
    def is_open(self) -> bool:
        """Whether its contents may still be changed: as a draft, or at the price of its approval."""
        return self.state in {IssueState.DRAFT, IssueState.APPROVED}


def head_of(session: Session, slug: str, *, newsletter: str, language: str | None = None) -> Head:
    """The head of an issue, its title in `language` where it has one. Raises NotFound."""
    _, settings = content.get_newsletter(session, newsletter)
    return head(issues.get_issue(session, slug, newsletter), settings, language=language)


def head(row: IssueRow, settings: Newsletter, *, language: str | None = None) -> Head:
    """The head of an issue whose row is at hand."""
    plan = issues.plan_of(row)
    preferred = (language,) if language else ()
    found = chosen({tag: text.title for tag, text in plan.texts.items()}, (*preferred, *settings.languages))
    return Head(
        id=row_id(row),
        newsletter=settings.slug,
        slug=row.slug,
        number=row.number,
        title=found[0] if found else "",
        date=row.date,
        state=row.state,
        revision=row.revision,
        assembled=row.assembled,
        done=_DONE.get(row.state) or _done_of_draft(row, plan, settings),
    )


def _done_of_draft(row: IssueRow, plan: IssuePlan, settings: Newsletter) -> frozenset[str]:
    written = all(tag in plan.texts and plan.texts[tag].subject for tag in settings.languages)
    done = {"contents": row.assembled is not None, "wording": written}
    return frozenset(step for step, is_done in done.items() if is_done)
