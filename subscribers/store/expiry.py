"""
Queries for retention: who never confirmed, who has been gone for long, what consent need not be proved any more.

Each looks at a bounded piece of a table, so that it costs the same at any size, and says where the next piece begins.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.models import (
    ConsentEntry,
    Departure,
    FormerAddress,
    MailingList,
    Membership,
    MembershipState,
    Subscriber,
)
from subscribers.store.batches import in_batches
from subscribers.store.bulk import PRESENT


class Piece(NamedTuple):
    """Ids of people in a piece of the table, and the id after which the next piece begins; None at the end."""

    ids: list[int]
    after: int | None


class Stale(NamedTuple):
    """A membership that was asked for and never confirmed."""

    subscriber_id: int
    list_name: str


def stale_requests(session: Session, before: datetime, limit: int) -> list[Stale]:
    """Return memberships that have been pending since before an instant."""
    # List by list, as the index over memberships is sorted.
    pending = select(col(Membership.subscriber_id), col(MailingList.name)).join(
        MailingList, col(MailingList.id) == col(Membership.list_id)
    )
    stale = pending.where(col(Membership.state) == MembershipState.PENDING, col(Membership.changed) < before)
    return [Stale(*row) for row in session.execute(stale.limit(limit))]


def others_than_stale(session: Session, ids: Collection[int], before: datetime) -> frozenset[int]:
    """Return those among subscribers who ever had to do with a list beyond a request that went stale."""
    stale = and_(col(Membership.state) == MembershipState.PENDING, col(Membership.changed) < before)
    found = select(col(Membership.subscriber_id)).where(col(Membership.subscriber_id).in_(ids), ~stale)
    return frozenset(session.scalars(found))


def people_gone(session: Session, before: datetime, *, after: int, limit: int) -> Piece:
    """
    Look at the next `limit` people by id; return those who have been on no list since before an instant.

    What counts is the last thing that happened: a list or newsletter left, a list taken away, a fact changed.
    """
    window = session.scalars(
        select(col(Subscriber.id)).where(col(Subscriber.id) > after).order_by(col(Subscriber.id)).limit(limit)
    ).all()
    if not window:
        return Piece([], None)
    last = window[-1] or 0
    gone = select(col(Subscriber.id)).where(
        col(Subscriber.id) > after,
        col(Subscriber.id) <= last,
        col(Subscriber.updated) < before,
        ~_has_membership(or_(col(Membership.state).in_(PRESENT), col(Membership.changed) >= before)),
        ~exists().where(col(Departure.subscriber_id) == Subscriber.id, col(Departure.at) >= before),
    )
    ids = [key for key in session.scalars(gone.order_by(col(Subscriber.id))) if key is not None]
    return Piece(ids, last)


def touch_members(session: Session, mailing_list: MailingList, now: datetime) -> None:
    """Note that something happened to everybody who stands to a list in any way: it is about to go."""
    theirs = select(col(Membership.subscriber_id)).where(col(Membership.list_id) == mailing_list.id)
    session.execute(update(Subscriber).where(col(Subscriber.id).in_(theirs)).values(updated=now))


def has_left(session: Session, subscriber_id: int) -> bool:
    """Return whether somebody left a list or newsletter by their own decision."""
    left = select(Membership).where(
        col(Membership.subscriber_id) == subscriber_id, col(Membership.state) == MembershipState.LEFT
    )
    departed = select(Departure).where(col(Departure.subscriber_id) == subscriber_id)
    return bool(session.scalar(select(or_(left.exists(), departed.exists()))))


def old_proofs(session: Session, before: datetime, *, after: str, limit: int) -> tuple[list[str], str | None]:
    """
    Look at the consent logs of the next `limit` people who are gone, by digest; return those without a newer line.

    The second value is where to go on, None at the end.
    """
    digest, at = col(ConsentEntry.digest), ConsentEntry.metadata.tables["consent_entry"].c.at
    logs = session.execute(
        select(digest, func.max(at, type_=at.type))
        .where(col(ConsentEntry.subscriber_id).is_(None), digest > after)
        .group_by(digest)
        .order_by(digest)
        .limit(limit)
    ).all()
    return [key for key, newest in logs if newest < before], (logs[-1][0] if logs else None)


def count_proofs(session: Session, digests: Collection[str]) -> int:
    """Return how many lines `delete_proofs` would delete."""
    mine = (col(ConsentEntry.subscriber_id).is_(None), col(ConsentEntry.digest).in_(digests))
    return session.scalar(select(func.count()).select_from(ConsentEntry).where(*mine)) or 0


def delete_proofs(session: Session, digests: Collection[str]) -> int:
    """Delete the consent log of people who are gone, by digest; return how many lines."""
    lines = count_proofs(session, digests)
    mine = (col(ConsentEntry.subscriber_id).is_(None), col(ConsentEntry.digest).in_(digests))
    session.execute(delete(ConsentEntry).where(*mine))
    return lines


def add_former_address(session: Session, *, subscriber_id: int, digest: str, until: datetime) -> None:
    """Note that somebody had another address before, by its digest."""
    session.add(FormerAddress(subscriber_id=subscriber_id, digest=digest, until=until))
    session.flush()


def former_addresses(session: Session, subscriber_id: int) -> Sequence[FormerAddress]:
    """Return the addresses somebody had before, by their digests, oldest first."""
    mine = select(FormerAddress).where(col(FormerAddress.subscriber_id) == subscriber_id)
    return session.scalars(mine.order_by(col(FormerAddress.id))).all()


def addresses_of(session: Session, digests: Collection[str]) -> dict[str, str]:
    """Return the addresses that subscribers have now, by digest; digests of nobody are missing."""
    found: dict[str, str] = {}
    for batch in in_batches(digests):
        query = select(col(Subscriber.digest), col(Subscriber.address)).where(col(Subscriber.digest).in_(batch))
        found.update(session.execute(query).all())
    return found


def taken_digests(session: Session, digests: Collection[str]) -> frozenset[str]:
    """Return those among digests that are the present address of somebody."""
    return frozenset(session.scalars(select(col(Subscriber.digest)).where(col(Subscriber.digest).in_(digests))))


def _has_membership(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    row = select(col(Membership.list_id)).where(col(Membership.subscriber_id) == Subscriber.id, condition)
    return row.correlate(Subscriber).exists()
