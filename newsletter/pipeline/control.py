"""
How a run stands, and how an officer stops it: status, pause, resume, cancel, halt.

Every verb is a guarded update of rows. The dispatcher's own writes are guarded too, so a delivery that is taken from it
here is not sent; one that is on the wire is beyond recall, and each verb says how many those are.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.errors import WrongState
from newsletter.pipeline.mailings import OPEN_RUNS, UNSENT, mailing_of_issue
from newsletter.pipeline.parts import Parts
from newsletter.planning import store, waiting
from newsletter.planning.models import DeliveryState, RunRow, RunState
from newsletter.planning.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """
    How the staged start of a run stands.

    `first` go ahead, the others wait for `hold`; `since` is when `stage` began (None: the run has not started),
    `until` when the hold is over; `others` is how many wait.
    """

    stage: Stage | None
    first: int
    hold: dt.timedelta
    since: dt.datetime | None
    until: dt.datetime | None
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTimes:
    """How many wait for their own hour (`wall`), when the next of them get it, and when the last."""

    wall: str
    waiting: int
    next: dt.datetime | None
    last: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an issue's dispatch stands; `segment` and all after it speak of its newest run."""

    state: IssueState
    total: int
    counts: Mapping[DeliveryState, int]
    languages: Mapping[str, int]
    segment: str | None
    due: dt.datetime | None
    held: str | None
    missed: bool = False
    staged: Staged | None = None
    times: OwnTimes | None = None

    @property
    def on_the_wire(self) -> int:
        """Messages whose content is being written, or whose reply is awaited."""
        return self.counts[DeliveryState.SENDING]

    @property
    def beyond_recall(self) -> int:
        """Messages that no command can stop any more."""
        gone = (DeliveryState.ACCEPTED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)
        return sum(self.counts[state] for state in gone)


class Control:
    """The verbs over a run that is under way."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def status(self, slug: str, *, newsletter: str | None) -> Standing:
        """Say how an issue's dispatch stands."""
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            run = store.latest_run(session, issue.id or 0)
            mailing = mailing_of_issue(session, issue)
            counts = store.states_of(session, mailing)
            return Standing(
                state=issue.state,
                total=sum(counts.values()),
                counts=counts,
                languages=store.languages_of(session, mailing),
                segment=run.segment if run else None,
                due=run.due_at if run else None,
                held=run.held if run else None,
                missed=run.missed if run else False,
                staged=staged_of(session, run) if run else None,
                times=own_times_of(session, run) if run else None,
            )

    def pause(self, slug: str, *, newsletter: str | None) -> Standing:
        """
        Stop a run, or one that waits for its time: nothing new goes out from now on.

        What is on the wire at this moment is beyond recall; `status` says when it has ended.
        """
        with self._parts.sessions() as session:
            _issue, run = self._open_run(session, slug, newsletter)
            if run.state is RunState.PAUSED:
                raise WrongState(f"issue {slug} is paused already")
            self._pause(session, run)
            session.commit()
        return self.status(slug, newsletter=newsletter)

    def _pause(self, session: Session, run: RunRow) -> None:
        operator = self._parts.operator
        hold_run(session, run, because=f"paused by {operator}", operator=operator, now=self._parts.now())

    def resume(self, slug: str, *, newsletter: str | None) -> Standing:
        """
        Let a paused run go on, or start one that was missed.

        One that was stopped for what became of its first ones goes on with the others: the officer has looked at them.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            issue, run = self._open_run(session, slug, newsletter)
            waits = run.started is None
            missed = run.state is RunState.SCHEDULED and run.held is not None
            if run.state is not RunState.PAUSED and not missed:
                raise WrongState(
                    f"issue {slug} is {issue.state.value}: only what is paused or was missed can be resumed"
                )
            later = waits and run.due_at is not None and run.due_at > now
            resumed = _resumed(run)
            if resumed is RunState.RUNNING:
                self._parts.handing.hand_out(session, run.id or 0)
            store.change_run(
                session,
                run.id or 0,
                expected=(run.state,),
                state=resumed,
                held=None,
                **({} if later or not waits else {"due_at": now}),
                **({"stage": Stage.PASSED, "staged": now} if run.stage is Stage.STOPPED else {}),
            )
            issues.set_state(
                session,
                run.issue_id,
                expected=(IssueState.PAUSED,),
                state=IssueState.QUEUED if waits else IssueState.SENDING,
                now=now,
            )
            self._note(session, Deed.RUN_RESUMED, run)
            session.commit()
        return self.status(slug, newsletter=newsletter)

    def go_on(self, slug: str, *, newsletter: str | None) -> Standing:
        """Let the others of a staged run go before its hold is over; raises WrongState where none wait for that."""
        with self._parts.sessions() as session:
            _issue, run = self._open_run(session, slug, newsletter)
            if run.stage is not Stage.HOLDING or not waiting.change_stage(
                session, run, state=RunState.RUNNING, stage=Stage.PASSED, staged=self._parts.now()
            ):
                raise WrongState(f"issue {slug}: nobody waits for the first ones to be looked at")
            self._note(session, Deed.RUN_RESUMED, run)
            session.commit()
        return self.status(slug, newsletter=newsletter)

    def cancel(self, slug: str, *, newsletter: str | None) -> Standing:
        """
        Stop a run for good: whatever has not gone out never does.

        Where nothing had gone out, its entries count as unpublished again. An issue whose earlier run went to its end
        stays sent.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            _issue, run = self._open_run(session, slug, newsletter)
            store.change_run(session, run.id or 0, expected=OPEN_RUNS, state=RunState.CANCELLED, ended=now, held=None)
            store.move_deliveries(
                session, store.of_run(run.id or 0), expected=UNSENT, state=DeliveryState.CANCELLED, now=now
            )
            counts = store.states_of(session, run.mailing)
            gone = (DeliveryState.ACCEPTED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)
            if not any(counts[state] for state in gone):
                issues.take_back_published(session, run.issue_id)
            ends = [earlier.state for earlier in store.runs_of(session, run.issue_id)]
            state = IssueState.SENT if RunState.FINISHED in ends else IssueState.CANCELLED
            issues.set_state(session, run.issue_id, expected=tuple(IssueState), state=state, now=now)
            self._note(session, Deed.RUN_CANCELLED, run)
            session.commit()
        return self.status(slug, newsletter=newsletter)

    def halt(self) -> list[str]:
        """Pause every run at once; returns the slugs of their issues."""
        with self._parts.sessions() as session:
            stopped = []
            for run in store.runs(session, states=(RunState.SCHEDULED, RunState.PLANNING, RunState.RUNNING)):
                self._pause(session, run)
                stopped.append(issues.issue_row(session, run.issue_id).slug)
            session.commit()
        return stopped

    def _note(self, session: Session, deed: Deed, run: RunRow) -> None:
        _note(session, deed, run, operator=self._parts.operator, now=self._parts.now())

    def _open_run(self, session: Session, slug: str, newsletter: str | None) -> tuple[IssueRow, RunRow]:
        issue = issues.get_issue(session, slug, newsletter)
        run = store.latest_run(session, issue.id or 0)
        if run is None or run.state not in OPEN_RUNS:
            raise WrongState(f"issue {slug} is {issue.state.value}: no run of it is under way")
        return issue, run


