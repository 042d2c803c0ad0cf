"""What deliveries belong to, the names of mailings, and the states in which a run can still be stopped."""

from typing import Final

from sqlmodel import Session

from newsletter.assembly.models import IssueRow
from newsletter.content.store import list_newsletters
from newsletter.errors import InvalidInput
from newsletter.planning.models import DeliveryState, RunState

OPEN_RUNS: Final = (RunState.SCHEDULED, RunState.PLANNING, RunState.RUNNING, RunState.PAUSED)
"""Runs that have not ended."""

UNSENT: Final = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
"""Deliveries that can still be stopped; one that is `sending` is beyond recall."""


def mailing_of_issue(session: Session, issue: IssueRow) -> str:
    """The mailing of an issue, assembled or not: the slug of a newsletter never changes."""
    slugs = {known: settings.slug for known, settings in list_newsletters(session)}
    return mailing_of(slugs[issue.newsletter_id], issue.slug)


def mailing_of(newsletter: str, slug: str) -> str:
    """What the deliveries of an issue belong to."""
    return f"issue:{newsletter}/{slug}"


def mailing_named(mailing: str) -> tuple[str, str]:
    """Newsletter and slug of an issue's mailing; raises InvalidInput for any other."""
    kind, _, name = mailing.partition(":")
    newsletter, _, slug = name.partition("/")
    if kind != "issue" or not slug:
        raise InvalidInput(f"{mailing!r} is no mailing of an issue")
    return newsletter, slug
