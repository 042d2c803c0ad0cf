"""Queries about what was asked for and waits: forms, confirmations, limits, wordings, former addresses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.columns import insert_into
from subscribers.models import (
    Asking,
    ConfirmationRequest,
    MailingList,
    Membership,
    MembershipState,
    RequestKind,
    Subscriber,
    Tally,
    Wording,
)

SWEPT = 200
"""Rows of the tally that may go with one sweep: more than one form adds."""


def put_wording(session: Session, *, version: str, language: str, text: str, now: datetime) -> None:
    """Keep the words of a version, if they are not kept yet."""
    row = {"version": version, "language": language, "text": text, "since": now}
    insertion = insert_into(session, Wording).values(row)
    session.execute(insertion.on_conflict_do_nothing(index_elements=["version"]))


def wordings(session: Session, versions: Iterable[str]) -> Mapping[str, Wording]:
    """Return the words of versions, by version; those that nobody kept are missing."""
    found = session.scalars(select(Wording).where(col(Wording.version).in_(set(versions))))
    return {wording.version: wording for wording in found}


def add_asking(session: Session, asking: Asking) -> None:
    """Keep a form until it is answered."""
    session.add(asking)
    session.flush()


def waiting_askings(session: Session, *, limit: int, without: Collection[int] = ()) -> Sequence[Asking]:
    """Return the forms that are to be answered, the oldest first; `without` those that are put off."""
    query = select(Asking).order_by(col(Asking.id)).limit(limit)
    return session.scalars(query.where(col(Asking.id).not_in(without)) if without else query).all()


def take_asking(session: Session, asking_id: int) -> bool:
    """Take a form away to answer it, and return whether nobody else has."""
    taken = session.scalars(delete(Asking).where(col(Asking.id) == asking_id).returning(col(Asking.id)))
    return taken.first() is not None


def drop_askings(session: Session, *, digest: str | None = None, before: datetime | None = None) -> None:
    """Drop the forms of an address, or those that nobody could answer for too long."""
    statement = delete(Asking)
    if digest is not None:
        statement = statement.where(col(Asking.digest) == digest)
    if before is not None:
        statement = statement.where(col(Asking.at) < before)
    session.execute(statement)


def add_request(session: Session, request: ConfirmationRequest) -> ConfirmationRequest:
    """Keep what waits for a confirmation."""
    session.add(request)
    session.flush()
    return request


def find_request(session: Session, key: str) -> ConfirmationRequest | None:
    """Return what waits, or waited, under the key of a link."""
    return session.scalar(select(ConfirmationRequest).where(col(ConfirmationRequest.key) == key))


def requests_of(session: Session, subscriber_id: int) -> Sequence[ConfirmationRequest]:
    """Return what somebody was asked to confirm, the oldest first."""
    mine = select(ConfirmationRequest).where(col(ConfirmationRequest.subscriber_id) == subscriber_id)
    return session.scalars(mine.order_by(col(ConfirmationRequest.id))).all()


def confirm_request(session: Session, key: str, *, now: datetime) -> bool:
    """Note that a request was confirmed, and return whether this call did it; a new address is not needed any more."""
    waiting = update(ConfirmationRequest).where(
        col(ConfirmationRequest.key) == key, col(ConfirmationRequest.confirmed).is_(None)
    )
    held = session.scalars(waiting.values(confirmed=now, address=None).returning(col(ConfirmationRequest.id)))
    return held.first() is not None


def open_address_request(session: Session, subscriber_id: int, *, since: datetime) -> ConfirmationRequest | None:
    """Return the newest change of address that waits since then."""
    query = select(ConfirmationRequest).where(
        col(ConfirmationRequest.subscriber_id) == subscriber_id,
        col(ConfirmationRequest.kind) == RequestKind.ADDRESS,
        col(ConfirmationRequest.address).is_not(None),
        col(ConfirmationRequest.asked) >= since,
    )
    return session.scalars(query.order_by(col(ConfirmationRequest.id).desc()).limit(1)).first()


def withdraw_address_requests(session: Session, subscriber_id: int) -> bool:
    """Forget the new addresses that a person has not confirmed, and return whether there were any."""
    mine = (
        col(ConfirmationRequest.subscriber_id) == subscriber_id,
        col(ConfirmationRequest.kind) == RequestKind.ADDRESS,
        col(ConfirmationRequest.confirmed).is_(None),
    )
    gone = session.scalars(delete(ConfirmationRequest).where(*mine).returning(col(ConfirmationRequest.id)))
    return bool(gone.all())


def unheeded_requests(session: Session, before: datetime, limit: int | None) -> list[int]:
    """Return the ids of what was asked before an instant and never confirmed, the oldest first."""
    unheeded = (col(ConfirmationRequest.confirmed).is_(None), col(ConfirmationRequest.asked) < before)
    query = select(col(ConfirmationRequest.id)).where(*unheeded).order_by(col(ConfirmationRequest.id)).limit(limit)
    return [key for key in session.scalars(query) if key is not None]


def delete_requests(session: Session, ids: Collection[int]) -> None:
    """Forget what was asked, with the new addresses that it holds."""
    session.execute(delete(ConfirmationRequest).where(col(ConfirmationRequest.id).in_(ids)))


def pending_people(session: Session, *, list_id: int, after: int, limit: int) -> Sequence[Subscriber]:
    """Return by id the next people who are pending on a list."""
    query = select(Subscriber).join(Membership, col(Membership.subscriber_id) == col(Subscriber.id))
    query = query.where(
        col(Membership.list_id) == list_id,
        col(Membership.state) == MembershipState.PENDING,
        col(Subscriber.id) > after,
    )
    return session.scalars(query.order_by(col(Subscriber.id)).limit(limit)).all()


def invited(session: Session, ids: Collection[int], *, list_name: str, since: datetime) -> frozenset[int]:
    """Return those among subscribers who have been sent a link for a list since then and have not followed it."""
    requests = select(ConfirmationRequest).where(
        col(ConfirmationRequest.subscriber_id).in_(ids),
        col(ConfirmationRequest.kind) == RequestKind.LISTS,
        col(ConfirmationRequest.confirmed).is_(None),
        col(ConfirmationRequest.asked) >= since,
    )
    return frozenset(each.subscriber_id for each in session.scalars(requests) if list_name in each.lists)


def count_pending(session: Session, *, list_id: int) -> int:
    """Return how many are pending on a list."""
    pending = (col(Membership.list_id) == list_id, col(Membership.state) == MembershipState.PENDING)
    return session.scalar(select(func.count()).select_from(Membership).where(*pending)) or 0


def add_tallies(session: Session, keys: Sequence[str], *, now: datetime) -> None:
    """Count something once under each key."""
    session.execute(insert(Tally), [{"key": key, "at": now} for key in keys])


def tallied(session: Session, key: str, *, since: datetime) -> Sequence[datetime]:
    """Return when something was counted under a key since then, the oldest first."""
    query = select(col(Tally.at)).where(col(Tally.key) == key, col(Tally.at) >= since)
    return session.scalars(query.order_by(col(Tally.at))).all()


def count_tallied(session: Session, key: str, *, since: datetime) -> int:
    """Return how often something was counted under a key since then."""
    counted = select(func.count()).select_from(Tally).where(col(Tally.key) == key, col(Tally.at) >= since)
    return session.scalar(counted) or 0


def forget_tallies(session: Session, key: str) -> None:
    """Count anew under a key."""
    session.execute(delete(Tally).where(col(Tally.key) == key))


def sweep_tallies(session: Session, *, before: datetime) -> None:
    """Drop what no limit looks at any more, from the oldest on, a little at a time."""
    oldest = select(col(Tally.id)).order_by(col(Tally.id)).limit(SWEPT).scalar_subquery()
    session.execute(delete(Tally).where(col(Tally.id).in_(oldest), col(Tally.at) < before))


def public_lists(session: Session) -> Sequence[MailingList]:
    """Return the lists that are offered to everybody, by name."""
    return session.scalars(select(MailingList).where(col(MailingList.public)).order_by(col(MailingList.name))).all()
