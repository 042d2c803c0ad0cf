"""
Stopping what is planned for somebody who leaves, is suppressed or is erased.

Takes the session of the verb that records why, so that both are committed together. A dispatcher that has claimed a
delivery meanwhile loses it; only what is on the wire is beyond recall.
"""

import datetime as dt

from sqlmodel import Session, col

from newsletter.pipeline.mailings import OPEN_RUNS, UNSENT, mailing_named
from newsletter.planning.models import DeliveryState, RunRow
from newsletter.planning.store import move_deliveries, of_digest, of_run, runs
from subscribers import store
from subscribers.errors import SubscribersError
from subscribers.models import Subscriber
from subscribers.segments import parse, to_condition


def stop_all(session: Session, digest: str, *, reason: str, now: dt.datetime) -> int:
    """Stop every delivery to an address, whatever the mailing; returns how many."""
    return move_deliveries(
        session, of_digest(digest), expected=UNSENT, state=DeliveryState.SUPPRESSED, now=now, reason=reason
    )


def stop_unmeant(session: Session, subscriber: Subscriber, *, reason: str, now: dt.datetime) -> int:
    """Stop the deliveries of runs whose audience a person does not belong to any more; returns how many."""
    unmeant = [run for run in runs(session, states=OPEN_RUNS) if not _is_meant(session, run, subscriber, now=now)]
    return sum(
        move_deliveries(
            session,
            of_run(run.id or 0) & of_digest(subscriber.digest),
            expected=UNSENT,
            state=DeliveryState.SUPPRESSED,
            now=now,
            reason=reason,
        )
        for run in unmeant
    )


def _is_meant(session: Session, run: RunRow, subscriber: Subscriber, *, now: dt.datetime) -> bool:
    newsletter, _ = mailing_named(run.mailing)
    try:
        # Days count from the start of the run, so that nobody drops out because time has passed since.
        condition = to_condition(parse(run.expression), now=run.started or now, resolve=store.resolver(session))
    except SubscribersError:
        # A segment it names is gone: leaving must not fail for that, and no mail is the safe side.
        return False
    this_person = condition & (col(Subscriber.id) == subscriber.id)
    return store.count_audience(session, this_person, newsletter=newsletter) > 0
