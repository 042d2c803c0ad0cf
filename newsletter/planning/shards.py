"""
Shards: a run cut into pieces, so that many workers can share it without standing in each other's way.

Takes a run whose audience is frozen, yields ranges of its deliveries, and declares the port through which they are
handed out. A shard is a hint and no claim: it may be handed out twice, and it may be lost.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from sqlalchemy import Integer, func, select, text, type_coerce
from sqlmodel import Session, col

from newsletter.planning.models import OPEN, DeliveryRow, DeliveryState

SHARD: Final = 1000
"""
Deliveries in a shard: two or three claims, so that handing one out costs next to nothing beside sending it, and workers
that end at different times leave each other little to wait for.
"""

QUEUE: Final = "shards"
"""The queue of jobs through which they are handed out."""

NEAR: Final = 50
"""How many others may lie between two deliveries of the dead: what is claimed with them keeps them waiting."""


class Shard(NamedTuple):
    """The deliveries of a run from the id `first` to the id `last`, those of them that are planned for no own time."""

    run_id: int
    first: int
    last: int


class Handing(Protocol):
    """Hands the shards of runs out to those who work on them."""

    def hand_out(self, session: Session, run_id: int) -> int:
        """
        Hand out what of a run can go at once, in the session's own transaction; returns how many shards.

        Where that is rolled back nothing was handed out.
        """
        ...


class NotHanded:
    """For a database with one dispatcher, which needs nobody to tell it what to do."""

    def hand_out(self, session: Session, run_id: int) -> int:  # noqa: ARG002  the port's signature
        """Do nothing."""
        return 0


def shards_of(session: Session, run_id: int) -> list[Shard]:
    """Cut what of a run is planned for no time of its own into shards, in order, in one query."""
    place = type_coerce(func.row_number().over(order_by=col(DeliveryRow.id)), Integer) - 1
    planned = (col(DeliveryRow.state) == DeliveryState.PLANNED, col(DeliveryRow.next_at).is_(None))
    rows = (
        select(col(DeliveryRow.id).label("id"), (place // SHARD).label("part"))
        .where(col(DeliveryRow.run_id) == run_id, *planned, text(OPEN))
        .subquery()
    )
    first = func.min(rows.c.id)
    parts = select(first, func.max(rows.c.id)).group_by(rows.c.part).order_by(first)
    return [Shard(run_id, first, last) for first, last in session.execute(parts)]


def shards_around(deliveries: Iterable[tuple[int | None, int]]) -> list[Shard]:
    """
    Shards that hold these deliveries, of which run and id are given, and not much between them; none for single ones.

    Two deliveries further apart than `NEAR` are in two of them.
    """
    found: list[Shard] = []
    for run_id, id_ in sorted((run_id, id_) for run_id, id_ in deliveries if run_id is not None):
        last = found[-1] if found else None
        if last is not None and last.run_id == run_id and id_ - last.last <= NEAR:
            found[-1] = last._replace(last=id_)
        else:
            found.append(Shard(run_id, id_, id_))
    return found
