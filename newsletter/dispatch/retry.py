"""
Should a delivery be tried again? And when?

Takes when a delivery was first tried and what it came to, yields a `Retry` or None. The wait grows with the age of the
delivery, as Postfix has it (qmgr_active.c: next = age, within bounds), so that retries spread by themselves; a little
jitter keeps a whole run from coming back in one second. Pure: the time and the jitter are handed in.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

LONGEST_WAIT: Final = dt.timedelta(seconds=4000)
"""Postfix's maximal_backoff_time."""

SPREAD: Final = 0.25
"""A wait varies by this part of itself, either way."""

GREYLISTED: Final = 1.6
"""
How many times as long the first wait is after greylisting: of five minutes, six to ten with the spread. Postgrey opens
after 300 seconds, and an attempt before that is wasted.
"""


@dataclass(frozen=True, slots=True)
class Retry:
    """The next attempt."""

    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait at first, and for how long to try at all; both in seconds."""

    first: float
    expiry: float


def next_attempt(
    backoff: Backoff, *, since: dt.datetime, now: dt.datetime, jitter: float, is_greylisted: bool = False
) -> Retry | None:
    """
    Decide after a 4xx reply: `since` is when the run started, `jitter` a number from 0 to 1 that is the delivery's own.

    Returns None where the next attempt would come after the expiry: the delivery has expired.
    """
    age = now - since
    first = dt.timedelta(seconds=backoff.first * (GREYLISTED if is_greylisted else 1))
    wait = min(max(age, first), max(LONGEST_WAIT, first))
    at = now + wait * (1 - SPREAD + 2 * SPREAD * jitter)
    if at - since > dt.timedelta(seconds=backoff.expiry):
        return None
    return Retry(at)
