"""
What became of an issue, in figures: the verbs of reports.

Takes issues whose runs have begun; yields what was counted of them. Once the last run of an issue has ended its figures
are stored, by whoever asks first or by the scheduler, so that no page counts two hundred thousand deliveries; what
comes back afterwards is counted anew each time, for it is little.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.newsletter import Tracking
from newsletter.content.store import get_newsletter
from newsletter.database import reading
from newsletter.dispatch import reports, tallies
from newsletter.dispatch.audit import Check
from newsletter.dispatch.figures import Cause, Figures
from newsletter.dispatch.outcome import Verdict
from newsletter.dispatch.reports import ReportRow
from newsletter.feedback.event import Kind
from newsletter.feedback.store import kinds_of_mailings
from newsletter.logs import logger
from newsletter.pipeline.engagement import Engagement
from newsletter.pipeline.engagement import Figures as Engaged
from newsletter.pipeline.mailings import mailing_named, mailing_of
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.proof import Proof
from newsletter.pipeline.recent import Recent
from newsletter.planning import store
from newsletter.planning.models import DeliveryState, RunRow

KEPT_SECONDS: Final = 30.0
"""How long what was clicked is believed."""

OPEN_SECONDS: Final = 120.0
"""How long the figures of a run that goes on are believed; its own page tells how it stands this second."""

FINE: Final = dt.timedelta(minutes=10)
"""Runs up to this long are told second by second."""

COMPARED: Final = 6
"""Issues in a comparison, this one included."""

_IN_STATE: Final = {
    Verdict.ACCEPTED: DeliveryState.ACCEPTED,
    Verdict.REFUSED: DeliveryState.REFUSED,
    Verdict.DEFERRED: DeliveryState.DEFERRED,
    Verdict.UNCERTAIN: DeliveryState.UNCERTAIN,
}
"""Where a delivery stands after an attempt that came to this verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    An issue in a list of reports.

    `figures` is None while nobody has counted them: then only `total`, of its newest run, is known. `back` is what came
    back, by kind, each delivery once.
    """

    slug: str
    number: int | None
    date: dt.date
    state: IssueState
    segment: str
    started: dt.datetime | None
    ended: dt.datetime | None
    total: int
    figures: Figures | None
    back: Mapping[Kind, int]

    @property
    def accepted(self) -> int:
        """Messages that relays took."""
        return self.figures.count(DeliveryState.ACCEPTED) if self.figures else 0

    def share(self, number: int) -> float | None:
        """A number as a share of the messages that relays took; None where they took none."""
        return number / self.accepted if self.accepted else None

    @property
    def bounced(self) -> int:
        """Messages that came back, and those that were refused for their address at once."""
        refused = self.figures.count(DeliveryState.REFUSED) if self.figures else 0
        return max(refused, self.back.get(Kind.HARD, 0)) + self.back.get(Kind.SOFT, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    All that is known of an issue's dispatch.

    `line` is its own, `earlier` are those of the issues before it, the latest first. `is_final` says that nothing more
    goes out. `engaged` is None where the newsletter counts nothing. `proof` is what the audit found at `proved`; None
    where nobody has looked since.
    """

    newsletter: str
    line: Line
    earlier: tuple[Line, ...]
    figures: Figures
    runs: tuple[RunRow, ...]
    is_final: bool
    made: dt.datetime
    engaged: Engaged | None
    proof: tuple[Check, ...] | None
    proved: dt.datetime | None


