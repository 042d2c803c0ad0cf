"""
Whom an issue would reach if it went to a segment now: counts for the checks and for officers.

Takes a session, an issue's facts and the name of a segment; yields an `Expected`. It is an estimate: the audience is
frozen when a run starts.
"""

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly.facts import IssueFacts
from newsletter.pipeline.meaning import condition_of_text
from newsletter.planning.audience import Share, shares
from newsletter.planning.counts import addresses_for_tests, last_audience
from newsletter.planning.store import suppressed_in
from newsletter.preflight.audience import AudienceCounts
from subscribers.store import audience_languages, get_segment

COUNTED_FOR: Final = dt.timedelta(seconds=60)
"""How long a count of an audience is good enough to look at."""

MOST_COUNTS: Final = 200
"""Counts that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The counts that checks judge, and how the audience falls on the editions, largest share first."""

    counts: AudienceCounts
    shares: tuple[Share, ...]

    @property
    def total(self) -> int:
        """How many may be written to."""
        return sum(self.counts.people.values())

    @property
    def by_language(self) -> Mapping[str, int]:
        """People by the language of their edition, the largest first."""
        return dict(sorted(self.counts.people.items(), key=lambda pair: (-pair[1], pair[0])))


Name = tuple[str, str, str]
"""What is counted: newsletter, issue, segment."""


class Counts:
    """
    Counts of audiences, made one at a time beside the requests that ask for them, and good for a minute.

    Who asks for a new one waits a moment; a large audience takes longer, and is asked for again.
    """

    def __init__(self) -> None:
        self._done: OrderedDict[Name, tuple[dt.datetime, Expected]] = OrderedDict()
        self._open: dict[Name, Future[Expected]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="counts")

    def get(self, name: Name, count: Callable[[], Expected], *, now: dt.datetime, patience: float) -> Expected | None:
        """The count, None where it takes longer than `patience` in seconds; raises what `count` raises."""
        with self._lock:
            known = self._done.get(name)
            if known and dt.timedelta() <= now - known[0] <= COUNTED_FOR:
                return known[1]
            running = self._open.get(name) or self._open.setdefault(name, self._pool.submit(count))
        try:
            found = running.result(timeout=patience)
        except TimeoutError:
            return None
        except Exception:
            self._end(name)
            raise
        self._end(name)
        with self._lock:
            self._done[name] = (now, found)
            while len(self._done) > MOST_COUNTS:
                self._done.popitem(last=False)
        return found

    def _end(self, name: Name) -> None:
        with self._lock:
            self._open.pop(name, None)


def counted(session: Session, facts: IssueFacts, segment: str, *, now: dt.datetime) -> Expected:
    """Count an audience. Raises UnknownSegment."""
    condition = condition_of_text(session, get_segment(session, segment).expression, now=now)
    settings = facts.settings
    wanted = audience_languages(session, condition, newsletter=settings.slug)
    parted = shares(wanted, offered=settings.languages, default=settings.default_language)
    people: dict[str, int] = {}
    for share in parted:
        people[share.language] = people.get(share.language, 0) + share.people
    counts = AudienceCounts(
        segment=segment,
        people=people,
        suppressed=suppressed_in(session, condition),
        previous=last_audience(session, facts.id),
        test_addresses=addresses_for_tests(session, condition, newsletter=settings.slug),
    )
    return Expected(counts=counts, shares=parted)
