"""
Stopping what is planned for somebody who leaves, is suppressed or is erased.

Takes the session of the verb that records why, so that both are committed together. A dispatcher that has claimed a
delivery meanwhile loses it; only what is on the wire is beyond recall.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col

from newsletter.dispatch.store import is_open
from newsletter.errors import NewsletterError
from newsletter.pipeline.mailings import OPEN_RUNS, UNSENT, mailing_named
from newsletter.pipeline.meaning import condition_of_text
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from newsletter.planning.store import move_deliveries, of_mailing, of_run, runs
from newsletter.planning.withdrawals import add_withdrawals, being_planned
from subscribers import store
from subscribers.errors import SubscribersError
from subscribers.models import Subscriber


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a farewell did: whether it changed anything, and how many deliveries it stopped."""

    changed: bool
    deliveries: int


def stop_all(session: Session, digest: str, *, reason: str, now: dt.datetime) -> int:
    """Stop every delivery to an address, whatever the mailing; returns how many."""
    return stop_addresses(session, [digest], reason=reason, now=now)


def stop_addresses(session: Session, digests: Collection[str], *, reason: str, now: dt.datetime) -> int:
    """
    Stop every delivery to some addresses, whatever the mailing; returns how many.

    Looks them up mailing by mailing, and among the open single messages: nothing finds an address in all deliveries
    without reading them all, and a morning's bounces would do that a thousand times.
    """
    mailings = sorted({run.mailing for run in runs(session, states=OPEN_RUNS)})
    places = [
        *(col(DeliveryRow.mailing) == mailing for mailing in mailings),
        is_open(col(DeliveryRow.run_id).is_(None)),
    ]
    theirs = col(DeliveryRow.digest).in_(digests)
    return sum(
        move_deliveries(
            session, place & theirs, expected=UNSENT, state=DeliveryState.SUPPRESSED, now=now, reason=reason
        )
        for place in places
    )


def stop_these(session: Session, ids: Collection[int], *, reason: str, now: dt.datetime) -> int:
    """Stop those of these deliveries that have not gone out; returns how many."""
    chosen = col(DeliveryRow.id).in_(ids)
    return move_deliveries(session, chosen, expected=UNSENT, state=DeliveryState.SUPPRESSED, now=now, reason=reason)


def stop_unmeant(session: Session, subscriber: Subscriber, *, reason: str, now: dt.datetime) -> int:
    """Stop the deliveries of runs whose audience a person does not belong to any more; returns how many."""
    unmeant = [run for run in runs(session, states=OPEN_RUNS) if not _is_meant(session, run, subscriber, now=now)]
    for run_id in being_planned(session, unmeant):
        add_withdrawals(session, run_id, [subscriber.digest])
    return sum(
        move_deliveries(
            session,
            of_run(run.id or 0) & of_mailing(run.mailing) & (col(DeliveryRow.digest) == subscriber.digest),
            expected=UNSENT,
            state=DeliveryState.SUPPRESSED,
            now=now,
            reason=reason,
        )
        for run in unmeant
    )


def stop_departed(session: Session, digests: Sequence[str], *, now: dt.datetime) -> int:
    """Stop what is planned for many who left, were taken off or must not be written to; returns how many deliveries."""
    open_runs = runs(session, states=OPEN_RUNS)
    in_the_making = being_planned(session, open_runs)
    stopped = 0
    for batch in store.in_batches(digests):
        single = col(DeliveryRow.run_id).is_(None) & col(DeliveryRow.digest).in_(
            store.suppression_reasons(session, batch)
        )
        unmeant = {run.id or 0: set(batch) - _meant(session, run, batch, now=now) for run in open_runs}
        for run_id in in_the_making:
            add_withdrawals(session, run_id, unmeant[run_id])
        ended = [of_run(run_id) & col(DeliveryRow.digest).in_(theirs) for run_id, theirs in unmeant.items()]
        stopped += sum(
            move_deliveries(
                session,
                condition,
                expected=UNSENT,
                state=DeliveryState.SUPPRESSED,
                now=now,
                reason="unsubscribed",
            )
            for condition in (single, *ended)
        )
    return stopped


def _meant(session: Session, run: RunRow, digests: Sequence[str], *, now: dt.datetime) -> set[str]:
    """Return those among the digests whom a run still means."""
    newsletter, _ = mailing_named(run.mailing)
    try:
        condition = condition_of_text(session, run.expression, now=run.started or now)
    except (SubscribersError, NewsletterError):
        return set()  # as in `_is_meant`
    these = condition & col(Subscriber.digest).in_(digests)
    return {row[1] for row in session.execute(store.audience_query(these, newsletter=newsletter))}


def _is_meant(session: Session, run: RunRow, subscriber: Subscriber, *, now: dt.datetime) -> bool:
    newsletter, _ = mailing_named(run.mailing)
    try:
        # Days count from the start of the run, so that nobody drops out because time has passed since.
        condition = condition_of_text(session, run.expression, now=run.started or now)
    except (SubscribersError, NewsletterError):
        # A segment it names is gone: leaving must not fail for that, and no mail is the safe side.
        return False
    this_person = condition & (col(Subscriber.id) == subscriber.id)
    return store.count_audience(session, this_person, newsletter=newsletter) > 0