class Reporting:
    """The verbs of reports."""

    def __init__(self, parts: Parts, *, engagement: Engagement, proof: Proof) -> None:
        self._parts = parts
        self._engagement = engagement
        self._proof = proof
        self._open: Recent[tuple[Figures, dt.datetime]] = Recent(OPEN_SECONDS)
        self._engaged: Recent[Engaged] = Recent(KEPT_SECONDS)
        self._log = logger("reports")

    def report(self, slug: str, *, newsletter: str) -> Report | None:
        """The report of an issue; None where no run of it has started. Raises NotFound."""
        with reading(self._parts.engine) as session:
            issue = issues.get_issue(session, slug, newsletter)
            runs = tuple(run for run in store.runs_of(session, issue.id or 0) if run.started is not None)
            if not runs:
                return None
            known = reports.report_of(session, runs[-1].mailing)
            session.expunge_all()
        row = self._current(known, runs)
        with reading(self._parts.engine) as session:
            lines = self._lines(session, newsletter, _from(session, issue, COMPARED))
        figures = Figures.model_validate(row.figures)
        own = next(line for line in lines if line.slug == slug)
        return Report(
            newsletter=newsletter,
            line=own if own.figures else _with(own, figures),
            earlier=tuple(line for line in lines if line.slug != slug),
            figures=figures,
            runs=runs,
            is_final=all(run.state in reports.OVER for run in runs),
            made=row.made,
            engaged=self._counted(slug, newsletter),
            proof=tuple(Check(**each) for each in row.proof) if row.proof is not None else None,
            proved=row.proved,
        )

    def _current(self, known: ReportRow | None, runs: Sequence[RunRow]) -> ReportRow:
        """The stored report, or one that is counted now; stored where nothing more goes out."""
        last = runs[-1]
        if known is not None and known.run_id == last.id:
            return known
        is_over = all(run.state in reports.OVER for run in runs)
        if is_over:
            return self._make(last)
        figures, made = self._open.get(last.mailing, lambda: (self._count(last), self._parts.now()))
        return ReportRow(
            mailing=last.mailing,
            run_id=last.id or 0,
            made=made,
            figures=figures.model_dump(mode="json"),
            proof=None,
            proved=None,
        )

    def _make(self, run: RunRow, proof: Sequence[Check] | None = None) -> ReportRow:
        """Count a run that has ended, and store that unless something is on the wire still."""
        figures, now = self._count(run), self._parts.now()
        row = ReportRow(
            mailing=run.mailing,
            run_id=run.id or 0,
            made=now,
            figures=figures.model_dump(mode="json"),
            proof=None if proof is None else [_plain(check) for check in proof],
            proved=None if proof is None else now,
        )
        if figures.count(DeliveryState.SENDING, DeliveryState.CLAIMED):
            return row
        try:
            with self._parts.sessions() as session:
                reports.put_report(session, ReportRow(**row.model_dump()))
                session.commit()
        except DBAPIError as error:  # somebody else has stored the same, or the database is busy: it is counted again
            self._log.warning("report not stored", run=run.id, reason=type(error).__name__)
        return row

    def _count(self, run: RunRow) -> Figures:
        mailing = run.mailing
        with reading(self._parts.engine) as session:
            runs = [each for each in store.runs_of(session, run.issue_id) if each.started is not None]
            first = min(each.started for each in runs if each.started is not None)
            last = run.ended or self._parts.now()
            fine = last - first <= FINE
            return Figures.of(
                languages=tallies.states_by_language(session, mailing),
                domains=tallies.states_by_domain(session, mailing),
                relays=list(_by_relay(session, runs)),
                causes=[Cause(**reason._asdict()) for reason in tallies.reasons(session, mailing)],
                taken=tallies.accepted_over_time(session, mailing, fine=fine),
                step=1 if fine else 60,
            )

    def prove(self, slug: str, *, newsletter: str) -> tuple[Check, ...]:
        """Check the invariants of an issue's dispatch now, and keep what was found beside its figures."""
        checks = tuple(self._proof.audit(slug, newsletter=newsletter))
        with reading(self._parts.engine) as session:
            issue = issues.get_issue(session, slug, newsletter)
            run = store.latest_run(session, issue.id or 0)
            session.expunge_all()
        if run is not None and run.started is not None and run.state in reports.OVER:
            self._make(run, checks)
        return checks

    def keep_up(self) -> int:
        """Count and prove the runs that have ended since, one after another, for the scheduler; returns how many."""
        with reading(self._parts.engine) as session:
            left = reports.unreported(session, limit=10)
            session.expunge_all()
        for run in left:
            owner, slug = mailing_named(run.mailing)
            self.prove(slug, newsletter=owner)
        return len(left)

    def lines(self, newsletter: str, *, limit: int, before: tuple[dt.date, str] | None = None) -> list[Line]:
        """The issues of a newsletter that have been sent or are, latest first; `before` is date and slug of one."""
        with reading(self._parts.engine) as session:
            owner, _ = get_newsletter(session, newsletter)
            found = reports.sent_issues(session, owner, limit=limit, before=before)
            return self._lines(session, newsletter, found)

    def _lines(self, session: Session, newsletter: str, rows: Sequence[IssueRow]) -> list[Line]:
        newest = reports.newest_runs(session, [row.id or 0 for row in rows])
        mailings = {row.slug: mailing_of(newsletter, row.slug) for row in rows}
        stored = reports.reports_of(session, mailings.values())
        back = kinds_of_mailings(session, mailings.values())
        return [
            _line(row, newest[row.id or 0], stored.get(mailings[row.slug]), back.get(mailings[row.slug], {}))
            for row in rows
            if row.id in newest
        ]

    def _counted(self, slug: str, newsletter: str) -> Engaged | None:
        found = self._engaged.get((newsletter, slug), lambda: self._engagement.figures(slug, newsletter=newsletter))
        return None if found.tracking is Tracking.OFF else found


def _from(session: Session, issue: IssueRow, limit: int) -> Sequence[IssueRow]:
    """An issue and those before it that were sent."""
    earlier = reports.sent_issues(session, issue.newsletter_id, limit=limit - 1, before=(issue.date, issue.slug))
    return [issue, *earlier]


def _line(row: IssueRow, run: RunRow, stored: ReportRow | None, back: Mapping[Kind, int]) -> Line:
    figures = Figures.model_validate(stored.figures) if stored is not None and stored.run_id == run.id else None
    return Line(
        slug=row.slug,
        number=row.number,
        date=row.date,
        state=row.state,
        segment=run.segment,
        started=run.started,
        ended=run.ended,
        total=figures.total if figures else run.total,
        figures=figures,
        back=back,
    )


def _with(line: Line, figures: Figures) -> Line:
    return replace(line, figures=figures, total=figures.total)


def _by_relay(session: Session, runs: Sequence[RunRow]) -> Iterator[tuple[str, DeliveryState, int]]:
    newest = tallies.newest_attempt(session)
    for run in runs:
        for verdict, _, relay, number in tallies.outcomes_until(session, run, newest):
            if relay and verdict in _IN_STATE:
                yield relay, _IN_STATE[verdict], number


def _plain(check: Check) -> dict[str, object]:
    return {"code": check.code, "words": check.words, "violations": check.violations}
