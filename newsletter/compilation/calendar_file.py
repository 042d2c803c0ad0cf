"""
icalendar: the sittings of an issue as a calendar file (RFC 5545).

Takes an edition (or one of its events), yields the bytes of a `.ics`: METHOD:PUBLISH, the zones it uses, and one event
a sitting with a UID that stays and a SEQUENCE that grows, so that importing a later file moves or cancels the entry
that a reader already has. Promises no clock (DTSTAMP is the issue's date), no invented end, and the same bytes for the
same edition.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

from newsletter.assembly.edition import CalendarEvent, Edition
from newsletter.content.entry import SittingStatus
from newsletter.times import Span

PRODUCT: Final = "-//newsletter//newsletter 1//EN"
"""Who made the file (RFC 5545 §3.7.3)."""

_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def issue_file(edition: Edition) -> bytes:
    """All sittings of an edition, in the edition's words."""
    return _file(edition.events, stamp=edition.date, name=edition.name.text)


def sitting_file(event: CalendarEvent, *, edition: Edition) -> bytes:
    """One sitting, as it stands in an edition."""
    return _file([event], stamp=edition.date, name=event.title)


def _file(events: Sequence[CalendarEvent], *, stamp: dt.date, name: str) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _plain(name))
    for zone in _zones(event.span for event in events):
        calendar.add_component(zone)
    for event in events:
        calendar.add_component(_event(event, stamp=stamp))
    content: bytes = calendar.to_ical(sorted=False)
    return content


def _event(event: CalendarEvent, *, stamp: dt.date) -> Any:
    entry = Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", dt.datetime.combine(stamp, dt.time(), dt.UTC))
    entry.add("dtstart", event.span.start)
    if (end := _end(event.span)) is not None:
        entry.add("dtend", end)
    entry.add("summary", _plain(event.title))
    for name, text in (("description", event.description), ("location", event.location)):
        if text:
            entry.add(name, _plain(text))
    if event.url:
        entry.add("url", event.url)
    entry.add("status", "CANCELLED" if event.status is SittingStatus.CANCELLED else "CONFIRMED")
    return entry


def _end(span: Span) -> dt.date | None:
    """DTEND: the day after the last one for whole days (it is exclusive, RFC 5545 §3.6.1), else the end if known."""
    return span.last_day + dt.timedelta(days=1) if span.all_day else span.end


def _zones(spans: Iterable[Span]) -> list[Any]:
    days: dict[str, list[dt.date]] = {}
    for span in spans:
        for moment in (span.start, span.end):
            if isinstance(moment, dt.datetime) and isinstance(moment.tzinfo, ZoneInfo):
                days.setdefault(moment.tzinfo.key, []).append(moment.date())
    return [_zone(key, min(found), max(found)) for key, found in sorted(days.items())]


def _zone(key: str, first: dt.date, last: dt.date) -> Any:
    # Whole years around the events: the file stays small, and a reader's program sees both changes of each year.
    return Timezone.from_tzinfo(ZoneInfo(key), key, dt.date(first.year - 1, 1, 1), dt.date(last.year + 2, 1, 1))


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", text)
