"""
Puts the program together from its settings: the only place that picks adapters.

Nothing happens at import; `build` opens no database before a verb needs one, and makes the keys where there are none.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sqlmodel import Session

from newsletter.database import Sessions, ensure_current, open_engine, session_factory
from newsletter.keeping.known_keys import ensured_keys
from newsletter.keyring import load_keys
from newsletter.links import Links
from newsletter.pipeline.chores import Chore, Leaving, NobodyElse
from newsletter.pipeline.parts import DESK, Parts
from newsletter.planning.shards import Handing, NotHanded
from newsletter.settings import Settings

if TYPE_CHECKING:
    from newsletter.pipeline.alerting import Alerting
    from newsletter.pipeline.approval import Approval
    from newsletter.pipeline.archive import Archive
    from newsletter.pipeline.building import Building
    from newsletter.pipeline.cadence import Cadences
    from newsletter.pipeline.chores import Chores
    from newsletter.pipeline.control import Control
    from newsletter.pipeline.correction import Corrections
    from newsletter.pipeline.dressing import Dressing
    from newsletter.pipeline.editorial import Editorial
    from newsletter.pipeline.engagement import Engagement
    from newsletter.pipeline.entries import Entries
    from newsletter.pipeline.export import Export
    from newsletter.pipeline.feedback import Feedback
    from newsletter.pipeline.founding import Founding
    from newsletter.pipeline.hooks import Hooks
    from newsletter.pipeline.keys import SigningKeys
    from newsletter.pipeline.operators import Operators
    from newsletter.pipeline.outlets import Outlets
    from newsletter.pipeline.own import Own
    from newsletter.pipeline.people import People
    from newsletter.pipeline.pictures import Pictures
    from newsletter.pipeline.previewing import Previewing
    from newsletter.pipeline.programs import Programs
    from newsletter.pipeline.proof import Proof
    from newsletter.pipeline.register import Register
    from newsletter.pipeline.rendering import Rendering
    from newsletter.pipeline.reporting import Reporting
    from newsletter.pipeline.retention import Retention
    from newsletter.pipeline.reviewing import Reviewing
    from newsletter.pipeline.scheduling import Scheduling
    from newsletter.pipeline.seats import Seats
    from newsletter.pipeline.sending import Sending
    from newsletter.pipeline.signup import Signup
    from newsletter.pipeline.staging import Staging
    from newsletter.pipeline.storing import Storing
    from newsletter.pipeline.today import Days
    from newsletter.pipeline.topics import Topics
    from newsletter.pipeline.translating import Translating
    from newsletter.pipeline.trials import Trials
    from newsletter.pipeline.uploads import Uploads
    from newsletter.pipeline.vitals import Watch
    from newsletter.pipeline.watching import Watching
    from newsletter.pipeline.webhooks import Webhooks
    from newsletter.pipeline.writing import Writing


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """
    The verbs of the program, joined to one database.

    Each group of verbs is imported when it is first asked for: who dispatches needs no compiler.
    """

    parts: Parts
    origin: "Pipeline | None" = None
    """Of one that acts in somebody's name: what it was made of, and shares with it what is kept for looking at."""

    @cached_property
    def entries(self) -> "Entries":
        """Verbs about stored content."""
        from newsletter.pipeline.entries import Entries

        return Entries(self.parts)

    @cached_property
    def editorial(self) -> "Editorial":
        """Verbs about issues that are being made."""
        from newsletter.pipeline.editorial import Editorial

        return Editorial(self.parts)

    @cached_property
    def building(self) -> "Building":
        """Make issues by hand: their items, their words, their dates."""
        from newsletter.pipeline.building import Building

        return Building(self.parts)

    @cached_property
    def approval(self) -> "Approval":
        """Compile, check, approve."""
        from newsletter.pipeline.approval import Approval

        return Approval(self.parts)

    @cached_property
    def previewing(self) -> "Previewing":
        """Look at what would be sent; what it keeps in memory lasts as long as the pipeline."""
        from newsletter.pipeline.previewing import Previewing

        return self.origin.previewing if self.origin else Previewing(self.parts)

    @cached_property
    def reviewing(self) -> "Reviewing":
        """Have somebody without an account look at an edition."""
        from newsletter.pipeline.reviewing import Reviewing

        return Reviewing(self.parts, previewing=self.previewing)

    @cached_property
    def trials(self) -> "Trials":
        """Send editions as a test."""
        from newsletter.pipeline.trials import Trials

        return Trials(self.parts, previewing=self.previewing, proof=self.proof)

    @cached_property
    def sending(self) -> "Sending":
        """Queue runs, start them, close them."""
        from newsletter.pipeline.sending import Sending

        return Sending(self.parts, gate=self._gate)

    @cached_property
    def scheduling(self) -> "Scheduling":
        """Look at a run before it is queued, and take it back."""
        from newsletter.pipeline.scheduling import Scheduling

        return Scheduling(self.parts, sending=self.sending)

    @cached_property
    def watching(self) -> "Watching":
        """Watch a run while it goes out."""
        from newsletter.pipeline.watching import Watching

        return self.origin.watching if self.origin else Watching(self.parts)

    @cached_property
    def reporting(self) -> "Reporting":
        """What became of an issue, in figures."""
        from newsletter.pipeline.reporting import Reporting

        if self.origin:
            return self.origin.reporting
        return Reporting(self.parts, engagement=self.engagement, proof=self.proof)

    @cached_property
    def staging(self) -> "Staging":
        """Look after runs that were started in stages."""
        from newsletter.pipeline.staging import Staging

        return Staging(self.parts)

    @cached_property
    def control(self) -> "Control":
        """Status, pause, resume, cancel, halt."""
        from newsletter.pipeline.control import Control

        return Control(self.parts)

    @cached_property
    def proof(self) -> "Proof":
        """Audit and explanation."""
        from newsletter.pipeline.proof import Proof

        return Proof(self.parts)

    @cached_property
    def corrections(self) -> "Corrections":
        """Correct what was sent."""
        from newsletter.pipeline.correction import Corrections

        return Corrections(self.parts, approval=self.approval)

    @cached_property
    def export(self) -> "Export":
        """The web view as a folder."""
        from newsletter.pipeline.export import Export

        return Export(self.parts, approval=self.approval)

    @cached_property
    def archive(self) -> "Archive":
        """The public archive."""
        from newsletter.pipeline.archive import Archive

        return Archive(self.parts)

    @cached_property
    def people(self) -> "People":
        """Verbs about subscribers, lists and segments."""
        from newsletter.pipeline.people import People

        return People(self.parts)

    @cached_property
    def retention(self) -> "Retention":
        """End what has lasted for its term."""
        from newsletter.pipeline.retention import Retention

        return Retention(self.parts)

    @cached_property
    def feedback(self) -> "Feedback":
        """What comes back: absorb it, show it."""
        from newsletter.pipeline.feedback import Feedback

        return Feedback(self.parts)

    @cached_property
    def hooks(self) -> "Hooks":
        """What mail providers tell by webhook."""
        from newsletter.pipeline.hooks import Hooks

        return Hooks(self.parts, feedback=self.feedback)

    @cached_property
    def engagement(self) -> "Engagement":
        """Clicks and opened messages."""
        from newsletter.pipeline.engagement import Engagement

        return Engagement(self.parts)

    @cached_property
    def signup(self) -> "Signup":
        """Ask for lists, and confirm."""
        from newsletter.pipeline.signup import Signup

        return Signup(self.parts)

    @cached_property
    def own(self) -> "Own":
        """What a person does about themselves."""
        from newsletter.pipeline.own import Own

        return Own(self.parts)

    @cached_property
    def pictures(self) -> "Pictures":
        """Store uploaded pictures."""
        from newsletter.pipeline.pictures import Pictures

        return Pictures(self.parts)

    @cached_property
    def rendering(self) -> "Rendering":
        """Show an entry as it will look."""
        from newsletter.pipeline.rendering import Rendering

        return Rendering(self.parts)

    @cached_property
    def translating(self) -> "Translating":
        """Send texts to translators, and take them back."""
        from newsletter.pipeline.translating import Translating

        return Translating(self.parts)

    @cached_property
    def topics(self) -> "Topics":
        """Change topics."""
        from newsletter.pipeline.topics import Topics

        return Topics(self.parts)

    @cached_property
    def register(self) -> "Register":
        """Look for people, and at one of them."""
        from newsletter.pipeline.register import Register

        return Register(self.parts)

    @cached_property
    def uploads(self) -> "Uploads":
        """Files of people that were uploaded."""
        from newsletter.pipeline.uploads import Uploads

        return Uploads(self.parts, imports=self.people.imports, signup=self.signup)

    @cached_property
    def operators(self) -> "Operators":
        """The team: accounts, signing in, tokens, the audit log."""
        from newsletter.pipeline.operators import Operators

        return Operators(self.parts)

    @cached_property
    def founding(self) -> "Founding":
        """Make newsletters, and change their settings."""
        from newsletter.pipeline.founding import Founding

        return Founding(self.parts)

    @cached_property
    def dressing(self) -> "Dressing":
        """Try themes on."""
        from newsletter.pipeline.dressing import Dressing

        return Dressing(self.parts)

    @cached_property
    def cadence(self) -> "Cadences":
        """Make drafts when they are due."""
        from newsletter.pipeline.cadence import Cadences

        return Cadences(self.parts)

    @cached_property
    def alerting(self) -> "Alerting":
        """Tell officers what they chose to be told."""
        from newsletter.pipeline.alerting import Alerting

        return Alerting(self.parts)

    @cached_property
    def outlets(self) -> "Outlets":
        """Look at the mail servers."""
        from newsletter.pipeline.outlets import Outlets

        return Outlets(self.parts)

    @cached_property
    def today(self) -> "Days":
        """What needs somebody today."""
        from newsletter.pipeline.today import Days

        return Days(self.parts)

    @cached_property
    def seats(self) -> "Seats":
        """Sign in at the desk."""
        from newsletter.pipeline.seats import Seats

        return Seats(self.parts)

    @cached_property
    def writing(self) -> "Writing":
        """Write entries at the desk: the register, the editor, the history."""
        from newsletter.pipeline.writing import Writing

        return Writing(self.parts)

    @cached_property
    def programs(self) -> "Programs":
        """Requests of programs that come twice."""
        from newsletter.pipeline.programs import Programs

        return Programs(self.parts)

    @cached_property
    def storing(self) -> "Storing":
        """Store what programs send, whole."""
        from newsletter.pipeline.storing import Storing

        return Storing(self.parts)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """Call programs when something happened."""
        from newsletter.pipeline.webhooks import Webhooks

        return Webhooks(self.parts)

    @cached_property
    def keys(self) -> "SigningKeys":
        """Have another key sign links."""
        from newsletter.pipeline.keys import SigningKeys

        return SigningKeys(self.parts)

    @cached_property
    def watch(self) -> "Watch":
        """How the installation stands, for a monitoring."""
        from newsletter.pipeline.vitals import Watch

        return self.origin.watch if self.origin else Watch(self.parts)

    @cached_property
    def chores(self) -> "Chores":
        """What is done now and then, by a worker where one lives."""
        from newsletter.pipeline.chores import Chores, round_of

        return Chores(
            self.parts.leaving,
            {
                Chore.WEBHOOKS: round_of(self.webhooks.tick),
                Chore.NOTICES: round_of(self.alerting.watch),
                Chore.DRAFTS: round_of(self.cadence.tick),
                Chore.REPORTS: round_of(self.reporting.keep_up),
                Chore.IMPORT: lambda words, stopping: self.acting_as(words["operator"]).uploads.work(
                    words["key"], stopping=stopping
                ),
            },
        )

    def acting_as(self, operator: str) -> "Pipeline":
        """The same verbs, done by an operator: their name stands in the audit log."""
        sessions = session_factory(self.parts.engine, operator=operator)
        parts = replace(self.parts, operator=operator, sessions=sessions, source=DESK)
        return Pipeline(parts=parts, origin=self)

    def wake(self, now: dt.datetime | None = None) -> None:
        """Do what is due: answer sign-up forms, start runs. The scheduler and the dispatcher call it all the time."""
        from newsletter.pipeline.waking import waiting

        found = waiting(self.parts.engine)
        if found.forms:
            self.signup.answer()
        if found.runs:
            self.sending.start_due(now)

    def take_up(self) -> None:
        """Have imports go on that were broken off."""
        for key, operator in self.uploads.left_behind():
            self.chores.do(Chore.IMPORT, key=key, operator=operator)

    def _gate(self, slug: str, *, newsletter: str | None) -> None:
        self.approval.ensure_approved(slug, newsletter=newsletter)


