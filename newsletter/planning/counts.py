"""Queries that count an audience, and find other runs, before it is frozen. Takes a session, never commits."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from newsletter.assembly.models import IssueRow
from newsletter.planning.models import DeliveryRow, RunRow, RunState
from newsletter.preflight.audience import TEST_BEGINNING, TEST_ENDINGS
from subscribers.models import Subscriber
from subscribers.segments import Condition
from subscribers.store import audience_query

_SENT: Final = (RunState.RUNNING, RunState.PAUSED, RunState.FINISHED)
"""Runs whose audience was frozen and not given up."""


def last_audience(session: Session, issue_id: int) -> int | None:
    """For how many people the last sent issue of the same newsletter was planned; None where there was none."""
    newsletter = select(col(IssueRow.newsletter_id)).where(col(IssueRow.id) == issue_id).scalar_subquery()
    last = (
        select(col(RunRow.mailing))
        .join(IssueRow, col(IssueRow.id) == col(RunRow.issue_id))
        .where(col(IssueRow.newsletter_id) == newsletter, col(IssueRow.id) != issue_id, col(RunRow.state).in_(_SENT))
        .order_by(col(RunRow.started).desc(), col(RunRow.id).desc())
        .limit(1)
    )
    mailing = session.scalar(last)
    if mailing is None:
        return None
    # By mailing, not by run: an issue may have been sent to one segment after another.
    planned = select(func.count()).select_from(DeliveryRow).where(col(DeliveryRow.mailing) == mailing)
    return session.scalar(planned)


def last_segment(session: Session, newsletter_id: int) -> str | None:
    """The segment that a newsletter last went to, or is to go to."""
    own = select(col(IssueRow.id)).where(col(IssueRow.newsletter_id) == newsletter_id)
    latest = select(col(RunRow.segment)).where(col(RunRow.issue_id).in_(own), col(RunRow.readers_of).is_(None))
    return session.scalar(latest.order_by(col(RunRow.id).desc()).limit(1))


def audiences(session: Session, issue_ids: Collection[int]) -> Mapping[int, int]:
    """For how many people the last run of each of some issues was planned, by the issues' ids; without those unsent."""
    runs = select(col(RunRow.issue_id), col(RunRow.total)).where(
        col(RunRow.issue_id).in_(issue_ids), col(RunRow.state).in_(_SENT)
    )
    return {issue_id: total for issue_id, total in session.execute(runs.order_by(col(RunRow.id)))}  # noqa: C416  a Row is no pair for dict()


def addresses_for_tests(session: Session, condition: Condition, *, newsletter: str) -> int:
    """How many who would receive the newsletter have an address that exists for tests (see `audience.is_for_tests`)."""
    key = col(Subscriber.address_key)
    known = or_(
        key.startswith(TEST_BEGINNING, autoescape=True),
        *(key.endswith(ending, autoescape=True) for ending in TEST_ENDINGS),
    )
    people = audience_query(condition, newsletter=newsletter).where(known).subquery()
    return session.scalar(select(func.count()).select_from(people)) or 0


def runs_between(session: Session, since: dt.datetime, until: dt.datetime, *, but: str) -> Sequence[RunRow]:
    """Runs of other mailings than `but` that went out between two instants, or are to, oldest first."""
    begins = func.coalesce(RunRow.started, RunRow.due_at)
    alive = col(RunRow.state) != RunState.CANCELLED
    near = select(RunRow).where(begins >= since, begins <= until, alive, col(RunRow.mailing) != but)
    return session.scalars(near.order_by(col(RunRow.id))).all()
