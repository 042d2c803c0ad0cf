"""
Warming up: so many messages a day over a relay whose address mailbox providers do not know yet, more every day.

Days are those of UTC, since attempts are stored so and relays stand anywhere. Counts what the relay took, and what it
may have taken. The count of a day that began before this process is handed in; from then on it is kept here, for the
one dispatcher that there is on SQLite (`leased_warm_up` is for several). The clock is handed in, and nothing else.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from newsletter.dispatch.outcome import Outcome, Verdict
from newsletter.dispatch.pace import Unlimited

TAKEN: Final = frozenset({Verdict.ACCEPTED, Verdict.UNCERTAIN})
"""Outcomes of messages that count: the relay has them, or may have."""


class WarmUp(Unlimited):
    """
    At most `quotas[n]` messages on the nth day from `start`, and any number once the list has come to its end.

    Before `start` the first number holds: a relay that is not known yet is not known earlier either. `sent` is how many
    went out today before, `clock` gives the instant in UTC.
    """

    def __init__(self, quotas: Sequence[int], *, start: dt.date, sent: int, clock: Callable[[], dt.datetime]) -> None:
        self._quotas = tuple(quotas)
        self._start = start
        self._clock = clock
        self._day = clock().date()
        self._used = sent

    def rests(self, *, now: float) -> float:  # noqa: ARG002  the port's: a day is one of the calendar
        """Until midnight once the quota is used up."""
        at = self._clock()
        if at.date() != self._day:
            self._day, self._used = at.date(), 0
        quota = quota_of(self._day, quotas=self._quotas, start=self._start)
        return 0.0 if quota is None or self._used < quota else (midnight_after(at) - at).total_seconds()

    def take(self, _recipient: str, *, now: float) -> float:
        """Count one; where there is none left to take it waits for midnight and counts for that day."""
        wait = self.rests(now=now)
        if not wait:
            self._used += 1
        return wait

    def forgo(self, recipient: str, *, now: float) -> None:  # noqa: ARG002  the port's
        """Count one less."""
        self._used = max(0, self._used - 1)

    def tell(self, outcome: Outcome, *, recipient: str | None, now: float) -> None:
        """Count one less where the relay has certainly not taken it."""
        if recipient is not None and outcome.verdict not in TAKEN:
            self.forgo(recipient, now=now)


def quota_of(day: dt.date, *, quotas: Sequence[int], start: dt.date) -> int | None:
    """The number of a day, None once the list has come to its end."""
    place = max(0, (day - start).days)
    return quotas[place] if place < len(quotas) else None


def midnight_before(instant: dt.datetime) -> dt.datetime:
    """The beginning of an instant's day, in UTC."""
    return instant.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def midnight_after(instant: dt.datetime) -> dt.datetime:
    """The end of an instant's day, in UTC."""
    return midnight_before(instant) + dt.timedelta(days=1)
