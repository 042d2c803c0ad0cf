"""
What an officer wishes for an issue, and what it comes to: who gets it, when, and what speaks against it.

Takes nothing; yields the frozen values that `scheduling` finds and the desk shows, and the rules that need no database.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from newsletter.assembly.facts import IssueState
from newsletter.planning.audience import Share
from newsletter.planning.manner import AT_ONCE, Manner
from newsletter.planning.models import RunRow
from newsletter.planning.schedule import Reading


class Objection(StrEnum):
    """Why an issue cannot be queued as an officer wishes."""

    #: It is a draft.
    NOT_APPROVED = "not approved"
    #: A run of it has not ended.
    UNDER_WAY = "under way"
    #: It was sent: only those who missed it can get it.
    SENT = "sent"
    #: Nobody can have missed what was never sent.
    NOT_MISSED = "not missed"
    #: No segment was chosen, or it is gone.
    NO_SEGMENT = "no segment"
    #: Its expression cannot be evaluated.
    UNUSABLE_SEGMENT = "unusable segment"
    #: Nobody would get it.
    NOBODY = "nobody"
    #: No date and time were said, or none that can be read.
    NO_TIME = "no time"
    #: The time is past.
    PAST = "past"
    #: The time is past where some of the readers live.
    PAST_SOMEWHERE = "past somewhere"
    #: The number of the first ones, or how long the others wait, cannot be used.
    UNUSABLE_STAGE = "unusable stage"
    #: Stages and everybody's own hour exclude each other.
    STAGED_LOCALLY = "staged locally"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What an officer asks for: a segment, at a wall-clock time in a zone or at once (`at` is None), in a manner.

    `unread` are objections that were found while the form was read.
    """

    segment: str
    at: str | None = None
    zone: str | None = None
    manner: Manner = AT_ONCE
    unread: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """
    Who would get an issue if it went out now.

    `shares` say how many asked for which language and get which edition. `others` belong to the segment and get
    nothing: they left, bounced, or never confirmed.
    """

    shares: tuple[Share, ...]
    others: int

    @property
    def people(self) -> int:
        """How many get a message."""
        return sum(share.people for share in self.shares)

    @property
    def editions(self) -> dict[str, int]:
        """How many get which edition, the largest first."""
        found: dict[str, int] = {}
        for share in self.shares:
            found[share.language] = found.get(share.language, 0) + share.people
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def told(self) -> tuple[tuple[int, str, str | None], ...]:
        """How many get which edition, and instead of which language they asked for; these come last."""
        own = tuple(share for share in self.shares if not share.substitute)
        plain = Audience(shares=own, others=0).editions
        instead = tuple((share.people, share.language, share.wanted) for share in self.substitutes)
        return (*((people, language, None) for language, people in plain.items()), *instead)

    @property
    def substitutes(self) -> tuple[Share, ...]:
        """Those who get another language than theirs."""
        return tuple(share for share in self.shares if share.substitute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another issue that goes to some of the same people within a day: how many, `more` where counting ended."""

    newsletter: str
    slug: str
    at: dt.datetime
    people: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the page needs to know of an issue: its state, its open run, its zone, and whom it may go to."""

    slug: str
    newsletter: str
    state: IssueState
    zone: str
    run: RunRow | None
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    Who would get an issue and when, and what an officer should know of it.

    `due` is when the first message goes, None where that is at once; `last` when the last does, at everybody's own
    hour; `again` and `skipped` are the reading's. `threshold` is the audience from which an officer has to type it.
    """

    wish: Wish
    audience: Audience
    reading: Reading | None
    due: dt.datetime | None
    last: dt.datetime | None
    objections: tuple[Objection, ...]
    neighbours: tuple[Neighbour, ...]
    has_relay: bool
    is_local: bool
    threshold: int

    @property
    def is_sound(self) -> bool:
        """Whether it can be queued."""
        return not self.objections

    @property
    def is_large(self) -> bool:
        """Whether it has to be confirmed by typing."""
        return self.audience.people > self.threshold


def confirms(typed: str, people: int, slug: str) -> bool:
    """Whether what was typed is the number of people, however it is grouped, or the name of the issue."""
    digits = "".join(letter for letter in typed if letter.isdigit())
    grouped = "".join(letter for letter in typed if not letter.isspace() and letter not in ".,'’")
    return typed.strip() == slug or (digits == grouped and digits == str(people))


def objections_of_state(standing: Standing, manner: Manner) -> tuple[Objection, ...]:
    """What speaks against queueing an issue that stands like this."""
    if standing.run is not None:
        return (Objection.UNDER_WAY,)
    if manner.missed:
        return () if standing.state in {IssueState.SENT, IssueState.CANCELLED} else (Objection.NOT_MISSED,)
    if standing.state is IssueState.DRAFT:
        return (Objection.NOT_APPROVED,)
    if standing.state in {IssueState.SENT, IssueState.SENDING}:
        return (Objection.SENT,)
    return ()


def objections_of_manner(manner: Manner) -> tuple[Objection, ...]:
    """What contradicts itself in a manner."""
    if (manner.first is None) != (manner.hold is None) or (manner.first is not None and manner.first < 1):
        return (Objection.UNUSABLE_STAGE,)
    return (Objection.STAGED_LOCALLY,) if manner.local and manner.first is not None else ()
