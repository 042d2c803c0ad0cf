"""
When an issue goes out and to whom, looked at before it is queued: the verbs of the page that schedules.

Takes what an officer wishes; yields a `Proposal` that says who would get what when, and what speaks against it, as
values. Promises that nothing is queued that a proposal objects to, and that a run which has not started can be taken
back whole: the issue then stands as it stood before.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.compilation import store as artifacts
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import get_newsletter
from newsletter.database import reading
from newsletter.errors import InvalidInput, WrongState
from newsletter.pipeline.mailings import OPEN_RUNS, mailing_named, mailing_of
from newsletter.pipeline.meaning import condition_of_text
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.proposal import (
    Audience,
    Neighbour,
    Objection,
    Proposal,
    Standing,
    Wish,
    confirms,
    objections_of_manner,
    objections_of_state,
)
from newsletter.pipeline.readers import audience_of, meant_by
from newsletter.pipeline.recent import Recent
from newsletter.pipeline.sending import Queued, Sending
from newsletter.planning import counts, store, waiting
from newsletter.planning.audience import shares
from newsletter.planning.models import RunRow, RunState
from newsletter.planning.schedule import Reading, due_locally, reading_of
from newsletter.times import rfc3339
from subscribers.errors import SubscribersError
from subscribers.segments import Condition
from subscribers.store import all_segments, audience_languages, count_audience, count_subscribers

KEPT_SECONDS: Final = 60.0
"""How long a count of an audience is believed: nobody joins so fast that an officer would notice."""

NEAR: Final = dt.timedelta(hours=24)
"""Two issues within this time are felt as too many by those who get both."""

ENOUGH: Final = 1000
"""Where counting the people who get both issues ends."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that every reader's machine takes for itself."""


