"""Runs as the API shows them."""

import datetime as dt
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from newsletter.assembly.facts import IssueState
from newsletter.dispatch.audit import Check
from newsletter.dispatch.story import Story
from newsletter.pipeline.control import Standing
from newsletter.pipeline.sending import Queued
from newsletter.planning.manner import Manner
from newsletter.planning.stage import read_hold

Text = Annotated[str, StringConstraints(max_length=80)]


class Queue(BaseModel):
    """For whom an issue is queued, when, and in which manner."""

    segment: Annotated[str, Field(min_length=1, max_length=80)]
    at: Text | None = Field(None, description="Wall-clock time like 2026-12-01 09:00; none: at once.")
    timezone: Text | None = Field(None, description="Zone of `at`; none: the newsletter's.")
    recipient_local: bool = Field(default=False, description="`at` is meant where each reader is.")
    missed: bool = Field(default=False, description="Only those who have not got it.")
    first: int | None = Field(None, ge=1, le=10_000_000, description="So many go first; with `hold`.")
    hold: Text | None = Field(None, description="How long the others wait, like 15m, 2h, 1d.")

    @property
    def manner(self) -> Manner:
        """The manner of the run; raises InvalidInput."""
        hold = None if self.hold is None else read_hold(self.hold)
        return Manner(first=self.first, hold=hold, local=self.recipient_local, missed=self.missed)


class ShareShown(BaseModel):
    """How many people get which edition."""

    wanted: str
    edition: str
    people: int


class QueuedShown(BaseModel):
    """A run that was queued."""

    due: dt.datetime
    last: dt.datetime | None = Field(description="Where each gets it at their own hour: when the last do.")
    segment: str
    audience: int
    languages: list[ShareShown]
    remarks: list[str]

    @classmethod
    def of(cls, queued: Queued) -> Self:
        """What queuing has answered."""
        return cls(
            due=queued.due,
            last=queued.last,
            segment=queued.segment,
            audience=sum(share.people for share in queued.shares),
            languages=[
                ShareShown(wanted=share.wanted or "", edition=share.language, people=share.people)
                for share in queued.shares
            ],
            remarks=list(queued.remarks),
        )


class StandingShown(BaseModel):
    """How an issue's dispatch stands."""

    state: IssueState
    total: int
    deliveries: dict[str, int] = Field(description="How many deliveries are in which state.")
    languages: dict[str, int]
    segment: str | None
    due: dt.datetime | None
    held: str | None
    on_the_wire: int
    beyond_recall: int

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The state of a run."""
        return cls(
            state=standing.state,
            total=standing.total,
            deliveries={state.value: count for state, count in standing.counts.items()},
            languages=dict(standing.languages),
            segment=standing.segment,
            due=standing.due,
            held=standing.held,
            on_the_wire=standing.on_the_wire,
            beyond_recall=standing.beyond_recall,
        )


class CheckShown(BaseModel):
    """One invariant of the audit."""

    code: str
    words: str
    violations: int


class AuditShown(BaseModel):
    """Whether everybody of the frozen audience ended exactly once."""

    holds: bool
    checks: list[CheckShown]

    @classmethod
    def of(cls, checks: list[Check]) -> Self:
        """The audit of a run."""
        shown = [CheckShown(code=each.code, words=each.words, violations=each.violations) for each in checks]
        return cls(holds=all(each.holds for each in checks), checks=shown)


class AddressBody(BaseModel):
    """Whom it is about; in the body, because addresses of pages end up in logs."""

    address: str = Field(min_length=3, max_length=320)


class TestBody(AddressBody):
    """Who gets a test, and which edition."""

    language: str | None = Field(None, max_length=35)


class TestShown(BaseModel):
    """A test that is on its way."""

    mailing: str


class StoryShown(BaseModel):
    """What became of one delivery, in words."""

    state: str | None
    language: str | None
    lines: list[str]

    @classmethod
    def of(cls, story: Story) -> Self:
        """The story of a delivery."""
        state = story.state.value if story.state else None
        return cls(state=state, language=story.language, lines=list(story.lines))


class Halted(BaseModel):
    """Which issues were paused."""

    issues: list[str]
