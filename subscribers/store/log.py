"""Reading the consent log in the order in which it was written."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlmodel import Session, col

from subscribers.models import ConsentEntry, Subscriber


def newest_consent(session: Session) -> int:
    """The number of the newest line, 0 where there is none."""
    return session.scalar(select(func.max(ConsentEntry.id))) or 0


def consent_after(
    session: Session, after: int, *, until: dt.datetime, limit: int
) -> Sequence[tuple[ConsentEntry, str | None]]:
    """
    Lines after a number, of what happened up to an instant, with the public id of their person (None: erased).

    Lines come in the order of their numbers; one whose transaction has not ended yet is not among them, so `until` has
    to lie as far back as a transaction may last.
    """
    query = (
        select(ConsentEntry, col(Subscriber.uid))
        .outerjoin(Subscriber, col(Subscriber.id) == col(ConsentEntry.subscriber_id))
        .where(col(ConsentEntry.id) > after)
        .order_by(col(ConsentEntry.id))
        .limit(limit)
    )
    found = []
    for line, uid in session.execute(query):
        if line.at > until:  # and what comes after it waits with it, so that nothing is passed over
            break
        found.append((line, uid))
    return found
