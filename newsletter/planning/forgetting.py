"""
What planning knows of people, forgotten: of one who is erased at once, of all when their term is over.

Takes a session, never commits. Deliveries of runs stay as rows, so that counts and audit hold; what says whose they
were goes. Single messages go whole.
"""

import datetime as dt
import re
import secrets
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Select, bindparam, delete, func, not_, or_, select, text, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.planning.models import SINGLE, DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.store import ENDED_STATES, of_digest

UNKNOWN: Final = "x"
"""With this begins what takes a digest's place: no digest does, and all of them stand before it in their index."""

_OVER: Final = (RunState.FINISHED, RunState.CANCELLED)

_TOLD: Final = re.compile(r"((?:recipient|sender|content|relay):(?: \d{3}(?: \d\.\d{1,3}\.\d{1,3})?(?=\s|$))?).*")
"""A reason that a relay gave, see `dispatch.entries`: the fault, the codes, the words."""


def stand_in() -> str:
    """Return 64 characters that take the place of a digest and lead to nobody."""
    return UNKNOWN + secrets.token_hex(32)[1:]


def bare_reason(reason: str | None) -> str | None:
    """
    Return what a delivery's reason says beside the words of a relay, which may name somebody.

    "recipient: 550 5.1.1 no such user ada" is "recipient: 550 5.1.1"; a reason in our own words stays.
    """
    found = _TOLD.fullmatch(reason or "")
    return found[1] if found else reason


def ids_of_person(session: Session, *, digest: str, subscriber_id: int | None) -> list[int]:
    """Return the ids of all deliveries to somebody: to their address, and by the tie to them to any they had."""
    theirs = of_digest(digest)
    found = set(session.scalars(select(col(DeliveryRow.id)).where(theirs)))
    if subscriber_id is not None:
        tied = col(DeliveryRow.subscriber_id) == subscriber_id
        found |= set(session.scalars(select(col(DeliveryRow.id)).where(tied)))
    return sorted(key for key in found if key is not None)


def deliveries(session: Session, ids: Collection[int]) -> Sequence[DeliveryRow]:
    """Return deliveries, oldest first."""
    return session.scalars(select(DeliveryRow).where(col(DeliveryRow.id).in_(ids)).order_by(col(DeliveryRow.id))).all()


def forget_person(session: Session, ids: Collection[int]) -> None:
    """Cut the tie of deliveries to their subscriber, and take out address and relays' words; the digest stays."""
    rows = session.execute(
        select(col(DeliveryRow.id), col(DeliveryRow.reason)).where(col(DeliveryRow.id).in_(ids))
    ).all()
    if not rows:
        return
    plain = update(DeliveryRow).where(col(DeliveryRow.id).in_([key for key, _ in rows]))
    changed_rows(session, plain.values(subscriber_id=None, address=None))
    _write_reasons(session, [(key, reason) for key, reason in rows if reason != bare_reason(reason)])


def oldest_over(session: Session, before: dt.datetime) -> str | None:
    """Return the mailing of which every run ended before an instant, and whose deliveries are not forgotten yet."""
    waiting = _over(before).order_by(col(RunRow.id)).limit(1)
    return session.scalar(waiting)


def count_over(session: Session, before: dt.datetime) -> int:
    """How many deliveries `forget_some` would come by in all."""
    known = (col(DeliveryRow.mailing).in_(_over(before)), col(DeliveryRow.digest) < UNKNOWN)
    return int(session.scalar(select(func.count()).select_from(DeliveryRow).where(*known)) or 0)


