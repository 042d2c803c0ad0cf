"""
Four eyes: where a newsletter asks for it, an issue is approved by another person than the one who wrote last.

Takes a session, an issue and who acts. The rule is the newsletter's of today, whatever the issue was assembled with,
and holds at the desk and on the command line alike.
"""

from dataclasses import dataclass

from sqlmodel import Session

from newsletter.assembly.authors import Written, last_written
from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.content.newsletter import Newsletter
from newsletter.errors import OwnWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Whether the rule holds for an issue, who wrote last (None: nobody knows), whether the operator may approve."""

    wanted: bool
    written: Written | None
    suffice: bool


def eyes_on(session: Session, issue: IssueRow, *, operator: str) -> Eyes:
    """How the rule stands for an issue and an operator; names are compared without regard to case."""
    settings = session.get_one(NewsletterRow, issue.newsletter_id).settings
    wanted = Newsletter.model_validate(settings).four_eyes
    written = last_written(session, issue)
    is_own = written is not None and written.author.casefold() == operator.casefold()
    return Eyes(wanted=wanted, written=written, suffice=not (wanted and is_own))


def ensure_other_eyes(session: Session, issue: IssueRow, *, operator: str) -> None:
    """Raise OwnWork where the operator wrote last and the newsletter wants four eyes."""
    if not eyes_on(session, issue, operator=operator).suffice:
        raise OwnWork(issue.slug, operator)
