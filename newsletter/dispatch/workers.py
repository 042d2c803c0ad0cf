"""
Workers: the lives of dispatchers, and which of them have ended.

Takes a session, never commits. On PostgreSQL any number of dispatchers work at once; each says every `BEAT` that it
lives, and whoever has been silent for `SILENCE` by the database's clock is declared dead by any other. On SQLite there
is one, and the lock says that its predecessor is dead; its row only remembers it.
"""

import datetime as dt
from typing import Final

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.dispatch.models import WorkerRow
from newsletter.planning.models import DeliveryRow

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
    alive = update(WorkerRow).where(col(WorkerRow.name) == name, col(WorkerRow.ended).is_(None))
    return changed_rows(session, alive.values(heartbeat=_clock(session, now))) == 1


def end(session: Session, name: str, now: dt.datetime) -> bool:
    """The life of a worker has ended; False where it had been declared dead before."""
    alive = update(WorkerRow).where(col(WorkerRow.name) == name, col(WorkerRow.ended).is_(None))
    return changed_rows(session, alive.values(ended=_clock(session, now))) == 1


def end_all(session: Session, now: dt.datetime) -> None:
    """No worker lives any more: the caller holds the lock of the only one."""
    changed_rows(session, update(WorkerRow).where(col(WorkerRow.ended).is_(None)).values(ended=now))


def end_silent(session: Session) -> int:
    """Declare dead, on PostgreSQL, whoever has been silent for too long; returns how many."""
    silent = update(WorkerRow).where(col(WorkerRow.ended).is_(None), col(WorkerRow.heartbeat) < func.now() - SILENCE)
    return changed_rows(session, silent.values(ended=func.now()))


def of_the_dead() -> ColumnElement[bool]:
    """Deliveries that a worker has which does not live."""
    alive = select(col(WorkerRow.name)).where(col(WorkerRow.ended).is_(None))
    return or_(col(DeliveryRow.worker).is_(None), col(DeliveryRow.worker).not_in(alive))


def _clock(session: Session, now: dt.datetime) -> ColumnElement[dt.datetime] | dt.datetime:
    return func.now() if session.get_bind().dialect.name == "postgresql" else now
