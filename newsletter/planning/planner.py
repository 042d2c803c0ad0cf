"""
The planner: freezes the audience of a run, one delivery per person.

Takes a run that is being planned and the approved artifacts, yields planned deliveries. Works through the audience in
chunks of subscriber ids, each a transaction of its own, so that nothing else waits long; broken off and begun again it
adds nobody twice. All of it is INSERT … SELECT: no person passes through Python.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, not_, or_, select
from sqlmodel import Session, col

from newsletter.database import Sessions
from newsletter.planning import store
from newsletter.planning.audience import editions_for
from newsletter.planning.models import RunRow
from newsletter.planning.store import People
from subscribers.models import Subscriber
from subscribers.segments import Condition
from subscribers.store import AudienceQuery, audience_languages, audience_query

CHUNK: Final = 20_000
"""Subscriber ids a transaction: about 50 ms on SQLite, well under the 250 ms that a dispatcher may be kept waiting."""

Artifacts = Mapping[str, Mapping[frozenset[str], str]]
"""Digest of the artifact per language and per variant (the set of segments it is for)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What a run sends to whom.

    `condition` is the run's segment, `newsletter` the key under which people leave; `segments` are the conditions of
    the segments that limit items, by name.
    """

    newsletter: str
    artifacts: Artifacts
    default: str
    condition: Condition
    segments: Mapping[str, Condition]

    @property
    def audience(self) -> AudienceQuery:
        """Everybody the run is for, as things stand now."""
        return audience_query(self.condition, newsletter=self.newsletter)


def freeze(
    sessions: Sessions,
    run: RunRow,
    *,
    plan: Plan,
    now: dt.datetime,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """
    Add a planned delivery for everybody in the audience; returns how many were added or opened again.

    Ends where it is once the run is not being planned any more: it was cancelled, or somebody else has planned it.
    """
    planned = 0
    with sessions() as session:
        bounds = _bounds(session, plan.audience)
        wanted = audience_languages(session, plan.condition, newsletter=plan.newsletter)
        session.rollback()
    if bounds is None:
        return 0
    chosen = editions_for(wanted, offered=tuple(plan.artifacts), default=plan.default)
    low, high = bounds
    for first in range(low, high + 1, CHUNK):
        with sessions() as session:
            if not store.is_planning(session, run.id or 0):
                session.rollback()
                break
            for language, artifact, audience in _parts(plan, chosen, first=first, last=first + CHUNK - 1):
                planned += store.plan_chunk(session, audience, run=run, language=language, artifact=artifact, now=now)
                planned += store.reopen(session, audience, run=run, artifact=artifact, language=language, now=now)
            session.commit()
        progress(min(first + CHUNK, high) - low, high - low)
    return planned


def _bounds(session: Session, audience: AudienceQuery) -> tuple[int, int] | None:
    people = audience.subquery()
    low, high = session.execute(select(func.min(people.c.id), func.max(people.c.id))).one()
    return None if low is None else (low, high)


def _parts(plan: Plan, chosen: Mapping[str | None, str], *, first: int, last: int) -> Iterator[tuple[str, str, People]]:
    """One query a language and variant: edition, digest of its artifact, people."""
    for language, variants in plan.artifacts.items():
        asked = [tag for tag, edition in chosen.items() if edition == language]
        if not asked:
            continue
        named = col(Subscriber.language).in_([tag for tag in asked if tag is not None])
        whose = or_(named, col(Subscriber.language).is_(None)) if None in asked else named
        for segments, artifact in variants.items():
            belongs = [condition if name in segments else not_(condition) for name, condition in plan.segments.items()]
            people = plan.audience.where(col(Subscriber.id).between(first, last), whose, *belongs)
            yield language, artifact, people.with_only_columns(col(Subscriber.id), col(Subscriber.digest))
