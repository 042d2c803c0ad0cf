"""
icalendar: the sittings of an issue as a calendar file (RFC 5545).

Takes an edition (or one of its events), yields the bytes of a `.ics`: METHOD:PUBLISH, the zones it uses, and one event
a sitting with a UID that stays and a SEQUENCE that grows, so that importing a later file moves or cancels the entry
that a reader already has. Promises no clock (DTSTAMP is the issue's date, or that of its last correction), no invented
end, the same bytes for the same edition, and what a published event has to have (RFC 5546 §3.2.1), its organizer
included: the newsletter's sender.

Zones are described by their real changes, one by one: rules that some calendar guesses fail where a government decides
each year anew, and a zone that goes back for one month (Morocco's, in Ramadan) is easily missed.
"""

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText

from newsletter.assembly.edition import CalendarEvent, Edition
from newsletter.content.entry import SittingStatus
from newsletter.times import Span
from subscribers.address import parse_address

PRODUCT: Final = "-//newsletter//newsletter 1//EN"
"""Who made the file (RFC 5545 §3.7.3)."""

_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_DAY: Final = dt.timedelta(days=1)


class _Onset(NamedTuple):
    """What a change of a zone's clocks brings; `offset_from` held before."""

    offset_from: dt.timedelta
    offset_to: dt.timedelta
    name: str
    daylight: bool


def issue_file(edition: Edition, *, modified: dt.datetime | None = None) -> bytes:
    """All sittings of an edition, in the edition's words; `modified` says when it was corrected last, if it was."""
    return _file(edition.events, edition=edition, name=edition.name.text, modified=modified)


def sitting_file(event: CalendarEvent, *, edition: Edition, modified: dt.datetime | None = None) -> bytes:
    """One sitting, as it stands in an edition; `modified` as for the issue."""
    return _file([event], edition=edition, name=event.title, modified=modified)


def _file(events: Sequence[CalendarEvent], *, edition: Edition, name: str, modified: dt.datetime | None) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # The library takes an unknown name's value as it is, so that a comma or a line end would break it.
    calendar.add("x-wr-calname", vText(_line(name)))
    for zone in _zones(event.span for event in events):
        calendar.add_component(zone)
    for event in events:
        calendar.add_component(_event(event, edition=edition, modified=modified))
    content: bytes = calendar.to_ical(sorted=False)
    return content


def _event(event: CalendarEvent, *, edition: Edition, modified: dt.datetime | None) -> Any:
    entry = Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", modified or dt.datetime.combine(edition.date, dt.time(), dt.UTC))
    if modified:
        entry.add("last-modified", modified)
    entry.add("organizer", _organizer(edition))
    start, end = _bounds(event.span)
    entry.add("dtstart", start)
    if end is not None:
        entry.add("dtend", end)
    entry.add("summary", _plain(event.title))
    for name, text in (("description", event.description), ("location", event.location)):
        if text:
            entry.add(name, _plain(text))
    if event.url:
        entry.add("url", event.url)
    entry.add("status", "CANCELLED" if event.status is SittingStatus.CANCELLED else "CONFIRMED")
    return entry


def _bounds(span: Span) -> tuple[dt.date, dt.date | None]:
    """
    DTSTART and DTEND: the day after the last one for whole days (it is exclusive, RFC 5545 §3.6.1), else a known end.

    Where the clocks show one of them twice they are in UTC: the first is meant (§3.3.5), but some take the other.
    """
    if span.all_day:
        return span.start, span.last_day + dt.timedelta(days=1)
    moments = [moment for moment in (span.start, span.end) if isinstance(moment, dt.datetime)]
    if any(moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset() for moment in moments):
        moments = [moment.astimezone(dt.UTC) for moment in moments]
    return moments[0], moments[1] if span.end else None


def _zones(spans: Iterable[Span]) -> list[Any]:
    days: dict[str, list[dt.date]] = {}
    for span in spans:
        for moment in _bounds(span):
            if isinstance(moment, dt.datetime) and isinstance(moment.tzinfo, ZoneInfo):
                days.setdefault(moment.tzinfo.key, []).append(moment.date())
    return [_zone(key, min(found), max(found)) for key, found in sorted(days.items())]


def _zone(key: str, first: dt.date, last: dt.date) -> Any:
    """The clocks of a zone, in whole years around the events: the file stays small, and a year has all its changes."""
    zone = Timezone()
    zone.add("tzid", key)
    for onset, walls in _onsets(key, first.year - 1, last.year + 2):
        zone.add_component(_observance(onset, walls))
    return zone


@lru_cache(maxsize=64)
def _onsets(key: str, first_year: int, last_year: int) -> tuple[tuple[_Onset, tuple[dt.datetime, ...]], ...]:
    """What holds when the first year begins, and what each change before the last one begins brings; and when."""
    place = ZoneInfo(key)
    begin, end = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (first_year, last_year))
    found: dict[_Onset, list[dt.datetime]] = {_onset(begin, begin, place): [_wall(begin, begin, place)]}
    for before, change in _changes(place, begin, end):
        found.setdefault(_onset(before, change, place), []).append(_wall(before, change, place))
    return tuple((onset, tuple(walls)) for onset, walls in found.items())


def _observance(onset: _Onset, walls: Sequence[dt.datetime]) -> Any:
    observance = TimezoneDaylight() if onset.daylight else TimezoneStandard()
    observance.add("tzoffsetfrom", onset.offset_from)
    observance.add("tzoffsetto", onset.offset_to)
    observance.add("tzname", onset.name)
    observance.add("dtstart", walls[0])
    if walls[1:]:
        observance.add("rdate", list(walls[1:]))
    return observance


def _changes(place: ZoneInfo, begin: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Each instant from which other clocks hold, after one (at most a day earlier) at which the old ones did."""
    before = begin
    while before < end:
        old = _clocks(before, place)
        if _clocks(before + _DAY, place) != old:
            day = range(int(_DAY.total_seconds()))
            seconds = bisect_left(
                day, 1, key=lambda second: _clocks(before + dt.timedelta(seconds=second), place) != old
            )
            yield before, before + dt.timedelta(seconds=seconds)
        before += _DAY


def _clocks(when: dt.datetime, place: ZoneInfo) -> tuple[dt.timedelta, str]:
    local = when.astimezone(place)
    return local.utcoffset() or dt.timedelta(), local.tzname() or ""


def _onset(before: dt.datetime, change: dt.datetime, place: ZoneInfo) -> _Onset:
    offset, name = _clocks(change, place)
    return _Onset(_clocks(before, place)[0], offset, name, daylight=bool(change.astimezone(place).dst()))


def _wall(before: dt.datetime, change: dt.datetime, place: ZoneInfo) -> dt.datetime:
    """The change as the clocks that held before it show it, as RFC 5545 §3.6.5 has it."""
    return (change + _clocks(before, place)[0]).replace(tzinfo=None)


def _organizer(edition: Edition) -> Any:
    address = parse_address(edition.sender_address).ascii_form
    organizer = vCalAddress(f"mailto:{quote(address, safe='@')}")
    if name := _line(edition.sender_name):
        organizer.params["CN"] = name
    return organizer


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", text)


def _line(text: str) -> str:
    return " ".join(_plain(text).split())
