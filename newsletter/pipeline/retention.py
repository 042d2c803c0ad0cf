"""
Retention: ends what has lasted for its term, once a day, and writes down what it ended.

Takes the rules of `terms` and their terms from the settings; yields how much each rule ended. Works in pieces, each a
transaction of its own that is kept short, so that a run under way does not wait for it; killed at any moment, the next
run goes on. The log is committed with what it counts.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlmodel import Session

from newsletter.database import reading
from newsletter.logs import logger
from newsletter.pipeline.erasure import Erasure
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.terms import RULES, Piece, Place, Rule, Span
from newsletter.pipeline.upload_files import kept_files
from newsletter.planning.log import RetentionRow, add_entry, newest_entries

FIRST_SIZE: Final = 25
"""Rows of the first piece; how long it took says how large the next one may be."""

LARGEST: Final = 5_000

SHORT, LONG = 0.05, 0.1
"""Seconds: a piece that took less than the first is followed by a larger one, one that took more than the other by a
smaller one."""

SHARE: Final = 0.25
"""Seconds of each of the scheduler's ticks that retention may take, with the piece that it has begun."""

ABANDONED: Final = dt.timedelta(hours=6)
"""After this time a run that has not ended is taken for dead, and begun again."""

_ADVISORY: Final = 0x6B65_6570
"""The key of PostgreSQL's advisory lock: the letters `keep`. SQLite lets one write at a time anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a rule ended, or would end; `before` is the instant its term reaches back to."""

    rule: str
    words: str
    before: dt.datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log; `ended` is None where the run was broken off."""

    at: dt.datetime
    rule: str
    before: dt.datetime
    count: int
    operator: str
    ended: dt.datetime | None


class Retention:
    """The verbs of retention."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("retention")
        self._going: Iterator[Ended] | None = None
        self._next = dt.datetime.min.replace(tzinfo=dt.UTC)

    def preview(self) -> list[Ended]:
        """What a run would end now; a person whom one rule ends may be counted by another as well. Stores nothing."""
        now = self._parts.now()
        with reading(self._parts.engine) as session:
            return [_ended(rule, span, rule.count(session, span)) for rule, span in self._spans(now)]

    def run(self, *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> list[Ended]:
        """End what has lasted for its term, to the end of all rules; returns what each came to."""
        told: dict[str, Ended] = {}
        for step in self._steps(self._parts.now()):
            told[step.rule] = step
            progress(sum(each.count for each in told.values()), 0)
        return list(told.values())

    def tick(self, now: dt.datetime | None = None) -> None:
        """Go on with today's run for a moment, if it is due and not over; for a scheduler that calls every second."""
        now = now or self._parts.now()
        if self._going is None:
            if not self._is_due(now):
                return
            self._going = self._steps(now)
        until = time.monotonic() + SHARE
        for _ in self._going:
            if time.monotonic() >= until:
                return
        self._going = None

    def log(self, *, limit: int) -> list[Entry]:
        """The lines of the last runs, newest first."""
        with reading(self._parts.engine) as session:
            return [
                Entry(
                    at=row.at,
                    rule=row.rule,
                    before=row.before,
                    count=row.count,
                    operator=row.operator,
                    ended=row.ended,
                )
                for row in newest_entries(session, limit)
            ]

    def _spans(self, now: dt.datetime) -> Iterator[tuple[Rule, Span]]:
        terms = self._parts.settings.retention
        for rule in RULES:
            yield rule, Span(before=now - dt.timedelta(days=rule.days(terms)), now=now)

    def _is_due(self, now: dt.datetime) -> bool:
        if now < self._next:
            return False
        today = now.replace(hour=self._parts.settings.retention.hour, minute=0, second=0, microsecond=0)
        since = today if now >= today else today - dt.timedelta(days=1)
        newest = next(iter(self.log(limit=1)), None)
        if newest is None or newest.at < since:
            return True
        if newest.rule == RULES[-1].name and newest.ended is not None:
            self._next = since + dt.timedelta(days=1)
            return False
        # Somebody is about it, or was and has died.
        return now - newest.at >= ABANDONED

    def _steps(self, now: dt.datetime) -> Iterator[Ended]:
        """Apply every rule; yields after each piece what its rule has come to so far."""
        forgot = 0
        kept_files(self._parts).sweep()
        for rule, span in self._spans(now):
            count = 0
            for ended in self._apply(rule, span):
                count = ended.count
                yield ended
            forgot += count
            if count:
                self._log.info("term over", rule=rule.name, count=count)
        # On SQLite an erasure may have had to leave traces for somebody who was reading.
        if forgot or self._parts.engine.dialect.name == "sqlite":
            Erasure(self._parts).leave_no_trace()

    def _apply(self, rule: Rule, span: Span) -> Iterator[Ended]:
        row = self._begin(rule, span)
        size, piece = FIRST_SIZE, Piece(0, None)
        total, first = 0, True
        while first or piece.place is not None:
            began = time.monotonic()
            piece = self._piece(rule, span, row, place=None if first else piece.place, size=size)
            size, total, first = next_size(size, time.monotonic() - began), total + piece.done, False
            yield _ended(rule, span, total)
        self._change(row, ended=self._parts.now())

    def _begin(self, rule: Rule, span: Span) -> RetentionRow:
        with self._parts.sessions() as session:
            row = add_entry(
                session,
                RetentionRow(at=span.now, rule=rule.name, before=span.before, operator=self._parts.operator),
            )
            session.commit()
        return row

    def _piece(self, rule: Rule, span: Span, row: RetentionRow, *, place: Place, size: int) -> Piece:
        with self._parts.sessions() as session:
            _be_alone(session)
            piece = rule.step(session, span, place, size)
            if piece.done:
                stored = session.get_one(RetentionRow, row.id)
                stored.count += piece.done
            session.commit()
        return piece

    def _change(self, row: RetentionRow, *, ended: dt.datetime) -> None:
        with self._parts.sessions() as session:
            session.get_one(RetentionRow, row.id).ended = ended
            session.commit()


def next_size(size: int, seconds: float) -> int:
    """Return how many rows the next piece has, after one of `size` took so long."""
    if seconds < SHORT:
        return min(size * 2, LARGEST)
    return max(1, size // 2) if seconds > LONG else size


def _ended(rule: Rule, span: Span, count: int) -> Ended:
    return Ended(rule=rule.name, words=rule.words, before=span.before, count=count)


def _be_alone(session: Session) -> None:
    """Have two runs at the same time take turns, piece by piece."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ADVISORY)))