def hold_run(session: Session, run: RunRow, *, because: str, operator: str, now: dt.datetime) -> None:
    """Pause a run that waits for its time or is under way; what was claimed and not begun is nobody's again."""
    store.change_run(
        session,
        run.id or 0,
        expected=(RunState.SCHEDULED, RunState.PLANNING, RunState.RUNNING),
        state=RunState.PAUSED,
        held=because,
    )
    store.move_deliveries(
        session, store.of_run(run.id or 0), expected=(DeliveryState.CLAIMED,), state=DeliveryState.PLANNED, now=now
    )
    issues.set_state(
        session,
        run.issue_id,
        expected=(IssueState.QUEUED, IssueState.SENDING),
        state=IssueState.PAUSED,
        now=now,
    )
    _note(session, Deed.RUN_PAUSED, run, operator=operator, now=now)


def staged_of(session: Session, run: RunRow) -> Staged | None:
    """How the staged start of a run stands; None where it has none."""
    if run.first is None or run.hold is None:
        return None
    hold = dt.timedelta(seconds=run.hold)
    return Staged(
        stage=run.stage,
        first=run.first,
        hold=hold,
        since=run.staged,
        until=run.staged + hold if run.staged and run.stage is Stage.HOLDING else None,
        others=waiting.count_held_back(session, run),
    )


def own_times_of(session: Session, run: RunRow) -> OwnTimes | None:
    """How many of a run wait for their own hour; None where all get it at once."""
    if not run.local or run.wall is None:
        return None
    count, soonest, latest = waiting.own_times(session, run)
    return OwnTimes(wall=run.wall, waiting=count, next=soonest, last=latest)


def _note(session: Session, deed: Deed, run: RunRow, *, operator: str, now: dt.datetime) -> None:
    was = f"was {run.state.value}, to {run.segment}"
    note_deed(session, deed, operator=operator, at=now, about=run.mailing.replace(":", " ", 1), reason=was)


def _resumed(run: RunRow) -> RunState:
    """Where a paused run goes on: it waits again, its freeze is begun again, or its deliveries go out."""
    if run.started is None:
        return RunState.SCHEDULED
    return RunState.RUNNING if run.total else RunState.PLANNING
