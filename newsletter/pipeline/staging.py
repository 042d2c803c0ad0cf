"""
The stages of a run: whether those who wait for the first ones may go, decided when it is time.

Takes the running runs that were started in stages, yields the next stage of each, in the row of its run: killed at any
moment, somebody else decides the same a moment later. Called with `start_due`, by every scheduler and dispatcher.
"""

import datetime as dt

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.database import reading
from newsletter.dispatch.sample import is_going_out, sample_of
from newsletter.logs import logger
from newsletter.pipeline.parts import Parts
from newsletter.planning import store, waiting
from newsletter.planning.models import DeliveryState, RunRow, RunState
from newsletter.planning.stage import Bounds, Sample, Stage, objection


class Staging:
    """Looks after runs that were started in stages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("planning")

    def advance(self, now: dt.datetime | None = None) -> None:
        """
        Bring each staged run as far as it has come.

        Too many refusals or complaints stop it as soon as all of the first have been tried, and again when the hold is
        over: some come late.
        """
        now = now or self._parts.now()
        with reading(self._parts.engine) as session:
            for run in waiting.staged_runs(session):
                if (sample := self._sample(session, run, now)) is not None:
                    self._decide(run, sample, now)

    def _sample(self, session: Session, run: RunRow, now: dt.datetime) -> Sample | None:
        """What became of the first; None while it is not yet time to ask."""
        if run.stage is Stage.FIRST:
            return None if is_going_out(session, run) else sample_of(session, run)
        is_over = now >= (run.staged or now) + dt.timedelta(seconds=run.hold or 0)
        return sample_of(session, run) if is_over else None

    def _decide(self, run: RunRow, sample: Sample, now: dt.datetime) -> None:
        reason = objection(sample, Bounds(refused=self._parts.settings.dispatch.stage_refusals))
        if reason is not None:
            self._stop(run, reason, now)
        elif run.stage is Stage.FIRST:
            self._move(run, Stage.HOLDING, since=sample.last or now)
        else:
            self._move(run, Stage.PASSED, since=now)

    def _move(self, run: RunRow, stage: Stage, *, since: dt.datetime) -> None:
        with self._parts.sessions() as session:
            moved = waiting.change_stage(session, run, state=RunState.RUNNING, stage=stage, staged=since)
            session.commit()
        if moved:
            self._log.info("stage", run=run.id, stage=stage.value)

    def _stop(self, run: RunRow, reason: str, now: dt.datetime) -> None:
        """Pause a run, with its issue, until an officer resumes it."""
        held = f"{reason}: look at them, then resume or cancel it"
        with self._parts.sessions() as session:
            stopped = waiting.change_stage(
                session, run, state=RunState.PAUSED, stage=Stage.STOPPED, staged=now, held=held
            )
            if stopped:
                mine, claimed = store.of_run(run.id or 0), (DeliveryState.CLAIMED,)
                store.move_deliveries(session, mine, expected=claimed, state=DeliveryState.PLANNED, now=now)
                sending = (IssueState.SENDING,)
                issues.set_state(session, run.issue_id, expected=sending, state=IssueState.PAUSED, now=now)
            session.commit()
        if stopped:
            self._log.warning("stage stopped", run=run.id, reason=reason)
