"""
What needs somebody today: issues in the making and on their way, entries that lack a language, what comes back.

Takes the clock; yields values for one page, in a bounded number of short reads, however many subscribers and entries
there are: the newest issues and entries are looked at, and no message is counted twice within `KEPT`.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.assembly.store import items
from newsletter.content import store as content
from newsletter.content.entry import Status
from newsletter.content.matrix import Completeness, MatrixRow, matrix
from newsletter.content.models import EntryRow, NewsletterRow
from newsletter.content.newsletter import Newsletter
from newsletter.database import reading
from newsletter.dispatch.store import is_open
from newsletter.feedback.event import Kind
from newsletter.feedback.models import EventRow
from newsletter.pipeline.heads import Head, head
from newsletter.pipeline.parts import Parts
from newsletter.planning import store as planning
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers.models import Membership, MembershipState

MOST_ISSUES: Final = 12
"""Issues that are not sent: more are an archive of drafts."""

MOST_ENTRIES: Final = 60
"""The newest entries, looked at for missing texts."""

MOST_GAPS: Final = 8
"""Entries with gaps that are named."""

DAYS: Final = 14
"""Of bounces, a bar each."""

KEPT: Final = 30.0
"""Seconds for which the figures of two weeks are good enough."""

COUNTED: Final = 5.0
"""Seconds for which it is good enough how many messages of a run are left."""

_OPEN: Final = (
    IssueState.SENDING,
    IssueState.PAUSED,
    IssueState.QUEUED,
    IssueState.APPROVED,
    IssueState.DRAFT,
    IssueState.CANCELLED,
)
"""States of issues that are on somebody's mind, the most urgent first."""