def forget_some(session: Session, mailing: str, limit: int) -> list[int]:
    """
    Give up to `limit` deliveries of a mailing a stand-in for their digest, cut their ties; return their ids.

    Where it returns none, all of them are forgotten: see `mark_forgotten`.
    """
    known = (col(DeliveryRow.mailing) == mailing, col(DeliveryRow.digest) < UNKNOWN)
    rows = session.execute(
        select(col(DeliveryRow.id), col(DeliveryRow.reason))
        .where(*known)
        .order_by(col(DeliveryRow.digest))
        .limit(limit)
    ).all()
    if not rows:
        return []
    values = [{"key": key, "instead": stand_in(), "bare": bare_reason(reason)} for key, reason in rows]
    table = DeliveryRow.metadata.tables["delivery"]
    changed = update(table).where(table.c.id == bindparam("key"))
    named: dict[str, object] = {
        "digest": bindparam("instead"),
        "reason": bindparam("bare"),
        "subscriber_id": None,
        "address": None,
    }
    session.connection().execute(changed.values(named), values)
    return [row["key"] for row in values]


def mark_forgotten(session: Session, mailing: str, now: dt.datetime) -> None:
    """Note that the deliveries of a mailing lead to nobody any more."""
    changed_rows(session, update(RunRow).where(col(RunRow.mailing) == mailing).values(forgotten=now))


def forgotten_since(session: Session, mailing: str) -> dt.datetime | None:
    """Return when the deliveries of a mailing lost their ties to people, None where they have them."""
    since = select(col(RunRow.forgotten)).where(col(RunRow.mailing) == mailing, col(RunRow.forgotten).is_not(None))
    return session.scalar(since.order_by(col(RunRow.forgotten)).limit(1))


def ended_singles(session: Session, before: dt.datetime, limit: int | None) -> list[int]:
    """Return the ids of single messages that ended before an instant."""
    ended = col(DeliveryRow.state).in_([*ENDED_STATES, DeliveryState.UNCERTAIN])
    old = select(col(DeliveryRow.id)).where(text(f"delivery.{SINGLE}"), ended, col(DeliveryRow.changed) < before)
    return [key for key in session.scalars(old.order_by(col(DeliveryRow.id)).limit(limit)) if key is not None]


def delete_deliveries(session: Session, ids: Collection[int]) -> None:
    """Delete deliveries whose attempts have gone."""
    changed_rows(session, delete(DeliveryRow).where(col(DeliveryRow.id).in_(ids)))


def move_unsent(session: Session, *, subscriber_id: int, old: str, new: str, now: dt.datetime) -> int:
    """
    Let what has not gone out to somebody's old address go to the new one, by digests; returns how many.

    A mailing that the new address has already had stays as it is. Whoever holds one of them loses it.
    """
    unsent = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
    mine = (col(DeliveryRow.subscriber_id) == subscriber_id, col(DeliveryRow.digest) == old)
    other = DeliveryRow.metadata.tables["delivery"].alias("other")
    taken = select(other.c.id).where(other.c.mailing == col(DeliveryRow.mailing), other.c.digest == new)
    moved = update(DeliveryRow).where(*mine, col(DeliveryRow.state).in_(unsent), not_(taken.exists()))
    again = {"digest": new, "worker": None, "epoch": DeliveryRow.epoch + 1, "changed": now}
    claimed = changed_rows(
        session,
        moved.where(col(DeliveryRow.state) == DeliveryState.CLAIMED).values(state=DeliveryState.PLANNED, **again),
    )
    return claimed + changed_rows(session, moved.values(**again))


def _over(before: dt.datetime) -> Select[str]:
    """Mailings that are over for so long, each as often as it has runs that are not marked."""
    mailing, ended = col(RunRow.mailing), func.coalesce(RunRow.ended, RunRow.created)
    lasting = select(mailing).where(or_(col(RunRow.state).not_in(_OVER), ended >= before))
    return select(mailing).where(col(RunRow.forgotten).is_(None), mailing.not_in(lasting))


def _write_reasons(session: Session, rows: Sequence[tuple[int | None, str | None]]) -> None:
    if rows:
        table = DeliveryRow.metadata.tables["delivery"]
        changed = update(table).where(table.c.id == bindparam("key")).values(reason=bindparam("bare"))
        session.connection().execute(changed, [{"key": key, "bare": bare_reason(reason)} for key, reason in rows])
