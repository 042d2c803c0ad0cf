"""
The planner: freezes the audience of a run, one delivery per person.

Takes a run that is being planned and the approved artifacts, yields planned deliveries. Looks once at who is meant,
keeping nobody from writing, and plans them in chunks, each a transaction of its own, so that nothing else waits long;
broken off and begun again it adds nobody twice. All of it is INSERT … SELECT: no person passes through Python.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, case, literal, not_, select
from sqlmodel import Session, col

from newsletter.planning import store, waiting
from newsletter.planning.audience import editions_for
from newsletter.planning.models import RunRow
from newsletter.planning.schedule import instants
from newsletter.planning.snapshot import AUDIENCE, snapshot
from newsletter.planning.stage import HELD_BACK
from newsletter.planning.store import People
from newsletter.planning.withdrawals import clear_withdrawals, has_withdrawn
from subscribers.columns import UTCDateTime
from subscribers.models import Subscriber
from subscribers.segments import Condition
from subscribers.store import AudienceQuery, audience_query

CHUNK: Final = 16_000
"""People a transaction: 100 to 200 ms on SQLite, under the 250 ms that a dispatcher may be kept waiting."""

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
    def variants(self) -> Sequence[frozenset[str]]:
        """The sets of segments that there are artifacts for."""
        return list(dict.fromkeys(variant for variants in self.artifacts.values() for variant in variants))

    def audience(self, variant: frozenset[str]) -> AudienceQuery:
        """Everybody the run is for who belongs to these segments and to no other, as things stand now."""
        belongs = (condition if name in variant else not_(condition) for name, condition in self.segments.items())
        return audience_query(self.condition, newsletter=self.newsletter).where(*belongs)


def freeze(
    engine: Engine,
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
    planned, run_id = 0, run.id or 0
    with Session(engine) as session:
        clear_withdrawals(session, run_id)
        reopens = store.has_ended_before(session, run)
        session.commit()
    with snapshot(engine, [plan.audience(variant) for variant in plan.variants]) as audience:
        people = _people(plan, audience.languages, _earliest(run, audience.zones, now)).where(~has_withdrawn(run_id))
        for done in range(0, audience.total, CHUNK):
            some = people.where(AUDIENCE.c.number > done, AUDIENCE.c.number <= done + CHUNK)
            with audience.writing() as session:
                if not store.is_planning(session, run_id):
                    return planned
                planned += store.plan_chunk(session, some, run=run, now=now)
                planned += store.reopen(session, some, run=run, now=now) if reopens else 0
                session.commit()
            progress(min(done + CHUNK, audience.total), audience.total)
    while run.first is not None:
        with Session(engine) as session:
            going = waiting.let_first_go(session, run, most=CHUNK) if store.is_planning(session, run_id) else 0
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
    whens = [(AUDIENCE.c.timezone.in_(zones_), _unless_past(instant, now)) for instant, zones_ in known.items()]
    other = _unless_past(times.get(None), now)
    return case(*whens, else_=other) if whens else other


def _unless_past(instant: dt.datetime | None, now: dt.datetime) -> ColumnElement[dt.datetime | None]:
    return literal(instant if instant and instant > now else None, type_=UTCDateTime())


def _people(plan: Plan, languages: Iterable[str | None], earliest: ColumnElement[dt.datetime | None]) -> People:
    """
    Those of the audience who are still there, in order, where their edition has an artifact for them.

    By their present digest: whoever has another address since the audience was looked at is written to there.
    """
    chosen = editions_for({*languages, None}, offered=tuple(plan.artifacts), default=plan.default)
    made = [
        {tag: plan.artifacts.get(edition, {}).get(variant) for tag, edition in chosen.items()}
        for variant in plan.variants
    ]
    artifact = case(*((AUDIENCE.c.variant == place, _by_language(each)) for place, each in enumerate(made)))
    return (
        select(
            col(Subscriber.id),
            col(Subscriber.digest),
            _by_language(chosen).label("edition"),
            artifact.label("artifact"),
            earliest.label("at"),
        )
        .join_from(AUDIENCE, Subscriber, col(Subscriber.id) == AUDIENCE.c.id)
        .where(artifact.is_not(None))
        .order_by(AUDIENCE.c.number)
    )


def _by_language(values: Mapping[str | None, str | None]) -> ColumnElement[Any]:
    """What there is for the language somebody asked for, or for none."""
    known = {tag: value for tag, value in values.items() if tag is not None}
    other = literal(values[None])
    return case(known, value=AUDIENCE.c.language, else_=other) if known else other
