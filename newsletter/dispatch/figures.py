"""
What became of an issue's deliveries, as figures: in all, by language, by provider, by reason, over time.

Takes counts, yields frozen values that can be stored and read back as JSON. Promises that nobody can be told from them:
providers with fewer than `FEWEST` readers are counted together, and what relays said is masked. Pure.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from newsletter.dispatch.outcome import Fault
from newsletter.dispatch.providers import group_of
from newsletter.planning.models import DeliveryState

FEWEST: Final = 5
"""A provider with fewer readers than this is not named: who writes to four people at one office knows them."""

MOST_PROVIDERS: Final = 30
"""Providers that are named; the others are counted together."""

MOST_MOMENTS: Final = 120
"""Points of a curve: more would not be told apart on a page."""

States = Mapping[DeliveryState, int]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Part(_Value):
    """A part of the audience, such as a language or a provider, and how many of it stand in each state."""

    name: str
    states: dict[DeliveryState, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.states.values())

    def count(self, *states: DeliveryState) -> int:
        """How many stand in one of these states."""
        return sum(self.states.get(state, 0) for state in states)


class Cause(_Value):
    """Why relays did not take some messages: whose fault, their codes, and what one of them said, masked."""

    state: DeliveryState
    fault: Fault | None
    code: int | None
    enhanced: str | None
    said: str
    number: int


class Moment(_Value):
    """How many messages relays took from an instant on, until the next one."""

    at: dt.datetime
    number: int


class Figures(_Value):
    """
    All that is counted of an issue's deliveries, its runs together.

    `others` are the readers of providers that are not named, `unknown` those whose address is not known any more.
    `step` is the distance of the `moments` in seconds.
    """

    states: dict[DeliveryState, int]
    languages: tuple[Part, ...]
    providers: tuple[Part, ...]
    others: Part
    unknown: int
    causes: tuple[Cause, ...]
    relays: tuple[Part, ...]
    moments: tuple[Moment, ...]
    step: int

    @property
    def total(self) -> int:
        """Everybody for whom a delivery was planned."""
        return sum(self.states.values())

    def count(self, *states: DeliveryState) -> int:
        """How many deliveries stand in one of these states."""
        return sum(self.states.get(state, 0) for state in states)

    @classmethod
    def of(
        cls,
        *,
        languages: Iterable[tuple[str, DeliveryState, int]],
        domains: Iterable[tuple[str, DeliveryState, int]],
        relays: Iterable[tuple[str, DeliveryState, int]],
        causes: Sequence[Cause],
        taken: Sequence[tuple[dt.datetime, int]],
        step: int,
    ) -> Self:
        """Put counts together; `taken` is how many messages relays took in each span of `step` seconds, in order."""
        by_language = _parts(languages)
        by_provider = _parts((group_of(f"@{domain}"), state, number) for domain, state, number in domains)
        states: Counter[DeliveryState] = Counter()
        for part in by_language:
            states.update(part.states)
        named = [part for part in by_provider if part.total >= FEWEST][:MOST_PROVIDERS]
        others: Counter[DeliveryState] = Counter()
        for part in by_provider[len(named) :] if named else by_provider:
            others.update(part.states)
        known = sum(part.total for part in by_provider)
        moments, wide = thinned(taken, step=step)
        return cls(
            states=dict(states),
            languages=by_language,
            providers=tuple(named),
            others=Part(name="", states=dict(others)),
            unknown=states.total() - known,
            causes=tuple(causes),
            relays=_parts(relays),
            moments=moments,
            step=wide,
        )


def _parts(counted: Iterable[tuple[str, DeliveryState, int]]) -> tuple[Part, ...]:
    """Parts by name, the largest first."""
    found: dict[str, Counter[DeliveryState]] = {}
    for name, state, number in counted:
        found.setdefault(name, Counter())[state] += number
    parts = [Part(name=name, states=dict(states)) for name, states in found.items()]
    return tuple(sorted(parts, key=lambda part: (-part.total, part.name)))


def thinned(taken: Sequence[tuple[dt.datetime, int]], *, step: int) -> tuple[tuple[Moment, ...], int]:
    """Put neighbouring spans of `step` seconds together until no more than `MOST_MOMENTS` are left; gaps count."""
    if not taken:
        return (), step
    first, last = taken[0][0], taken[-1][0]
    spans = int((last - first).total_seconds()) // step + 1
    wide = step * -(-spans // MOST_MOMENTS)
    counts: Counter[int] = Counter()
    for at, number in taken:
        counts[int((at - first).total_seconds()) // wide] += number
    return tuple(
        Moment(at=first + dt.timedelta(seconds=place * wide), number=counts[place]) for place in range(max(counts) + 1)
    ), wide
