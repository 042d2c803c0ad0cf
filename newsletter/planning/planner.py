"""
The planner: freezes the audience of a run, one delivery per person.

Takes a run that is being planned and the approved artifacts, yields planned deliveries. Works through the audience in
chunks, each a transaction of its own, so that nothing else waits long; broken off and begun again it adds nobody twice.
All of it is INSERT … SELECT: no person passes through Python.

A chunk is a range of digests, which are spread evenly: one person after another in the order of the index that keeps
deliveries unique. In any other order every chunk would write nearly every page of that index anew.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sqlalchemy import ColumnElement, and_, case, literal, not_, true
from sqlmodel import col

from newsletter.database import Sessions
from newsletter.planning import store, waiting
from newsletter.planning.audience import editions_for
from newsletter.planning.models import RunRow
from newsletter.planning.schedule import instants
from newsletter.planning.stage import HELD_BACK
from newsletter.planning.store import People
from subscribers.columns import UTCDateTime
from subscribers.models import Subscriber
from subscribers.segments import Condition, one_by_one
from subscribers.store import AudienceQuery, audience_languages, audience_query

CHUNK: Final = 10_000
"""People a transaction: about 80 ms on SQLite, well under the 250 ms that a dispatcher may be kept waiting."""

_DIGITS: Final = 8
"""Of a digest, in hexadecimal: what the ranges are cut by."""

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

    Ends where it is once the run is not being planned any more: it was cancelled, or somebody else has planned it. Of a
    staged run all wait (`stage.HELD_BACK`) but the first ones.
    """
    planned = 0
    with sessions() as session:
        wanted = audience_languages(session, plan.condition, newsletter=plan.newsletter)
        reopens = store.has_ended_before(session, run)
        passed_over = sum(store.states_of(session, run.mailing).values()) if run.missed else 0
        zones = waiting.audience_zones(session, plan.condition, newsletter=plan.newsletter) if run.local else []
        session.rollback()
    chosen = editions_for(wanted, offered=tuple(plan.artifacts), default=plan.default)
    people = [one_by_one(some) for some in _people(plan, chosen, _earliest(run, zones, now))]
    total, done = sum(wanted.values()), 0
    for within in _ranges(total + passed_over):
        with sessions() as session:
            if not store.is_planning(session, run.id or 0):
                session.rollback()
                break
            for part in people:
                some = part.where(within)
                planned += store.plan_chunk(session, some, run=run, now=now)
                planned += store.reopen(session, some, run=run, now=now) if reopens else 0
            session.commit()
        done = min(done + CHUNK, total)
        progress(done, total)
    while run.first is not None:
        with sessions() as session:
            going = waiting.let_first_go(session, run, most=CHUNK) if store.is_planning(session, run.id or 0) else 0
            session.commit()
        if not going:
            break
    return planned


def _earliest(run: RunRow, zones: Iterable[str | None], now: dt.datetime) -> ColumnElement[dt.datetime | None]:
    """
    When a delivery of the run goes out at the earliest, NULL where that is at once.

    At everybody's own hour this is one CASE over the instants there are, which are few: many zones share one.
    """
    if run.first is not None:
        return literal(HELD_BACK, type_=UTCDateTime())
    times = instants(run.wall or "", zones=[*zones, None], default=run.zone or "UTC") if run.local else {}
    known: dict[dt.datetime, list[str]] = {}
    for zone, instant in times.items():
        if zone is not None:
            known.setdefault(instant, []).append(zone)
    whens = [(col(Subscriber.timezone).in_(zones_), _unless_past(instant, now)) for instant, zones_ in known.items()]
    # Whoever has moved since to a zone that nobody had is treated as somebody of whom no zone is known.
    other = _unless_past(times.get(None), now)
    return case(*whens, else_=other) if whens else other


def _unless_past(instant: dt.datetime | None, now: dt.datetime) -> ColumnElement[dt.datetime | None]:
    return literal(instant if instant and instant > now else None, type_=UTCDateTime())


def _ranges(total: int) -> Iterator[ColumnElement[bool]]:
    """Ranges of digests with about as many people each as go into a chunk; `total` is how many are looked at."""
    digest = col(Subscriber.digest)
    count = max(1, -(-total // CHUNK))
    cuts = [f"{number * 16**_DIGITS // count:0{_DIGITS}x}" for number in range(1, count)]
    for low, high in pairwise((None, *cuts, None)):
        yield and_(true(), *([digest >= low] if low else []), *([digest < high] if high else []))


def _people(
    plan: Plan, chosen: Mapping[str | None, str], earliest: ColumnElement[dt.datetime | None]
) -> Iterator[People]:
    """
    One query a variant: subscriber id, digest, edition, digest of its artifact, earliest time, in the order of digests.

    Whoever changes to a language that nobody had when the freeze began gets the newsletter's default.
    """
    for variant in dict.fromkeys(variant for variants in plan.artifacts.values() for variant in variants):
        made = {language: variants[variant] for language, variants in plan.artifacts.items() if variant in variants}
        editions = {tag: edition for tag, edition in chosen.items() if tag is not None and edition in made}
        other = chosen.get(None, plan.default)
        known = true() if other in made else col(Subscriber.language).in_(list(editions))
        belongs = [condition if name in variant else not_(condition) for name, condition in plan.segments.items()]
        yield (
            plan.audience.where(known, *belongs)
            .with_only_columns(
                col(Subscriber.id),
                col(Subscriber.digest),
                _by_tag(editions, other).label("edition"),
                _by_tag({tag: made[edition] for tag, edition in editions.items()}, made.get(other, "")).label(
                    "artifact"
                ),
                earliest.label("at"),
            )
            .order_by(col(Subscriber.digest))
        )


def _by_tag(values: Mapping[str, str], other: str) -> ColumnElement[str]:
    return case(dict(values), value=col(Subscriber.language), else_=other) if values else literal(other)
