"""
The table of reports: what was counted of an issue once its runs had ended, so that no page counts it again.

One row a mailing, made again after a further run. Every query takes a session and commits nothing.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Column, func, select
from sqlmodel import Field, Session, col

from newsletter.assembly.models import IssueRow
from newsletter.planning.models import RunRow, RunState
from subscribers.columns import Base, instant, reference

OVER = (RunState.FINISHED, RunState.CANCELLED)
"""Runs of which nothing more goes out."""


class ReportRow(Base, table=True):
    """
    The figures of a mailing, see `figures.Figures`, as they were when its run `run_id`, the newest, had ended.

    `proof` has the invariants of the audit, with how often each was violated at `proved`; None: nobody has looked.
    """

    __tablename__ = "report"

    mailing: str = Field(primary_key=True, max_length=200)
    run_id: int = reference("run.id")
    made: dt.datetime = instant()
    figures: dict[str, Any] = Field(sa_column=Column(JSON(none_as_null=True), nullable=False))
    proof: list[Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    proved: dt.datetime | None = instant(nullable=True)


def report_of(session: Session, mailing: str) -> ReportRow | None:
    """The stored report of a mailing."""
    return session.get(ReportRow, mailing)


def reports_of(session: Session, mailings: Collection[str]) -> Mapping[str, ReportRow]:
    """The stored reports of some mailings."""
    found = session.scalars(select(ReportRow).where(col(ReportRow.mailing).in_(mailings)))
    return {row.mailing: row for row in found}


def put_report(session: Session, row: ReportRow) -> None:
    """Store a report in place of an older one."""
    session.merge(row)
    session.flush()


def unreported(session: Session, limit: int) -> list[RunRow]:
    """The newest runs of mailings that have ended and of which no report tells, or no proof, oldest first."""
    newest = select(col(RunRow.mailing), func.max(RunRow.id).label("run_id")).group_by(col(RunRow.mailing)).subquery()
    told = (col(ReportRow.mailing) == RunRow.mailing) & (col(ReportRow.run_id) == RunRow.id)
    ended = (
        select(RunRow)
        .join(newest, newest.c.run_id == RunRow.id)
        .outerjoin(ReportRow, told)
        .where(
            col(RunRow.state).in_(OVER),
            col(RunRow.started).is_not(None),
            col(ReportRow.mailing).is_(None) | col(ReportRow.proved).is_(None),
        )
        .order_by(col(RunRow.id))
        .limit(limit)
    )
    return list(session.scalars(ended))


def newest_runs(session: Session, issue_ids: Collection[int]) -> Mapping[int, RunRow]:
    """The newest run of each issue that has one."""
    newest = select(func.max(RunRow.id)).where(col(RunRow.issue_id).in_(issue_ids)).group_by(col(RunRow.issue_id))
    found = session.scalars(select(RunRow).where(col(RunRow.id).in_(newest)))
    return {run.issue_id: run for run in found}


def sent_issues(
    session: Session, newsletter: int, *, limit: int, before: tuple[dt.date, str] | None = None
) -> Sequence[IssueRow]:
    """Issues of a newsletter of which a run has started, latest first, from behind the date and slug of one."""
    started = select(col(RunRow.id)).where(col(RunRow.issue_id) == IssueRow.id, col(RunRow.started).is_not(None))
    found = select(IssueRow).where(col(IssueRow.newsletter_id) == newsletter, started.exists())
    if before is not None:
        date, slug = before
        same_day = (col(IssueRow.date) == date) & (col(IssueRow.slug) < slug)
        found = found.where((col(IssueRow.date) < date) | same_day)
    return session.scalars(found.order_by(col(IssueRow.date).desc(), col(IssueRow.slug).desc()).limit(limit)).all()