def build(settings: Settings, *, operator: str | None = None, migrated: bool = True) -> Pipeline:
    """
    Join the stages.

    Raises DatabaseFault, saying what to do, unless the tables are `migrated` to this version, and ConfigurationFault
    where this machine lacks keys that the database was used with.
    """
    engine = open_engine(settings.database.url)
    if migrated:
        ensure_current(engine)
    now = dt.datetime.now(dt.UTC)
    keys = ensured_keys(engine, settings, now=now) if migrated else load_keys(settings)
    return Pipeline(
        parts=Parts(
            settings=settings,
            engine=engine,
            sessions=session_factory(engine, operator=operator or settings.operator),
            keys=keys,
            links=Links(settings.public_url, settings.media_url),
            operator=operator or settings.operator,
            now=lambda: dt.datetime.now(dt.UTC),
            handing=NotHanded() if engine.dialect.name == "sqlite" else _ByJobs(),
            leaving=NobodyElse() if engine.dialect.name == "sqlite" else _ToWorkers(session_factory(engine)),
        )
    )


class _ByJobs(Handing):
    """Hands shards out as jobs of Procrastinate, which is imported when there is something to hand out."""

    def hand_out(self, session: Session, run_id: int) -> int:
        from newsletter.tasks.shards import hand_out

        return hand_out(session, run_id)


class _ToWorkers(Leaving):
    """Leaves chores to Procrastinate's workers; what that takes is imported when there is something to leave."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def leave(self, chore: Chore, words: Mapping[str, str]) -> bool:
        from newsletter.tasks.chores import leave

        return leave(self._sessions, chore, words)
