"""
What expressions mean here.

Takes the text of an expression; yields the condition by which people are chosen, with saved segments put in and those
who received an issue taken from the ledger. Subscribers know nothing of issues: this is where the two meet.
"""

import datetime as dt
from difflib import get_close_matches

from sqlalchemy import Select
from sqlmodel import Session

from newsletter.assembly.store import list_issues
from newsletter.content.newsletter import Tracking
from newsletter.content.store import list_newsletters
from newsletter.errors import InvalidInput, NotFound
from newsletter.feedback.clicks.store import reacted
from newsletter.pipeline.mailings import mailing_of
from newsletter.planning.store import received
from subscribers.segments import Condition, Engagement, Expression, Reaction, parse, reactions, to_condition
from subscribers.store import resolver


def condition_of_text(session: Session, text: str, *, now: dt.datetime) -> Condition:
    """
    Return whom an expression means at this moment.

    Raises SegmentSyntaxError, SegmentCycle and UnknownSegment where it cannot be evaluated, InvalidInput where it asks
    for what is not counted.
    """
    return to_condition(parse(text), now=now, resolve=resolver(session), engagement=engagement(session))


def engagement(session: Session) -> Engagement:
    """
    Return who reacted to what, see `subscribers.segments.Engagement`.

    An issue is meant by its slug, in whatever newsletters it exists, or by `NEWSLETTER/SLUG`; one that is gone was
    received by nobody. Where clicks are not counted any more, those that were still count.
    """

    def look(reaction: Reaction, asked: str | dt.datetime) -> Select[int | None]:
        meant = _mailings(session, asked) if isinstance(asked, str) else asked
        return received(meant) if reaction is Reaction.RECEIVED else reacted(reaction.value, meant)

    return look


def check_reactions(session: Session, expression: Expression) -> None:
    """Raise InvalidInput where an expression asks for what is not counted, NotFound where it names no issue."""
    asked = reactions(expression)
    for reaction in sorted(asked.keys() - _counted(session)):
        raise InvalidInput(_uncounted(reaction))
    for name in sorted(frozenset().union(*asked.values())):
        if not _mailings(session, name):
            known = {issue.slug for issue in list_issues(session)}
            raise NotFound("issue", name, near=get_close_matches(name, known))


def _mailings(session: Session, name: str) -> tuple[str, ...]:
    wanted, _, slug = name.rpartition("/")
    newsletters = {known: settings.slug for known, settings in list_newsletters(session)}
    return tuple(
        mailing_of(newsletters[issue.newsletter_id], issue.slug)
        for issue in list_issues(session)
        if issue.slug == slug and wanted in {"", newsletters[issue.newsletter_id]}
    )


def _counted(session: Session) -> frozenset[Reaction]:
    """What is known of single readers: who received an issue always, the rest where a newsletter counts by reader."""
    by_reader = [settings for _, settings in list_newsletters(session) if settings.tracking is Tracking.PEOPLE]
    clicked = {Reaction.CLICKED} if by_reader else set()
    opened = {Reaction.OPENED} if any(settings.opens for settings in by_reader) else set()
    return frozenset({Reaction.RECEIVED, *clicked, *opened})


def _uncounted(reaction: Reaction) -> str:
    counted = "opens" if reaction is Reaction.OPENED else "clicks"
    return f"nobody is known to have {reaction}: {counted} are not counted here, ask who received an issue instead"
