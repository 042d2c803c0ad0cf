"""
Every query of feedback. Takes a session, never commits.

Events are few beside deliveries, so that they carry the indexes: by delivery, by address, by mailing. What is asked of
the attempts is shaped after their index (`dispatch.models.OF_RECIPIENT`).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, or_, select, text, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.dispatch.models import OF_RECIPIENT, AttemptRow
from newsletter.feedback.event import FROM_ATTEMPT, Cause, Event, Kind, Proof
from newsletter.feedback.models import EventRow, PlaceRow
from newsletter.feedback.policy import COMES_BACK, Taken, Trouble
from newsletter.planning.models import DeliveryRow, DeliveryState
from subscribers.columns import UTCDateTime, insert_into

BACK: Final = (Kind.HARD, Kind.SOFT, Kind.BLOCKED)
"""Kinds that say that a message did not arrive."""


def add_events(
    session: Session, events: Collection[Event], *, deliveries: Mapping[int, DeliveryRow], now: dt.datetime
) -> set[str]:
    """Store events, at least one, but for those that are known already; returns the ids of the new ones."""
    rows = [_row(event, deliveries.get(event.delivery or 0), now) for event in events]
    statement = insert_into(session, EventRow).values(rows).on_conflict_do_nothing().returning(col(EventRow.key))
    return set(session.scalars(statement))


def _row(event: Event, delivery: DeliveryRow | None, now: dt.datetime) -> dict[str, object]:
    return {
        "key": event.id,
        "kind": event.kind,
        "cause": event.cause,
        "proof": event.proof,
        "source": event.source,
        "delivery_id": delivery.id if delivery else None,
        "mailing": delivery.mailing if delivery else None,
        "digest": delivery.digest if delivery else event.digest,
        "status": event.status,
        "text": event.text,
        "did": "",
        "at": event.at,
        "received": now,
    }


def set_did(session: Session, ids: Collection[str], did: str) -> None:
    """Write down what events have changed, in the transaction that stores them."""
    changed_rows(session, update(EventRow).where(col(EventRow.key).in_(ids)).values(did=did))


def deliveries_by_id(session: Session, ids: Collection[int]) -> Mapping[int, DeliveryRow]:
    """The deliveries with these ids, as far as there are any."""
    found = session.scalars(select(DeliveryRow).where(col(DeliveryRow.id).in_(ids))) if ids else ()
    return {row.id or 0: row for row in found}


def troubles_of(session: Session, digest: str) -> list[Trouble]:
    """What has come back softly from an address, with proof."""
    sent = func.coalesce(DeliveryRow.changed, EventRow.at, type_=UTCDateTime())
    proven = (col(EventRow.proof) != Proof.NONE, col(EventRow.kind) == Kind.SOFT, col(EventRow.cause).is_not(None))
    rows = session.execute(
        select(col(EventRow.cause), func.coalesce(EventRow.mailing, EventRow.key), sent, col(EventRow.proof))
        .outerjoin(DeliveryRow, col(DeliveryRow.id) == EventRow.delivery_id)
        .where(col(EventRow.digest) == digest, *proven)
    )
    return [Trouble(Cause(cause), mailing, at, proof is Proof.LEDGER) for cause, mailing, at, proof in rows]


def taken_by(session: Session, subscriber_id: int | None, digest: str, *, now: dt.datetime) -> Taken:
    """When a message to a person's address was last taken and did not come back, see `Taken`."""
    if subscriber_id is None:  # nobody's deliveries are found by their address
        return Taken()
    back = select(col(EventRow.id)).where(
        col(EventRow.delivery_id) == DeliveryRow.id, col(EventRow.kind).in_(BACK), col(EventRow.proof) != Proof.NONE
    )
    changed = col(DeliveryRow.changed)
    latest = select(func.max(changed, type_=UTCDateTime())).where(
        col(DeliveryRow.subscriber_id) == subscriber_id,
        col(DeliveryRow.digest) == digest,
        col(DeliveryRow.state) == DeliveryState.ACCEPTED,
        ~back.exists(),
    )
    return Taken(session.scalar(latest), session.scalar(latest.where(changed <= now - COMES_BACK)))


