"""
What dispatch knows of people, forgotten: the words of relays, which may quote an address or name somebody.

Takes a session and deliveries, never commits. Attempts stay, with verdict and codes, and are sealed anew, so that the
audit holds; a chain that was broken before stays broken, for forgetting must hide nothing. Who reads an attempt is told
that its words are gone.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.dispatch.entries import DIED
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.seals import Tried, seal
from newsletter.planning.models import DeliveryRow

FORGOTTEN: Final = "(the words were forgotten)"
"""What an attempt says in place of what the relay said."""

_KEPT: Final = frozenset({"", DIED, FORGOTTEN})
"""Words of our own: the audit counts the deaths of dispatchers by them."""


def forget_words(session: Session, delivery_ids: Collection[int]) -> int:
    """Take what relays said out of the attempts at deliveries; returns at how many of these there was something."""
    columns = (col(getattr(AttemptRow, name)) for name in Tried._fields)
    rows = session.execute(
        select(col(DeliveryRow.seal), col(AttemptRow.id), col(AttemptRow.seal), *columns)
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .where(col(AttemptRow.delivery_id).in_(delivery_ids))
        .order_by(col(AttemptRow.delivery_id), col(AttemptRow.number))
    ).all()
    attempts: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for delivery_id, chain in groupby(rows, key=lambda row: row[3]):
        links = [_Link(row) for row in chain]
        if any(link.tried.text not in _KEPT for link in links):
            ends.append({"key": delivery_id, "sealed": _resealed(links)})
            attempts += (link.changed for link in links)
    _write(session, attempts, ends)
    return len(ends)


def count_words(session: Session, delivery_ids: Collection[int]) -> int:
    """How many deliveries `forget_words` would take words from."""
    told = col(AttemptRow.text).not_in(_KEPT)
    query = select(func.count(col(AttemptRow.delivery_id).distinct()))
    return session.scalar(query.where(col(AttemptRow.delivery_id).in_(delivery_ids), told)) or 0


def attempts_of_many(session: Session, delivery_ids: Collection[int]) -> Sequence[AttemptRow]:
    """Return all attempts at deliveries, in the order in which they were made."""
    theirs = select(AttemptRow).where(col(AttemptRow.delivery_id).in_(delivery_ids))
    return session.scalars(theirs.order_by(col(AttemptRow.id))).all()


def delete_attempts(session: Session, delivery_ids: Collection[int]) -> None:
    """Delete all attempts at deliveries that are to go."""
    changed_rows(session, delete(AttemptRow).where(col(AttemptRow.delivery_id).in_(delivery_ids)))


class _Link:
    """One attempt in the chain of its delivery."""

    def __init__(self, row: Sequence[Any]) -> None:
        self.held: bytes | None = row[0]
        self._id, self.seal = row[1], row[2]
        self.tried = Tried._make(row[3:])

    @property
    def changed(self) -> dict[str, Any]:
        return {"key": self._id, "words": self.tried.text, "sealed": self.seal}


def _resealed(links: Sequence[_Link]) -> bytes | None:
    """Take the words out of a chain, seal it anew where it was whole, and return the seal its delivery is to hold."""
    whole = all(_proofs(links)) and links[-1].seal == links[0].held
    newest: bytes | None = None
    for link in links:
        if link.tried.text not in _KEPT:
            link.tried = link.tried._replace(text=FORGOTTEN)
        if whole and link.seal is not None:
            link.seal = seal(newest, link.tried)
        newest = link.seal
    return newest if whole else links[0].held


def _proofs(links: Sequence[_Link]) -> Iterator[bool]:
    """Say of each attempt whether its seal fits; those from before there were seals have none."""
    newest: bytes | None = None
    for link in links:
        yield newest is None if link.seal is None else seal(newest, link.tried) == link.seal
        newest = link.seal


def _write(session: Session, attempts: Sequence[dict[str, Any]], ends: Sequence[dict[str, Any]]) -> None:
    if not ends:
        return
    attempt, delivery = (AttemptRow.metadata.tables[name] for name in ("attempt", "delivery"))
    said: dict[str, object] = {"text": bindparam("words"), "seal": bindparam("sealed")}
    connection = session.connection()
    connection.execute(update(attempt).where(attempt.c.id == bindparam("key")).values(said), list(attempts))
    sealed = update(delivery).where(delivery.c.id == bindparam("key")).values(seal=bindparam("sealed"))
    connection.execute(sealed, list(ends))
