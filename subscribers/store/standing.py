"""Queries about departures from newsletters, suppressions and the consent log."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.columns import insert_into
from subscribers.models import (
    ConfirmationRequest,
    ConsentEntry,
    Departure,
    FormerAddress,
    Membership,
    Subscriber,
    SubscriberTag,
    Suppression,
    SuppressionReason,
)
from subscribers.store.batches import among

STRENGTH = {reason: strength for strength, reason in enumerate(SuppressionReason)}
"""A reason gives way to a stronger one only: somebody who complained is not forgotten because they also left."""


def add_departure(session: Session, *, subscriber_id: int, newsletter: str, now: datetime) -> bool:
    """Note that a subscriber left a newsletter, and return whether they had not left it before."""
    if session.get(Departure, (subscriber_id, newsletter)) is not None:
        return False
    session.add(Departure(subscriber_id=subscriber_id, newsletter=newsletter, at=now))
    session.flush()
    return True


def departures_of(session: Session, subscriber_id: int) -> dict[str, datetime]:
    """Return which newsletters a subscriber left, and when."""
    query = select(col(Departure.newsletter), col(Departure.at)).order_by(col(Departure.newsletter))
    return dict(session.execute(query.where(col(Departure.subscriber_id) == subscriber_id)).all())


def delete_departures(session: Session, *, subscriber_id: int, newsletter: str | None = None) -> None:
    """Forget that a subscriber left a newsletter, or any."""
    statement = delete(Departure).where(col(Departure.subscriber_id) == subscriber_id)
    if newsletter is not None:
        statement = statement.where(col(Departure.newsletter) == newsletter)
    session.execute(statement)


def find_suppression(session: Session, digest: str) -> Suppression | None:
    """Return why the address with this digest must not be written to, if so."""
    return session.get(Suppression, digest)


def put_suppression(session: Session, *, digest: str, reason: SuppressionReason, now: datetime, note: str = "") -> bool:
    """Suppress an address by its digest; return False where it was, for a reason as strong."""
    known = session.get(Suppression, digest)
    if known is None:
        session.add(Suppression(digest=digest, reason=reason, note=note, since=now))
    elif STRENGTH[reason] > STRENGTH[known.reason]:
        known.reason, known.note, known.since = reason, note, now
    else:
        return False
    session.flush()
    return True


def put_suppressions(
    session: Session, notes: Mapping[str, str], *, reason: SuppressionReason, now: datetime
) -> frozenset[str]:
    """Suppress many addresses by their digests, as `put_suppression` does; return those that it would say True of."""
    known = suppression_reasons(session, notes)
    weaker = [digest for digest, found in known.items() if STRENGTH[reason] > STRENGTH[found]]
    for digest in weaker:
        put_suppression(session, digest=digest, reason=reason, now=now, note=notes[digest])
    rows = [
        {"digest": digest, "reason": reason, "note": note, "since": now}
        for digest, note in notes.items()
        if digest not in known
    ]
    if not rows:
        return frozenset(weaker)
    # Somebody else may be about the same address; one of us is enough.
    added = insert_into(session, Suppression).values(rows).on_conflict_do_nothing().returning(col(Suppression.digest))
    return frozenset((*weaker, *session.scalars(added)))


def delete_suppression(
    session: Session, digest: str, *, reasons: Collection[SuppressionReason] = tuple(SuppressionReason)
) -> bool:
    """Lift a suppression that has one of the reasons, and return whether there was one."""
    known = session.get(Suppression, digest)
    if known is None or known.reason not in reasons:
        return False
    session.delete(known)
    session.flush()
    return True


def clear_note(session: Session, digest: str) -> None:
    """Take the note off a suppression: it may say who the person was."""
    if (known := session.get(Suppression, digest)) is not None and known.note:
        known.note = ""
        session.flush()


def suppressions(
    session: Session, *, after: str = "", limit: int = 50, reason: SuppressionReason | None = None
) -> Sequence[Suppression]:
    """Return the next suppressions by digest; of one reason, if it is given."""
    query = select(Suppression).where(col(Suppression.digest) > after)
    if reason is not None:
        query = query.where(col(Suppression.reason) == reason)
    return session.scalars(query.order_by(col(Suppression.digest)).limit(limit)).all()


def suppression_reasons(session: Session, digests: Collection[str]) -> dict[str, SuppressionReason]:
    """Return the suppressed ones among the digests, with the reason of each."""
    query = select(col(Suppression.digest), col(Suppression.reason))
    return dict(session.execute(query.where(among(session, col(Suppression.digest), digests))).all())


def add_consent(session: Session, entry: ConsentEntry) -> None:
    """Append a line to the consent log."""
    session.add(entry)
    session.flush()


def consent_of(session: Session, digest: str) -> Sequence[ConsentEntry]:
    """Return the consent log of an address, oldest first; also after the person was erased."""
    person = select(col(Subscriber.id)).where(col(Subscriber.digest) == digest)
    forgotten = (col(ConsentEntry.subscriber_id).is_(None)) & (col(ConsentEntry.digest) == digest)
    mine = or_(col(ConsentEntry.subscriber_id) == person.scalar_subquery(), forgotten)
    return session.scalars(select(ConsentEntry).where(mine).order_by(col(ConsentEntry.id))).all()


def forget(session: Session, subscriber_id: int) -> None:
    """Take away what hangs on a subscriber; the consent log keeps its lines without the tie to the person.

    The database would do so too; said here, it does not depend on SQLite's foreign keys being switched on.
    """
    for table in (SubscriberTag, Membership, Departure, ConfirmationRequest, FormerAddress):
        session.execute(delete(table).where(col(table.subscriber_id) == subscriber_id))
    log = update(ConsentEntry).where(col(ConsentEntry.subscriber_id) == subscriber_id)
    session.execute(log.values(subscriber_id=None))
