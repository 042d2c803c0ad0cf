"""
How the whole installation stands, in figures: for a monitoring that asks every few seconds.

Takes the database; yields frozen `Vitals`. Promises no name of a person, a cost that does not grow with what has been
sent, and an answer in any case: within `LONGEST` seconds, from what was read last where somebody has just asked, and
with `answers` false where the database says nothing.
"""

import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from newsletter.accounts.alerts import AlertKind, open_alerts
from newsletter.database import reading_within
from newsletter.dispatch import gauges, totals
from newsletter.dispatch.gauges import Hands
from newsletter.dispatch.totals import Total
from newsletter.errors import NewsletterError
from newsletter.logs import logger
from newsletter.pipeline.election import leader_by
from newsletter.pipeline.mailings import mailing_named
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import DeliveryState, RunState
from subscribers import store as people

LONGEST: Final = 2.0
"""Seconds that the questions may take."""

FRESH: Final = 2.0
"""Seconds for which what was read is told again: several may ask at once."""

SHARE: Final = 30
"""Deliveries are counted anew after so many times what the last count took: half a second each quarter of a minute."""

SLOWEST: Final = 60.0
"""Seconds after which a count is given up."""


_NOBODY: Final = Hands(0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A run that goes out or is paused: whose it is, and how many of its deliveries stand in each open state."""

    newsletter: str
    issue: str
    states: Mapping[DeliveryState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """
    The installation at one moment.

    `seconds` is what the simplest question to the database took, `reading` what all of this did. `start_lag` and
    `retry_lag` say for how many seconds the oldest run and the oldest retry are overdue, `quiet` how many seconds ago
    an attempt was recorded last. `leader` is the scheduler that acts, "" where none does. `jobs` is None where there is
    no queue, `free` (octets) where the disk is not ours. `silent_relays` are those that a dispatcher leaves alone,
    `alerts` how many matters of each kind are open.
    """

    answers: bool
    seconds: float = 0.0
    reading: float = 0.0
    runs: Mapping[RunState, int] = field(default_factory=dict)
    going: tuple[Going, ...] = ()
    singles: Mapping[DeliveryState, int] = field(default_factory=dict)
    attempts: tuple[Total, ...] = ()
    start_lag: float = 0.0
    retry_lag: float = 0.0
    quiet: float | None = None
    hands: Hands = _NOBODY
    leader: str = ""
    jobs: Mapping[str, int] | None = None
    imports: int = 0
    alerts: Mapping[AlertKind, int] = field(default_factory=dict)
    silent_relays: tuple[str, ...] = ()
    mailbox_failing: float = 0.0
    free: int | None = None


class _Census:
    """
    How many deliveries of the runs under way stand in each open state: the one question that grows with a run.

    Counted anew in the background, no more than a thirtieth of the time and after everything else has been read, so
    that nothing waits for it; who asks gets the last count, and waits only where there is none of these very runs.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counting = threading.Lock()
        self._latest: _Counted | None = None

    def states(self, session: Session, runs: Mapping[int, str]) -> Mapping[int, Mapping[DeliveryState, int]]:
        """The states by run; whoever asks is the only one who does."""
        known = self._latest
        if known is None or known.states.keys() != runs.keys():
            known = self._latest = _count(session, runs)
        return known.states

    def refresh(self) -> None:
        """Begin to count anew where that is due."""
        known = self._latest
        if known is not None and time.monotonic() >= known.due and self._counting.acquire(blocking=False):
            threading.Thread(target=self._again, args=(known.runs,), name="census", daemon=True).start()

    def _again(self, runs: Mapping[int, str]) -> None:
        try:
            with reading_within(self._engine, SLOWEST) as session:
                self._latest = _count(session, runs)
        except (SQLAlchemyError, NewsletterError):
            logger("metrics").warning("deliveries not counted: the last count stands")
        finally:
            self._counting.release()


class _Counted(NamedTuple):
    runs: Mapping[int, str]
    states: Mapping[int, Mapping[DeliveryState, int]]
    due: float


def _count(session: Session, runs: Mapping[int, str]) -> _Counted:
    began = time.monotonic()
    states = gauges.open_by_run(session, runs)
    ended = time.monotonic()
    return _Counted(runs, states, ended + max(FRESH, SHARE * (ended - began)))


class Watch:
    """The verbs that read them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._census = _Census(parts.engine)
        self._latest: tuple[float, Vitals] | None = None

    def keep_totals(self) -> int:
        """Keep the totals of attempts, for the scheduler; returns how many were added."""
        return totals.keep(self._parts.sessions, self._parts.now())

    def read(self) -> Vitals:
        """Read them all, or tell again what was read just now; raises nothing for a database that is away."""
        with self._lock:
            if self._latest is None or time.monotonic() - self._latest[0] > FRESH:
                vitals = self._read()
                self._latest = (time.monotonic(), vitals)
                if vitals.answers:
                    self._census.refresh()
            return self._latest[1]

    def _read(self) -> Vitals:
        began = time.perf_counter()
        try:
            with reading_within(self._parts.engine, LONGEST) as session:
                asked = time.perf_counter()
                session.execute(text("SELECT 1"))
                seconds = time.perf_counter() - asked
                return self._found(session, seconds=seconds, began=began)
        except (SQLAlchemyError, NewsletterError):
            return Vitals(answers=False, free=free_space(self._parts.engine))

    def _found(self, session: Session, *, seconds: float, began: float) -> Vitals:
        now = self._parts.now()
        runs, leading = gauges.runs_under_way(session), leader_by(session)
        states = self._census.states(session, runs)
        matters = open_alerts(session)
        kinds = [matter.kind for matter in matters]
        failing = [matter.since for matter in matters if matter.kind is AlertKind.MAILBOX]
        return Vitals(
            answers=True,
            seconds=seconds,
            runs=gauges.runs_by_state(session),
            going=tuple(_going(mailing, states[run]) for run, mailing in runs.items()),
            singles=gauges.open_singles(session),
            attempts=tuple(totals.totals(session)),
            start_lag=gauges.latest_start(session, now),
            retry_lag=gauges.oldest_due(session, now),
            quiet=gauges.newest_attempt_age(session, now),
            hands=gauges.hands(session, now),
            leader=leading.name if leading else "",
            jobs=gauges.jobs_by_state(session),
            imports=people.uploads_under_way(session),
            alerts={kind: kinds.count(kind) for kind in AlertKind},
            silent_relays=tuple(sorted(each.matter for each in matters if each.kind is AlertKind.RELAY)),
            mailbox_failing=max(((now - since).total_seconds() for since in failing), default=0.0),
            free=free_space(self._parts.engine),
            reading=time.perf_counter() - began,
        )


def free_space(engine: Engine) -> int | None:
    """Octets that are free beside a SQLite file; None where the database lies elsewhere."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return None
    folder = Path(file).resolve().parent
    return shutil.disk_usage(folder).free if folder.exists() else None


def _going(mailing: str, states: Mapping[DeliveryState, int]) -> Going:
    newsletter, issue = mailing_named(mailing)
    return Going(newsletter=newsletter, issue=issue, states=states)
