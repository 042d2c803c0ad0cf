"""
Limits against guessing passwords and codes.

Takes a session and the name under which is counted; yields how long the next attempt has to wait. The counts are rows
(`subscribers.models.Tally`) that hold over processes and restarts. After a few wrong attempts each has to wait twice as
long as the one before; after ten, nobody gets in under that name for a quarter of an hour (NIST SP 800-63B §5.2.2 asks
for less than a hundred in a row). Promises that an attempt is counted before it is looked at, so that many at once gain
nothing.
"""

import datetime as dt
from typing import Final

from sqlalchemy import func, select
from sqlmodel import Session

from subscribers import store

WINDOW: Final = dt.timedelta(minutes=15)
"""How long a wrong attempt counts, and how long nobody gets in after too many."""

FREE: Final = 3
"""Attempts without a wait: whoever mistypes."""

MOST: Final = 10
"""Attempts under one name before it is locked."""

MOST_OF_NETWORK: Final = 50
"""Wrong attempts from one network, under whatever names: an office behind one address has many people."""

_LOCK: Final = 7_316_204
"""PostgreSQL's advisory lock of those who count; no other part of the program takes it."""


def begin(session: Session) -> None:
    """Have others who count wait until this transaction ends; SQLite has one writer in any case."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def wait_of(session: Session, key: str, *, now: dt.datetime) -> int:
    """Seconds until the next attempt under a name may be made; 0: now."""
    times = store.tallied(session, key, since=now - WINDOW)
    if len(times) < FREE:
        return 0
    pause = WINDOW if len(times) >= MOST else dt.timedelta(seconds=2 ** (len(times) - FREE))
    return _seconds(times[-1] + pause - now)


def wait_of_network(session: Session, key: str, *, now: dt.datetime) -> int:
    """Seconds until the next attempt from a network may be made; 0: now."""
    times = store.tallied(session, key, since=now - WINDOW)
    return _seconds(times[-MOST_OF_NETWORK] + WINDOW - now) if len(times) >= MOST_OF_NETWORK else 0


def count(session: Session, key: str, *, now: dt.datetime) -> bool:
    """Count one attempt; True where it is the one that locks the name."""
    store.add_tallies(session, [key], now=now)
    return store.count_tallied(session, key, since=now - WINDOW) == MOST


def forgive(session: Session, key: str) -> None:
    """Count anew: the last attempt was right."""
    store.forget_tallies(session, key)


def _seconds(left: dt.timedelta) -> int:
    return max(0, -int(-left.total_seconds() // 1))