_UNDONE: Final = frozenset(_OPEN) - {IssueState.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Texts of an issue's entries that are missing or older than their source, by language; `subjects` lack one."""

    missing: Mapping[str, int]
    stale: Mapping[str, int]
    subjects: tuple[str, ...]
    items: int

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to complete."""
        return bool(self.items) and not (self.missing or self.stale or self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """
    An issue that is not sent.

    `due` is when its run starts, `held` why it does not go on; `sent` of `total` messages have ended. `gaps` are those
    of a draft.
    """

    head: Head
    due: dt.datetime | None = None
    held: str = ""
    sent: int = 0
    total: int = 0
    gaps: Gaps | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An entry that lacks texts; `missing` and `stale` are languages."""

    newsletter: str
    key: str
    title: str
    missing: tuple[str, ...]
    stale: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """What came back on one day (UTC)."""

    day: dt.date
    hard: int
    soft: int
    complaints: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.hard + self.soft + self.complaints


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What of the way to a first sent issue is behind; `newsletter` and `issue` are the ones to go on with."""

    newsletter: str | None
    has_people: bool
    has_entries: bool
    issue: str | None
    has_test: bool
    has_sent: bool

    @property
    def are_done(self) -> bool:
        """Whether an issue was sent."""
        return self.has_sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The page."""

    steps: Steps
    issues: tuple[Open, ...]
    gaps: tuple[Gap, ...]
    more_gaps: int
    back: tuple[Back, ...]


class Days:
    """The verb of the page Today."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._back: tuple[float, tuple[Back, ...]] | None = None
        self._left: dict[int, tuple[float, int]] = {}
        self._gaps: dict[int, tuple[object, list[Gap]]] = {}

    def look(self) -> Today:
        """Look at what needs somebody."""
        with reading(self._parts.engine) as session:
            newsletters = dict(content.list_newsletters(session))
            steps = _steps(session, newsletters)
            open_issues = tuple(
                _open(session, row, newsletters[row.newsletter_id], left=self._unsent) for row in _open_rows(session)
            )
            gaps = [gap for known in newsletters.items() for gap in self._entry_gaps(session, *known)]
            back = self._came_back(session)
        return Today(
            steps=steps,
            issues=open_issues,
            gaps=tuple(gaps[:MOST_GAPS]),
            more_gaps=max(0, len(gaps) - MOST_GAPS),
            back=back,
        )

    def _unsent(self, session: Session, run: RunRow) -> int:
        """How many messages of a run have not ended."""
        with self._lock:
            known = self._left.get(run.id or 0)
        if known is None or time.monotonic() - known[0] > COUNTED:
            known = time.monotonic(), _left(session, run)
            with self._lock:
                self._left = {run.id or 0: known}
        return known[1]

    def _entry_gaps(self, session: Session, newsletter_id: int, settings: Newsletter) -> list[Gap]:
        """The entries of a newsletter that lack a text: looked for again when an entry or a setting has changed."""
        mine = col(EntryRow.newsletter_id) == newsletter_id
        latest = session.execute(select(func.max(col(EntryRow.changed)), func.count()).where(mine)).one()
        mark = (tuple(latest), settings)
        with self._lock:
            known = self._gaps.get(newsletter_id)
        if known is None or known[0] != mark:
            known = mark, _entry_gaps(session, newsletter_id, settings)
            with self._lock:
                self._gaps[newsletter_id] = known
        return known[1]

    def _came_back(self, session: Session) -> tuple[Back, ...]:
        with self._lock:
            if self._back is None or time.monotonic() - self._back[0] > KEPT:
                self._back = time.monotonic(), _back(session, self._parts.now())
            return self._back[1]


def _open_rows(session: Session) -> list[IssueRow]:
    """The newest issues that are not sent, the most urgent state first; cancelled ones only while they are new."""
    newest = select(IssueRow).where(col(IssueRow.state).in_(_UNDONE)).order_by(col(IssueRow.date).desc())
    rows = session.scalars(newest.limit(MOST_ISSUES)).all()
    return sorted(rows, key=lambda row: (_OPEN.index(row.state), row.date))


def _open(session: Session, row: IssueRow, settings: Newsletter, *, left: Callable[[Session, RunRow], int]) -> Open:
    this = Open(head=head(row, settings))
    if row.state is IssueState.DRAFT:
        return replace(this, gaps=_gaps(session, row, settings))
    run = planning.latest_run(session, row.id or 0)
    if run is None or row.state is IssueState.APPROVED:
        return this
    sent = run.total - left(session, run) if run.started else 0
    return replace(this, due=run.due_at, held=run.held or "", sent=sent, total=run.total)


def _left(session: Session, run: RunRow) -> int:
    """How many messages of a run have not ended, by the index of the open ones."""
    mine = is_open(col(DeliveryRow.run_id) == run.id, col(DeliveryRow.state) != DeliveryState.UNCERTAIN)
    return session.scalar(select(func.count()).select_from(DeliveryRow).where(mine)) or 0


def _gaps(session: Session, row: IssueRow, settings: Newsletter) -> Gaps:
    keys = {item.key for item in items(session, row.id or 0)}
    entries = list(content.entries(session, row.newsletter_id, keys=keys)) if keys else []
    rows = matrix(entries, settings.languages, default=settings.default_language, fallback=settings.fallback)
    texts = row.plan.get("texts", {})
    return Gaps(
        missing=_counted(rows, {Completeness.MISSING, Completeness.FALLBACK}),
        stale=_counted(rows, {Completeness.STALE}),
        subjects=tuple(tag for tag in settings.languages if not texts.get(tag, {}).get("subject")),
        items=len(keys),
    )


def _counted(rows: Sequence[MatrixRow], states: set[Completeness]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        for cell in row.cells:
            if cell.state in states:
                found[cell.language] = found.get(cell.language, 0) + 1
    return found


def _entry_gaps(session: Session, newsletter_id: int, settings: Newsletter) -> list[Gap]:
    """Which of the newest entries lack a text."""
    newest = (
        select(col(EntryRow.key))
        .where(col(EntryRow.newsletter_id) == newsletter_id, col(EntryRow.status) != Status.WITHDRAWN)
        .order_by(col(EntryRow.published).desc(), col(EntryRow.id).desc())
        .limit(MOST_ENTRIES)
    )
    keys = session.scalars(newest).all()
    entries = list(content.entries(session, newsletter_id, keys=keys)) if keys else []
    rows = matrix(entries, settings.languages, default=settings.default_language, fallback=settings.fallback)
    return [gap for row in rows if (gap := _gap(row, settings.slug)).missing or gap.stale]


def _gap(row: MatrixRow, newsletter: str) -> Gap:
    def of(*states: Completeness) -> tuple[str, ...]:
        return tuple(cell.language for cell in row.cells if cell.state in states)

    return Gap(
        newsletter=newsletter,
        key=row.key,
        title=row.title,
        missing=of(Completeness.MISSING, Completeness.FALLBACK),
        stale=of(Completeness.STALE),
    )


def _back(session: Session, now: dt.datetime) -> tuple[Back, ...]:
    """What came back, day by day, the oldest first; one read of the index by time."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - dt.timedelta(days=ahead) for ahead in reversed(range(DAYS))]
    received = col(EventRow.received)
    ended = case(*((received < day + dt.timedelta(days=1), number) for number, day in enumerate(days)), else_=DAYS)
    kinds = (Kind.HARD, Kind.SOFT, Kind.COMPLAINT)
    counted = session.execute(
        select(ended, col(EventRow.kind), func.count())
        .where(received >= days[0], col(EventRow.kind).in_(kinds))
        .group_by(ended, col(EventRow.kind))
    )
    found = {(number, kind): count for number, kind, count in counted}
    return tuple(
        Back(
            day=day.date(),
            hard=found.get((number, Kind.HARD), 0),
            soft=found.get((number, Kind.SOFT), 0),
            complaints=found.get((number, Kind.COMPLAINT), 0),
        )
        for number, day in enumerate(days)
    )


def _steps(session: Session, newsletters: Mapping[int, Newsletter]) -> Steps:
    slugs = [settings.slug for settings in newsletters.values()]
    confirmed = select(col(Membership.subscriber_id)).where(col(Membership.state) == MembershipState.CONFIRMED)
    newest = select(col(IssueRow.slug), col(NewsletterRow.slug)).join(NewsletterRow).order_by(col(IssueRow.id).desc())
    issue = session.execute(newest.limit(1)).first()
    tests, finished = col(DeliveryRow.mailing), col(RunRow.state) == RunState.FINISHED
    return Steps(
        newsletter=issue[1] if issue else next(iter(slugs), None),
        has_people=session.scalar(confirmed.limit(1)) is not None,
        has_entries=session.scalar(select(col(EntryRow.id)).limit(1)) is not None,
        issue=issue[0] if issue else None,
        has_test=session.scalar(select(tests).where(tests >= "test:", tests < "test;").limit(1)) is not None,
        has_sent=session.scalar(select(col(RunRow.id)).where(finished).limit(1)) is not None,
    )