class Scheduling:
    """The verbs before a run; what they count is kept for a moment."""

    def __init__(self, parts: Parts, *, sending: Sending) -> None:
        self._parts = parts
        self._sending = sending
        self._audiences: Recent[Audience] = Recent(KEPT_SECONDS)
        self._zones: Recent[tuple[str | None, ...]] = Recent(KEPT_SECONDS)
        self._near: Recent[tuple[Neighbour, ...]] = Recent(KEPT_SECONDS)

    def standing(self, slug: str, *, newsletter: str) -> Standing:
        """How an issue stands before it is queued; raises NotFound."""
        with reading(self._parts.engine) as session:
            issue = issues.get_issue(session, slug, newsletter)
            run = store.latest_run(session, issue.id or 0)
            standing = Standing(
                slug=slug,
                newsletter=newsletter,
                state=issue.state,
                zone=_settings(session, issue, newsletter).timezone,
                run=run if run is not None and run.state in OPEN_RUNS else None,
                segments=tuple(sorted(saved.name for saved in all_segments(session))),
            )
            session.expunge_all()
        return standing

    def audience(self, slug: str, wish: Wish, *, newsletter: str) -> Audience:
        """
        Who would get an issue now, as counted within the last minute.

        Raises NotFound, UnknownSegment, and what a segment raises that cannot be evaluated.
        """
        manner = wish.manner
        key = (newsletter, slug, wish.segment, manner.missed, manner.doubtful)
        return self._audiences.get(key, lambda: self._count(slug, wish, newsletter))

    def _count(self, slug: str, wish: Wish, newsletter: str) -> Audience:
        now = self._parts.now()
        with reading(self._parts.engine) as session:
            issue, run = self._run(session, slug, wish, newsletter)
            settings = _settings(session, issue, newsletter)
            wanted = audience_languages(session, audience_of(session, run, now=now), newsletter=newsletter)
            pinned = dict.fromkeys(language for language, _ in artifacts.pins(session, issue.id or 0))
            offered = tuple(pinned) or settings.languages
            parted = shares(wanted, offered=offered, default=settings.default_language)
            everybody = condition_of_text(session, run.expression, now=now)
            matching = 0 if wish.manner.missed else count_subscribers(session, everybody)
        return Audience(shares=parted, others=max(0, matching - sum(wanted.values())))

    def _run(self, session: Session, slug: str, wish: Wish, newsletter: str) -> tuple[IssueRow, RunRow]:
        """The run that a wish would make, not stored."""
        issue = issues.get_issue(session, slug, newsletter)
        meant = meant_by(session, issue, wish.segment, newsletter=newsletter)
        return issue, RunRow(
            issue_id=issue.id or 0,
            mailing=mailing_of(newsletter, slug),
            segment=meant.segment,
            expression=meant.expression,
            operator=self._parts.operator,
            created=self._parts.now(),
            missed=wish.manner.missed,
            doubtful=wish.manner.doubtful,
        )

    def propose(self, slug: str, wish: Wish, *, newsletter: str) -> Proposal:
        """Say who would get an issue and when, and what speaks against it; changes nothing. Raises NotFound."""
        standing = self.standing(slug, newsletter=newsletter)
        audience, amiss = self._sized(slug, wish, newsletter)
        read, due, last, untimely = self._timed(slug, wish, standing)
        objections = (
            *objections_of_state(standing, wish.manner),
            *wish.unread,
            *amiss,
            *untimely,
            *objections_of_manner(wish.manner),
        )
        near = () if amiss else self._neighbours(slug, wish, newsletter, due or self._parts.now())
        settings = self._parts.settings
        return Proposal(
            wish=wish,
            audience=audience,
            reading=read,
            due=due,
            last=last,
            objections=tuple(dict.fromkeys(objections)),
            neighbours=near,
            has_relay=bool({"smtp", "relays"} & settings.model_fields_set) or settings.dispatch.maildir is not None,
            is_local=urlsplit(self._parts.links.root).hostname in LOOPBACK,
            threshold=settings.desk.confirm_above,
        )

    def _sized(self, slug: str, wish: Wish, newsletter: str) -> tuple[Audience, tuple[Objection, ...]]:
        nobody = Audience(shares=(), others=0)
        if not wish.segment:
            return nobody, (Objection.NO_SEGMENT,)
        try:
            found = self.audience(slug, wish, newsletter=newsletter)
        except SubscribersError:
            return nobody, (Objection.UNUSABLE_SEGMENT,)
        return found, () if found.people else (Objection.NOBODY,)

    def _timed(
        self, slug: str, wish: Wish, standing: Standing
    ) -> tuple[Reading | None, dt.datetime | None, dt.datetime | None, tuple[Objection, ...]]:
        """What the clock says of a wish: its reading, when the first and the last message go, and what is amiss."""
        if wish.at is None:
            return None, None, None, (Objection.NO_TIME,) if wish.manner.local else ()
        now, zone = self._parts.now(), wish.zone or standing.zone
        try:
            read = reading_of(wish.at, zone=zone)
        except InvalidInput:
            return None, None, None, (Objection.NO_TIME,)
        if not wish.manner.local:
            return read, read.instant, None, () if read.instant > now else (Objection.PAST,)
        try:
            first, last = due_locally(wish.at, zones=self._zones_of(slug, wish, standing), default=zone, now=now)
        except (InvalidInput, SubscribersError):
            return read, read.instant, None, (Objection.PAST_SOMEWHERE,)
        return read, first, last, ()

    def _zones_of(self, slug: str, wish: Wish, standing: Standing) -> tuple[str | None, ...]:
        def find() -> tuple[str | None, ...]:
            with reading(self._parts.engine) as session:
                _, run = self._run(session, slug, wish, standing.newsletter)
                audience = audience_of(session, run, now=self._parts.now())
                return tuple(waiting.audience_zones(session, audience, newsletter=standing.newsletter))

        key = (standing.newsletter, slug, wish.segment, wish.manner.missed, wish.manner.doubtful)
        return self._zones.get(key, find)

    def _neighbours(self, slug: str, wish: Wish, newsletter: str, at: dt.datetime) -> tuple[Neighbour, ...]:
        key = (newsletter, slug, wish.segment, wish.manner.missed, at.replace(minute=0, second=0, microsecond=0))
        return self._near.get(key, lambda: tuple(self._find_neighbours(slug, wish, newsletter, at)))

    def _find_neighbours(self, slug: str, wish: Wish, newsletter: str, at: dt.datetime) -> Iterator[Neighbour]:
        with reading(self._parts.engine) as session:
            _, run = self._run(session, slug, wish, newsletter)
            mine = audience_of(session, run, now=self._parts.now())
            for other in counts.runs_between(session, at - NEAR, at + NEAR, but=run.mailing):
                both = mine & self._audience_of_other(session, other)
                people = count_audience(session, both, newsletter=newsletter, at_most=ENOUGH)
                owner, name = mailing_named(other.mailing)
                when = other.started or other.due_at
                if people and when is not None:
                    more = people == ENOUGH
                    yield Neighbour(newsletter=owner, slug=name, at=when, people=people, more=more)

    def _audience_of_other(self, session: Session, other: RunRow) -> Condition:
        if other.state in {RunState.SCHEDULED, RunState.PLANNING} or other.started is None:
            return audience_of(session, other, now=self._parts.now())
        return store.has_got(other.mailing, None)

    def schedule(self, slug: str, wish: Wish, *, newsletter: str, typed: str = "") -> Queued | Proposal:
        """
        Queue an issue as an officer wishes; a proposal comes back where that cannot be, or has to be confirmed.

        A large audience is confirmed by its number, or the name of the issue, as `typed`. Raises ApprovalVoid where
        the issue was changed since its approval, FindingsOpen, and WrongState where somebody else was first.
        """
        proposal = self.propose(slug, wish, newsletter=newsletter)
        if not proposal.is_sound or (proposal.is_large and not confirms(typed, proposal.audience.people, slug)):
            return proposal
        return self._sending.queue(
            slug, newsletter=newsletter, segment=wish.segment, at=wish.at, zone=_zone(wish), manner=wish.manner
        )

    def undo(self, slug: str, *, newsletter: str) -> IssueState:
        """
        Take back a run that has not started: the issue is approved again, or sent where an earlier run was.

        Raises WrongState once it has started, or where there is none.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            run = store.latest_run(session, issue.id or 0)
            waits = (RunState.SCHEDULED, RunState.PAUSED)
            if run is None or run.started is not None or run.state not in waits:
                raise WrongState(f"issue {slug} is {issue.state.value}: only what has not started can be taken back")
            if not store.change_run(
                session, run.id or 0, expected=(run.state,), state=RunState.CANCELLED, ended=now, held=None
            ):
                raise WrongState(f"issue {slug} has just started: pause it, or cancel it")
            state = _before(store.runs_of(session, issue.id or 0))
            expected = (IssueState.QUEUED, IssueState.PAUSED)
            issues.set_state(session, issue.id or 0, expected=expected, state=state, now=now)
            due = f"was due {rfc3339(run.due_at)}, to {run.segment}" if run.due_at else f"to {run.segment}"
            about = run.mailing.replace(":", " ", 1)
            note_deed(session, Deed.SCHEDULE_UNDONE, operator=self._parts.operator, at=now, about=about, reason=due)
            session.commit()
        return state


def _zone(wish: Wish) -> str | None:
    """Everybody's own hour is in no zone of the officer's."""
    return None if wish.manner.local else wish.zone


def _settings(session: Session, issue: IssueRow, newsletter: str) -> Newsletter:
    if issue.settings is not None:
        return Newsletter.model_validate(issue.settings)
    return get_newsletter(session, newsletter)[1]


def _before(runs: Sequence[RunRow]) -> IssueState:
    """How an issue stood before its newest run, which was taken back."""
    earlier = [run for run in runs[:-1] if run.started is not None]
    if any(run.state is RunState.FINISHED for run in earlier):
        return IssueState.SENT
    return IssueState.CANCELLED if earlier else IssueState.APPROVED
