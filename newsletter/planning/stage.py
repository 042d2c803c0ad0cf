"""
A staged start: the first of a frozen audience go out, the others wait, and what became of the first decides.

    first ─all tried─► holding ─hold over─► passed
      └────────too much went wrong────────► stopped ─resumed by an officer─► passed

Takes counts of what became of the first, yields whether the others may go out, in words where they may not. The first
are those with the lowest digests: keyed digests are as good as drawn by lot, so that they fall on languages and
providers as the audience does. Pure.
"""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from newsletter.errors import InvalidInput

HELD_BACK: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
"""
The `next_at` of a delivery that waits for the first ones of its run: no clock comes to it. So the others cost one
update of their run when they may go, and not one of each; a claim asks for this very instant then.
"""

COMPLAINTS: Final = 0.003
"""Share of complaints from which large providers refuse bulk senders (Google and Yahoo, sender guidelines of 2024)."""

LONGEST_HOLD: Final = dt.timedelta(days=30)
"""A longer hold is a slip of the keyboard; the newsletter is old by then."""

_DURATION = re.compile(r"(?P<number>\d{1,9})\s*(?P<unit>[smhd])")

_UNITS: Final = {
    "s": (dt.timedelta(seconds=1), "second"),
    "m": (dt.timedelta(minutes=1), "minute"),
    "h": (dt.timedelta(hours=1), "hour"),
    "d": (dt.timedelta(days=1), "day"),
}


class Stage(StrEnum):
    """How far a staged start has come."""

    #: The first go out.
    FIRST = "first"
    #: Each of the first has been tried; the others wait until the hold is over.
    HOLDING = "holding"
    #: Too much went wrong with the first; the others wait for an officer.
    STOPPED = "stopped"
    #: The others go out.
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """
    What became of the first of a run.

    `tried` counts those for whom the relay has said something, or should have; `refused` those whom it refused for
    good, whoever's fault that was, and those who bounced since; `complained` those who complained since. `last` is when
    the last of them was tried.
    """

    tried: int
    refused: int
    complained: int
    last: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The largest shares of the first, from 0 to 1, with which the others still go out."""

    refused: float
    complained: float = COMPLAINTS


def read_hold(words: str) -> dt.timedelta:
    """Read a duration like `90s`, `15m`, `2h` or `1d`; raises InvalidInput for anything else."""
    match = _DURATION.fullmatch(words.strip())
    if match is None:
        raise InvalidInput(f"{words!r} is no duration; write for example 90s, 15m, 2h or 1d")
    unit, _ = _UNITS[match["unit"]]
    hold = int(match["number"]) * unit if int(match["number"]) <= LONGEST_HOLD / unit else None
    if not hold:
        raise InvalidInput(f"{words!r} is no time to wait: choose between 1s and {LONGEST_HOLD.days}d")
    return hold


def hold_words(hold: dt.timedelta) -> str:
    """Say a duration in the largest unit that fits: "15 minutes", "90 seconds"."""
    fitting = [(hold // unit, noun) for unit, noun in _UNITS.values() if not hold % unit]
    number, noun = fitting[-1]
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def objection(sample: Sample, bounds: Bounds) -> str | None:
    """Say why the others must not go out yet; None where they may."""
    if not sample.tried:
        return "none of the first could be written to: nothing is known of what the others would meet"
    for count, bound, what in (
        (sample.refused, bounds.refused, "were refused"),
        (sample.complained, bounds.complained, "complained"),
    ):
        if count / sample.tried > bound:
            share = f"{100 * count / sample.tried:.1f} %, more than {100 * bound:g} %"
            return f"{count:,} of the first {sample.tried:,} {what} ({share})"
    return None
