"""
libical: the calendar library of GNOME and others, an implementation of RFC 5545 and RFC 5546 in C that shares nothing
with the one that writes our files.

Takes the bytes of a `.ics`, yields its events with their instants as the file's own zones make them, and everything
that the library holds against the file.
"""

import ctypes
import ctypes.util
import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from programs import REQUIRE_ALL

POINTER, INT, TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p


class _Time(ctypes.Structure):
    """`struct icaltimetype` of icaltime.h."""

    _fields_ = (
        *((name, INT) for name in ("year", "month", "day", "hour", "minute", "second", "is_date", "is_daylight")),
        ("zone", POINTER),
    )


FUNCTIONS = {
    "icalparser_parse_string": (POINTER, [TEXT]),
    "icalrestriction_check": (INT, [POINTER]),
    "icalcomponent_as_ical_string": (TEXT, [POINTER]),
    "icalcomponent_free": (None, [POINTER]),
    "icalcomponent_get_dtend": (_Time, [POINTER]),
    "icalcomponent_get_dtstart": (_Time, [POINTER]),
    "icalcomponent_get_first_component": (POINTER, [POINTER, INT]),
    "icalcomponent_get_first_property": (POINTER, [POINTER, INT]),
    "icalcomponent_get_next_component": (POINTER, [POINTER, INT]),
    "icalcomponent_get_summary": (TEXT, [POINTER]),
    "icalcomponent_get_description": (TEXT, [POINTER]),
    "icalcomponent_get_location": (TEXT, [POINTER]),
    "icalcomponent_string_to_kind": (INT, [TEXT]),
    "icalproperty_get_value_as_string": (TEXT, [POINTER]),
    "icalproperty_string_to_kind": (INT, [TEXT]),
    "icaltime_as_timet_with_zone": (ctypes.c_long, [_Time, POINTER]),
    "icaltime_from_timet_with_zone": (_Time, [ctypes.c_long, INT, POINTER]),
    "icaltimezone_get_utc_offset_of_utc_time": (INT, [POINTER, ctypes.POINTER(_Time), ctypes.POINTER(INT)]),
}


@dataclass(frozen=True)
class Event:
    """An event as libical understands it: instants in UTC, days as dates, None where there is no end."""

    uid: str
    summary: str
    description: str
    location: str
    status: str
    sequence: int
    start: dt.datetime | dt.date
    end: dt.datetime | dt.date | None
    zone: int | None


class LibIcal:
    """The library, loaded."""

    def __init__(self, library):
        self._library = library
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments

    @contextmanager
    def open(self, data):
        """A calendar, for as long as the block lasts."""
        calendar = self._library.icalparser_parse_string(data)
        assert calendar, "libical cannot read the file at all"
        try:
            yield _Calendar(self._library, calendar)
        finally:
            self._library.icalcomponent_free(calendar)

    def events(self, data):
        """The events of a file that libical holds nothing against, by UID."""
        with self.open(data) as calendar:
            assert calendar.faults() == []
            return {event.uid: event for event in calendar.events()}


class _Calendar:
    def __init__(self, library, calendar):
        self._library, self._calendar = library, calendar

    def faults(self):
        """What the parser, and the rules of the file's method (RFC 5546), find wrong."""
        self._library.icalrestriction_check(self._calendar)
        written = self._library.icalcomponent_as_ical_string(self._calendar)
        # It folds its own lines in the middle of characters.
        written = written.replace(b"\r\n ", b"").decode()
        return [line for line in written.splitlines() if line.startswith("X-LIC-ERROR")]

    def events(self):
        kind = self._library.icalcomponent_string_to_kind(b"VEVENT")
        event = self._library.icalcomponent_get_first_component(self._calendar, kind)
        while event:
            yield self._event(event)
            event = self._library.icalcomponent_get_next_component(self._calendar, kind)

    def offset(self, zone, instant):
        """How far the clocks of a zone of the file are ahead of UTC at an instant."""
        library, daylight = self._library, INT()
        moment = library.icaltime_from_timet_with_zone(int(instant.timestamp()), 0, None)
        seconds = library.icaltimezone_get_utc_offset_of_utc_time(zone, ctypes.byref(moment), ctypes.byref(daylight))
        return dt.timedelta(seconds=seconds)

    def _event(self, event):
        library = self._library
        start = library.icalcomponent_get_dtstart(event)
        texts = (
            getattr(library, f"icalcomponent_get_{name}")(event) for name in ("summary", "description", "location")
        )
        summary, description, location = ((text or b"").decode() for text in texts)
        return Event(
            uid=self._value(event, b"UID"),
            summary=summary,
            description=description,
            location=location,
            status=self._value(event, b"STATUS"),
            sequence=int(self._value(event, b"SEQUENCE")),
            start=self._moment(start),
            end=self._moment(library.icalcomponent_get_dtend(event)) if self._property(event, b"DTEND") else None,
            zone=start.zone,
        )

    def _property(self, event, name):
        return self._library.icalcomponent_get_first_property(event, self._library.icalproperty_string_to_kind(name))

    def _value(self, event, name):
        return self._library.icalproperty_get_value_as_string(self._property(event, name)).decode()

    def _moment(self, moment):
        if moment.is_date:
            return dt.date(moment.year, moment.month, moment.day)
        assert moment.zone, "a time whose zone the file does not describe"
        return dt.datetime.fromtimestamp(self._library.icaltime_as_timet_with_zone(moment, moment.zone), dt.UTC)


@pytest.fixture(scope="session")
def libical():
    """The library, where this machine has it."""
    name = ctypes.util.find_library("ical")
    if name is None:
        message = "libical is missing: apt-get install libical-dev"
        (pytest.fail if REQUIRE_ALL else pytest.skip)(message)
    return LibIcal(ctypes.CDLL(name))
