"""
Seals: each attempt is chained to the one before it, so that none can be altered or removed without a trace.

Takes an attempt and the seal of the delivery's previous attempt, yields 32 bytes: SHA-256 over both. The delivery holds
the newest seal, so that the last attempt cannot go missing either. There is no key in it: who can rewrite the whole
chain of a delivery can forge it; what it finds is the repair by hand, the lost row, the half restored backup. Pure.
"""

import datetime as dt
import hashlib
from functools import lru_cache
from typing import NamedTuple


class Tried(NamedTuple):
    """An attempt as it is sealed; the values are those of the table's columns, the instants in UTC."""

    delivery_id: int
    number: int
    epoch: int
    worker: str
    relay: str
    verdict: str
    fault: str | None
    phase: int
    code: int | None
    enhanced: str | None
    text: str
    began: dt.datetime | None
    at: dt.datetime


def seal(previous: bytes | None, tried: Tried) -> bytes:
    """Seal an attempt; `previous` is None for the first one, and after one from before there were seals."""
    delivery_id, number, epoch, worker, relay, verdict, fault, phase, code, enhanced, text, began, at = tried
    # The text stands last: it alone may hold a line break, so no two attempts read alike.
    words = (
        f"{delivery_id}\n{number}\n{epoch}\n{worker}\n{relay}\n{verdict}\n{fault}\n{phase}\n{code}\n{enhanced}\n"
        f"{_stamp(began)}\n{_stamp(at)}\n{text}"
    )
    return hashlib.sha256((previous or b"") + words.encode()).digest()


@lru_cache(maxsize=1024)
def _stamp(instant: dt.datetime | None) -> str:
    # To the microsecond, as both databases keep it; a float holds that until the year 2255.
    return f"{instant.timestamp():.6f}" if instant else ""
