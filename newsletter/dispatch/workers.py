"""
Workers: the lives of dispatchers, and which of them have ended.

Takes a session, never commits. On PostgreSQL any number of dispatchers work at once; each says every `BEAT` that it
lives, and whoever has been silent for `SILENCE` by the database's clock is declared dead by any other. On SQLite there
is one, and the lock says that its predecessor is dead; its row only remembers it.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, func, insert, or_, select, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.dispatch.models import WorkerRow
from newsletter.planning.models import DeliveryRow
from subscribers.columns import UTCDateTime

BEAT: Final = dt.timedelta(seconds=2)
"""How often a worker says that it lives."""

SILENCE: Final = dt.timedelta(seconds=8)
"""After how long it is taken for dead: three beats may be lost."""

LONGEST_NAME: Final = 64


def register(session: Session, name: str, *, connections: int | None, now: dt.datetime) -> str:
    """
    Begin the life of a worker; returns its name, which is `name` unless an earlier life had that.

    Names are never used again: a process may get the number of a dead one, whose writes must not pass for its own.
    """
    taken = set(session.scalars(select(col(WorkerRow.name)).where(col(WorkerRow.name).startswith(name))))
    number, own = 1, name
    while own in taken:
        number += 1
        own = f"{name[: LONGEST_NAME - 8]}~{number}"
    clock = _clock(session, now)
    life = {"name": own, "connections": connections, "started": clock, "heartbeat": clock}
    session.execute(insert(WorkerRow).values(life))
    return own


def beat(session: Session, name: str, now: dt.datetime) -> bool:
    """Say that a worker lives; False where it has been declared dead."""
    alive = update(WorkerRow).where(col(WorkerRow.name) == name, _lives())
    return changed_rows(session, alive.values(heartbeat=_clock(session, now))) == 1


def end(session: Session, name: str, now: dt.datetime) -> bool:
    """The life of a worker has ended; False where it had been declared dead before."""
    alive = update(WorkerRow).where(col(WorkerRow.name) == name, _lives())
    return changed_rows(session, alive.values(ended=_clock(session, now))) == 1


def end_all(session: Session, now: dt.datetime) -> None:
    """No worker lives any more: the caller holds the lock of the only one."""
    changed_rows(session, update(WorkerRow).where(_lives()).values(ended=now))


def end_silent(session: Session) -> int:
    """Declare dead, on PostgreSQL, whoever has been silent for too long; returns how many."""
    silent = update(WorkerRow).where(_lives(), col(WorkerRow.heartbeat) < func.now() - SILENCE)
    return changed_rows(session, silent.values(ended=func.now()))


def of_the_dead() -> ColumnElement[bool]:
    """Deliveries that a worker has which does not live."""
    return or_(col(DeliveryRow.worker).is_(None), col(DeliveryRow.worker).not_in(alive()))


def alive() -> Select[str]:
    """The names of the workers that live."""
    return select(col(WorkerRow.name)).where(_lives())


def living(session: Session) -> Sequence[WorkerRow]:
    """The workers that live, the oldest first; some may be silent."""
    return session.scalars(select(WorkerRow).where(_lives()).order_by(col(WorkerRow.started))).all()


def is_silent(worker: WorkerRow, clock: dt.datetime) -> bool:
    """Whether the others take over what this one has, at this time of `clock_of`."""
    return clock - worker.heartbeat >= SILENCE


def newest_beat(session: Session, prefix: str) -> dt.datetime | None:
    """When a worker whose name begins like this beat last; None where none of them lives."""
    newest = select(func.max(WorkerRow.heartbeat, type_=UTCDateTime()))
    return session.scalar(newest.where(_lives(), col(WorkerRow.name).startswith(prefix, autoescape=True)))


def clock_of(session: Session, now: dt.datetime) -> dt.datetime:
    """What time it is by the clock that workers beat to: the database's where they are many, else `now`."""
    return session.execute(select(func.now())).scalar_one() if are_many(session) else now


def are_many(session: Session) -> bool:
    """Whether other workers may be at work on the same database."""
    return session.get_bind().dialect.name == "postgresql"


def _lives() -> ColumnElement[bool]:
    return col(WorkerRow.ended).is_(None)


def _clock(session: Session, now: dt.datetime) -> ColumnElement[dt.datetime] | dt.datetime:
    return func.now() if are_many(session) else now
