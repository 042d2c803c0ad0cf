"""
What became of the first of a staged run: queries for `planning.stage`.

Takes a session, reads deliveries, attempts and suppressions, never commits. The first are those of whom there is an
attempt since the run started: the others have not been touched.
"""

from sqlalchemy import and_, case, distinct, func, select
from sqlmodel import Session, col

from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Verdict
from newsletter.dispatch.store import in_state, of_run
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from newsletter.planning.stage import HELD_BACK, Sample
from subscribers.columns import UTCDateTime
from subscribers.models import Suppression, SuppressionReason


def is_going_out(session: Session, run: RunRow) -> bool:
    """
    Whether any of the first of a run is still to be tried, or is being tried.

    One that the relay deferred has been tried: full mailboxes defer for days, and the others must not wait for that.
    """
    mine, at = of_run(run.id), col(DeliveryRow.next_at)
    kinds = (
        in_state(DeliveryState.CLAIMED, mine),
        in_state(DeliveryState.SENDING, mine),
        in_state(DeliveryState.PLANNED, mine, at.is_(None)),
        in_state(DeliveryState.PLANNED, mine, at < HELD_BACK),
    )
    return any(session.scalar(select(col(DeliveryRow.id)).where(kind).limit(1)) is not None for kind in kinds)


def sample_of(session: Session, run: RunRow) -> Sample:
    """Count what became of the first of a run, until now; reads every delivery of the mailing once."""
    delivery, reason = col(DeliveryRow.id), col(Suppression.reason)
    since = and_(col(Suppression.digest) == DeliveryRow.digest, col(Suppression.since) >= run.started)
    refused = (col(AttemptRow.verdict) == Verdict.REFUSED) | (reason == SuppressionReason.HARD_BOUNCE)
    counted = (
        select(
            func.count(distinct(delivery)),
            func.count(distinct(case((refused, delivery)))),
            func.count(distinct(case((reason == SuppressionReason.COMPLAINT, delivery)))),
            func.max(col(AttemptRow.at), type_=UTCDateTime()),
        )
        .select_from(DeliveryRow)
        .join(AttemptRow, col(AttemptRow.delivery_id) == delivery)
        .outerjoin(Suppression, since)
        .where(
            col(DeliveryRow.mailing) == run.mailing,
            col(DeliveryRow.run_id) == run.id,
            col(DeliveryRow.attempts) > 0,
            col(AttemptRow.at) >= run.started,
        )
    )
    tried, refusals, complaints, last = session.execute(counted).one()
    return Sample(tried=tried, refused=refusals, complained=complaints, last=last)