def place(session: Session, name: str) -> int:
    """How far something has been read; 0 at first."""
    row = session.get(PlaceRow, name)
    return row.position if row else 0


def set_place(session: Session, name: str, position: int) -> None:
    """Say how far something has been read."""
    row = session.get(PlaceRow, name)
    if row is None:
        session.add(PlaceRow(name=name, position=position))
    else:
        row.position = position
    session.flush()


def failed_attempts(session: Session, *, after: int, limit: int) -> Sequence[AttemptRow]:
    """
    The attempts beyond an id that ended a delivery for its recipient's sake and are no events yet, in order.

    One that was deferred ends a delivery only when its time is up.
    """
    known = select(col(EventRow.id)).where(
        col(EventRow.key)
        == literal(FROM_ATTEMPT) + cast(AttemptRow.delivery_id, String) + ":" + cast(AttemptRow.number, String)
    )
    ended = (DeliveryState.REFUSED, DeliveryState.EXPIRED)
    return session.scalars(
        select(AttemptRow)
        .join(DeliveryRow, col(DeliveryRow.id) == AttemptRow.delivery_id)
        .where(
            text(f"attempt.{OF_RECIPIENT}"),
            col(AttemptRow.id) > after,
            col(AttemptRow.code).is_not(None),
            col(DeliveryRow.state).in_(ended),
            col(DeliveryRow.attempts) == AttemptRow.number,
            ~known.exists(),
        )
        .order_by(col(AttemptRow.id))
        .limit(limit)
    ).all()


def settled_attempt(session: Session, *, before: dt.datetime) -> int:
    """The newest of such attempts that ended before an instant: whatever was begun before it is committed by now."""
    newest = select(col(AttemptRow.id)).where(text(f"attempt.{OF_RECIPIENT}"), col(AttemptRow.at) < before)
    return session.scalar(newest.order_by(col(AttemptRow.id).desc()).limit(1)) or 0


def page(
    session: Session,
    *,
    limit: int,
    before: int | None = None,
    kind: Kind | None = None,
    mailing: str | None = None,
    proven: bool | None = None,
) -> Sequence[EventRow]:
    """The newest events, or those before an id; every page costs the same."""
    conditions: list[ColumnElement[bool]] = []
    if before is not None:
        conditions.append(col(EventRow.id) < before)
    if kind is not None:
        conditions.append(col(EventRow.kind) == kind)
    if mailing is not None:
        conditions.append(col(EventRow.mailing) == mailing)
    if proven is not None:
        unproven = col(EventRow.proof) == Proof.NONE
        conditions.append(~unproven if proven else unproven)
    return session.scalars(
        select(EventRow).where(and_(True, *conditions)).order_by(col(EventRow.id).desc()).limit(limit)  # noqa: FBT003
    ).all()


def get_event(session: Session, event: str) -> EventRow | None:
    """An event by its number, or by the id that it came with."""
    number = int(event) if event.isascii() and event.isdecimal() and len(event) < 19 else -1  # noqa: PLR2004  64 bits
    return session.scalars(
        select(EventRow).where(or_(col(EventRow.id) == number, col(EventRow.key) == event)).limit(1)
    ).first()


def kinds_of(session: Session, mailing: str) -> Mapping[Kind, int]:
    """How many events of each kind a mailing has, proven ones only; each delivery once a kind."""
    return kinds_of_mailings(session, [mailing]).get(mailing, {})


def kinds_of_mailings(session: Session, mailings: Collection[str]) -> Mapping[str, Mapping[Kind, int]]:
    """How many events of each kind some mailings have, counted as by `kinds_of`."""
    mailing, kind = col(EventRow.mailing), col(EventRow.kind)
    counted = session.execute(
        select(mailing, kind, func.count(func.distinct(EventRow.delivery_id)))
        .where(mailing.in_(mailings), col(EventRow.proof) != Proof.NONE)
        .group_by(mailing, kind)
    )
    found: dict[str, dict[Kind, int]] = {}
    for name, what, number in counted:
        found.setdefault(name or "", {})[Kind(what)] = number
    return found
