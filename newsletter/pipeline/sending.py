"""
From the approval to the last outcome: queue a run, start it when it is due, close it when it has ended.

A run is started by a guarded update that holds only once, so any number of schedulers and dispatchers may try. Freezing
the audience is committed in chunks and begun again where it was broken off.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.assembly.models import IssueRow
from newsletter.compilation import store as artifacts
from newsletter.content.newsletter import Newsletter
from newsletter.errors import FindingsOpen, WrongState
from newsletter.logs import logger
from newsletter.pipeline.freezing import freezing
from newsletter.pipeline.mailings import OPEN_RUNS, mailing_named, mailing_of, mailing_of_issue
from newsletter.pipeline.meaning import condition_of_text
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.readers import Meant, audience_of, ensure_known, ensure_missable, meant_by
from newsletter.pipeline.staging import Staging
from newsletter.planning import store, waiting
from newsletter.planning.audience import Readers, Share, shares
from newsletter.planning.manner import AT_ONCE, Manner
from newsletter.planning.models import DeliveryState, RunRow, RunState
from newsletter.planning.planner import Artifacts, Plan, freeze
from newsletter.planning.schedule import due_at, due_locally, starts, too_late
from newsletter.planning.stage import Stage
from newsletter.planning.withdrawals import clear_withdrawals
from newsletter.times import rfc3339
from subscribers.segments import Condition
from subscribers.store import audience_languages, get_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """
    A run that was queued: when it is due, and who would get which edition if it started now.

    `segment` says in words whom it is for, `remarks` what the officer should know of them. `last` is when the last of
    them are due where each gets it at their own hour.
    """

    run_id: int
    due: dt.datetime
    shares: tuple[Share, ...]
    segment: str
    remarks: tuple[str, ...] = ()
    last: dt.datetime | None = None


class Gate(Protocol):
    """Lets approved issues pass; raises what `Approval.ensure_approved` raises."""

    def __call__(self, slug: str, *, newsletter: str | None) -> None:
        """Raise unless the issue is approved and nothing was changed since."""
        ...


class Sending:
    """The verbs of a run."""

    def __init__(self, parts: Parts, *, gate: Gate) -> None:
        self._parts = parts
        self._gate = gate
        self._log = logger("planning")

    def queue(
        self,
        slug: str,
        *,
        newsletter: str | None,
        segment: str | Readers,
        at: str | None,
        zone: str | None,
        manner: Manner = AT_ONCE,
    ) -> Queued:
        """
        Queue an approved issue for a segment: at a wall-clock time, or at once where `at` is None.

        An erratum goes to the readers of another issue instead (see `readers`). The time is in `zone`, or else in the
        newsletter's, or in everybody's own (see `manner`). An issue that was sent is queued again for those only who
        missed it, with the bytes that were approved, whatever has changed since.

        Raises ApprovalVoid where something was changed since the approval, FindingsOpen where preflight objects to the
        audience or nobody is in it, WrongState where the issue is not approved or a run of it has not ended,
        InvalidInput for a time that cannot be read or is past, and for a manner that contradicts itself.
        """
        now = self._parts.now()  # a time that was to come when the officer said it is not past for our slowness
        manner.ensure_sound(at=at, zone=zone)
        if not manner.missed:
            self._gate(slug, newsletter=newsletter)
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            self._may_be_queued(session, issue, manner)
            settings = Newsletter.model_validate(issue.settings)
            meant = meant_by(session, issue, segment, newsletter=settings.slug)
            run = self._new_run(issue, meant, manner, mailing=mailing_of(settings.slug, issue.slug), now=now)
            run.wall, run.zone = at, (zone or settings.timezone) if at else None
            due, last = self._due(session, run, settings, now)
            run.due_at = due
            parted = self._shares(session, run, settings, issue.id or 0)
            self._ensure_somebody(meant.segment, parted, manner)
            remarks = (*meant.remarks, *self._left_out(session, run))
            store.add_run(session, run)
            expected = (IssueState.APPROVED, IssueState.CANCELLED, *([IssueState.SENT] if manner.missed else []))
            if not issues.set_state(session, issue.id or 0, expected=expected, state=IssueState.QUEUED, now=now):
                self._ensure_alone(session, run, issue.slug)
            self._note(session, run, due=due, people=sum(share.people for share in parted))
            session.commit()
        return Queued(run_id=run.id or 0, due=due, shares=parted, segment=meant.segment, remarks=remarks, last=last)

    def _ensure_alone(self, session: Session, run: RunRow, slug: str) -> None:
        """Raise WrongState where another process has queued the issue since it was looked at."""
        others = (each for each in store.runs_of(session, run.issue_id) if each.id != run.id)
        if any(each.state in OPEN_RUNS for each in others):
            raise WrongState(f"issue {slug} is queued already: see `newsletter issue status {slug}`")

    def _note(self, session: Session, run: RunRow, *, due: dt.datetime, people: int) -> None:
        what = f"{people} people in {run.segment}, due {rfc3339(due)}"
        note_deed(
            session,
            Deed.ISSUE_SCHEDULED,
            operator=self._parts.operator,
            at=run.created,
            about=run.mailing.replace(":", " ", 1),
            reason=what,
        )

    def _new_run(self, issue: IssueRow, meant: Meant, manner: Manner, *, mailing: str, now: dt.datetime) -> RunRow:
        return RunRow(
            issue_id=issue.id or 0,
            mailing=mailing,
            segment=meant.segment,
            expression=meant.expression,
            readers_of=meant.readers_of,
            edition=meant.edition,
            operator=self._parts.operator,
            created=now,
            missed=manner.missed,
            doubtful=manner.doubtful,
            local=manner.local,
            first=manner.first,
            hold=int(manner.hold.total_seconds()) if manner.hold else None,
        )

    def _due(
        self, session: Session, run: RunRow, settings: Newsletter, now: dt.datetime
    ) -> tuple[dt.datetime, dt.datetime | None]:
        """When a run starts, and where everybody gets it at their own hour, when the last of them do."""
        if run.wall is None or run.zone is None:
            return now, None
        if not run.local:
            return due_at(run.wall, zone=run.zone, now=now), None
        audience = audience_of(session, run, now=now)
        zones = waiting.audience_zones(session, audience, newsletter=settings.slug)
        return due_locally(run.wall, zones=zones, default=run.zone, now=now)

    def _left_out(self, session: Session, run: RunRow) -> Iterator[str]:
        """What an officer should know of those whom a run for the missed leaves out."""
        if not run.missed or run.doubtful:
            return
        uncertain = store.states_of(session, run.mailing)[DeliveryState.UNCERTAIN]
        if uncertain:
            yield (
                f"{uncertain:,} of all who were planned may have got it (uncertain) and are left out; "
                "--even-uncertain takes them in"
            )

    def _may_be_queued(self, session: Session, issue: IssueRow, manner: Manner) -> None:
        last = store.latest_run(session, issue.id or 0)
        if last is not None and last.state in OPEN_RUNS:
            raise WrongState(f"issue {issue.slug} is queued already: see `newsletter issue status {issue.slug}`")
        ensure_known(session, mailing_of_issue(session, issue), issue.slug)
        if manner.missed:
            ensure_missable(session, issue)
        elif issue.state is IssueState.DRAFT:
            raise WrongState(f"issue {issue.slug} is not approved: run `newsletter issue approve {issue.slug}` first")
        elif issue.state is IssueState.SENT:
            raise WrongState(f"issue {issue.slug} is sent: only those who missed it can get it now (--missed)")
        elif issue.state not in {IssueState.APPROVED, IssueState.CANCELLED}:
            raise WrongState(f"issue {issue.slug} is {issue.state.value}: it cannot be queued again")

    def _ensure_somebody(self, segment: str, parted: tuple[Share, ...], manner: Manner) -> None:
        if not parted and manner.missed:
            raise FindingsOpen(
                f"nobody in {segment!r} has missed it: each has got it, was refused for the address, or may not be "
                "written to"
            )
        if not parted:
            raise FindingsOpen(
                f"nobody in {segment!r} may be written to: only confirmed members count who did not leave"
            )

    def _shares(self, session: Session, run: RunRow, settings: Newsletter, issue_id: int) -> tuple[Share, ...]:
        counts = audience_languages(session, audience_of(session, run, now=self._parts.now()), newsletter=settings.slug)
        offered = tuple(_by_language(artifacts.pins(session, issue_id)))
        return shares(counts, offered=offered, default=settings.default_language)

    def _condition(self, session: Session, expression: str) -> Condition:
        return condition_of_text(session, expression, now=self._parts.now())

    def start_due(
        self, now: dt.datetime | None = None, *, progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> list[str]:
        """
        Start every run whose time has come; returns the slugs of their issues.

        One that was missed by more than six hours waits for an officer instead (DESIGN §9). Runs in stages come as far
        as they may. Safe to call from any number of processes at once.
        """
        now = now or self._parts.now()
        with self._parts.sessions() as session:
            due = list(store.due_runs(session, now))
        if due:
            self._absorb_refusals()
        started = []
        for run in due:
            if run.state is RunState.SCHEDULED and run.due_at and too_late(run.due_at, now=now):
                self._hold(run)
            elif run.state is RunState.PLANNING or (run.due_at and starts(run.due_at, now=now)):
                started += [slug] if (slug := self._start_alone(run, now, progress)) else []
        Staging(self._parts).advance(now)
        return started

    def _hold(self, run: RunRow) -> None:
        reason = "missed by more than six hours: resume or cancel it"
        with self._parts.sessions() as session:
            store.change_run(
                session, run.id or 0, expected=(RunState.SCHEDULED,), state=RunState.SCHEDULED, held=reason
            )
            session.commit()
        self._log.warning("run held", run=run.id, reason=reason)

    def _start_alone(self, run: RunRow, now: dt.datetime, progress: Callable[[int, int], None]) -> str | None:
        """Start a run, unless somebody else is about it or has been; one whose freeze was broken off goes on."""
        with freezing(self._parts.engine, run.id or 0) as mine:
            if not mine:
                return None
            with self._parts.sessions() as session:
                present = store.get_run(session, run.id or 0)
                has_begun = present is None or present.state is not run.state
                session.rollback()
            return None if has_begun else self._start(run, now, progress)

    def _start(self, run: RunRow, now: dt.datetime, progress: Callable[[int, int], None]) -> str | None:
        """Freeze the audience of a run and let it go; None where somebody else has started it."""
        with self._parts.sessions() as session:
            if run.state is RunState.SCHEDULED:
                if not store.change_run(
                    session,
                    run.id or 0,
                    expected=(RunState.SCHEDULED,),
                    state=RunState.PLANNING,
                    started=now,
                    dated=now,
                    held=None,
                ):
                    session.rollback()
                    return None
                issues.set_state(
                    session, run.issue_id, expected=(IssueState.QUEUED,), state=IssueState.SENDING, now=now
                )
                issues.record_published(session, run.issue_id, at=now)
            facts = self._facts_of(session, run)
            plan = Plan(
                newsletter=facts.settings.slug,
                artifacts=_by_language(artifacts.pins(session, run.issue_id)),
                default=facts.settings.default_language,
                condition=audience_of(session, run, now=self._parts.now()),
                segments={
                    name: self._condition(session, get_segment(session, name).expression)
                    for name in sorted({item.segment for item in facts.items if item.segment})
                },
            )
            session.commit()
        freeze(self._parts.engine, run, plan=plan, now=now, progress=progress)
        with self._parts.sessions() as session:
            total = store.count_run(session, run.id or 0)
            stage = self._first_stage(session, run, now)
            running = RunState.RUNNING
            shards = self._parts.handing.hand_out(session, run.id or 0)
            store.change_run(session, run.id or 0, expected=(RunState.PLANNING,), state=running, total=total, **stage)
            clear_withdrawals(session, run.id or 0)
            session.commit()
        self._log.info("run started", run=run.id, issue=facts.plan.slug, total=total, shards=shards)
        return facts.plan.slug

    def _first_stage(self, session: Session, run: RunRow, now: dt.datetime) -> dict[str, object]:
        if run.first is None:
            return {}
        some_wait = waiting.count_held_back(session, run) > 0
        return {"stage": Stage.FIRST if some_wait else Stage.PASSED, "staged": now}

    def finished(self, issue_ids: list[int]) -> None:
        """The last delivery of these issues has ended: what their relays refused counts from now on."""
        if not issue_ids:
            return
        self._absorb_refusals()
        with self._parts.sessions() as session:
            for issue_id in issue_ids:
                issues.set_state(
                    session,
                    issue_id,
                    expected=(IssueState.SENDING,),
                    state=IssueState.SENT,
                    now=self._parts.now(),
                )
            session.commit()

    def _absorb_refusals(self) -> None:
        """Let what was refused be known before an audience is frozen, also where no scheduler is at work."""
        from newsletter.pipeline.feedback import Feedback

        Feedback(self._parts).refusals()

    def _facts_of(self, session: Session, run: RunRow) -> IssueFacts:
        newsletter, slug = mailing_named(run.mailing)
        return issues.load_issue(session, slug, newsletter)


def segments_of(variant: str) -> frozenset[str]:
    """The segments that a variant is for."""
    return frozenset(filter(None, variant.split("+")))


def _by_language(pins: Mapping[tuple[str, str], str]) -> Artifacts:
    """The pinned artifacts per language and set of segments."""
    parted: dict[str, dict[frozenset[str], str]] = {}
    for (language, variant), digest in pins.items():
        parted.setdefault(language, {})[segments_of(variant)] = digest
    return parted
