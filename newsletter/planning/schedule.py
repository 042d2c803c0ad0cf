"""When a run is due: wall-clock time and zone to an instant, and what to do with one that was missed. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from newsletter.errors import InvalidInput
from newsletter.times import UnknownZone, local

LATEST: Final = dt.timedelta(hours=6)
"""A run missed by less than this (the machine slept) still starts; a later one waits for the officer (DESIGN §9)."""

_WALL = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<hour>\d{1,2}):(?P<rest>\d{2}(?::\d{2})?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    What a wall-clock time means in a zone, for the officer who said it; instants are in UTC.

    `skipped` says that no clock there ever shows it, for it is put forward just then. `again` is when the clocks show
    it for the second time, having been put back.
    """

    instant: dt.datetime
    skipped: bool = False
    again: dt.datetime | None = None


def reading_of(wall: str, *, zone: str) -> Reading:
    """Read a wall-clock time as `due_at` does, past or not. Raises InvalidInput for anything unreadable."""
    clock = _read(wall)
    instant = _instant(clock, zone)
    place = ZoneInfo(zone)
    if instant.astimezone(place).replace(tzinfo=None) != clock:
        return Reading(instant=instant, skipped=True)
    second = clock.replace(tzinfo=place, fold=1).astimezone(dt.UTC)
    return Reading(instant=instant, again=second if second != instant else None)


def due_at(wall: str, *, zone: str, now: dt.datetime) -> dt.datetime:
    """
    The instant of the wall-clock time `YYYY-MM-DD HH:MM[:SS]` in an IANA zone, in UTC.

    A time that a clock change skips means the first instant after the gap; one that occurs twice means the first.
    Raises InvalidInput for anything unreadable or past.
    """
    instant = _instant(_read(wall), zone)
    if instant <= now:
        raise InvalidInput(f"{wall} in {zone} is past: choose a later time, or --now")
    return instant


def instants(wall: str, *, zones: Iterable[str | None], default: str) -> Mapping[str | None, dt.datetime]:
    """
    The instant of a wall-clock time in each of `zones`, in UTC; None, and a zone unknown here, means the default one.

    Skipped and doubled hours are read as in `due_at`. Raises InvalidInput for a time that cannot be read.
    """
    clock = _read(wall)
    fallback = _instant(clock, default)
    found: dict[str | None, dt.datetime] = {}
    for zone in zones:
        try:
            found[zone] = local(clock, zone).astimezone(dt.UTC) if zone else fallback
        except UnknownZone:
            found[zone] = fallback
    return found


def due_locally(
    wall: str, *, zones: Iterable[str | None], default: str, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """
    When it is this wall-clock time for the first and for the last of those who live in `zones`, in UTC.

    Raises InvalidInput where that is past for anybody: they would get it at the wrong hour.
    """
    found = instants(wall, zones=zones, default=default) or {None: due_at(wall, zone=default, now=now)}
    zone = min(found, key=lambda each: found[each])
    if found[zone] <= now:
        raise InvalidInput(f"{wall} is past in {zone or default}, where somebody reads it: choose a later time")
    return found[zone], max(found.values())


def _instant(clock: dt.datetime, zone: str) -> dt.datetime:
    try:
        return local(clock, zone).astimezone(dt.UTC)
    except UnknownZone as error:
        raise InvalidInput(f"{zone!r} is no IANA time zone; write for example Europe/Brussels") from error


def _read(wall: str) -> dt.datetime:
    match = _WALL.fullmatch(wall.strip())
    try:
        if match:
            return dt.datetime.fromisoformat(f"{match['day']}T{match['hour'].zfill(2)}:{match['rest']}")
    except ValueError:  # a thirteenth month, a twenty-fifth hour
        pass
    raise InvalidInput(f"{wall!r} is no date and time; write for example 2026-12-01 09:00")


def starts(due: dt.datetime, *, now: dt.datetime) -> bool:
    """Whether a run that was due at `due` may start now; one that is too late waits for the officer."""
    return due <= now <= due + LATEST


def too_late(due: dt.datetime, *, now: dt.datetime) -> bool:
    """Whether a run was missed by so much that an officer has to decide."""
    return now > due + LATEST
