import datetime as dt
from zoneinfo import ZoneInfo

import icalendar
import pytest

from newsletter.assembly.edition import Phrase
from newsletter.compilation.calendar_file import issue_file, sitting_file
from newsletter.content.entry import SittingStatus
from newsletter.times import Span, local


def clock(month, day, hour, year=2027):
    """A wall-clock time; its zone is given beside it."""
    return dt.datetime(year, month, day, hour)  # noqa: DTZ001


def read(content):
    calendar = icalendar.Calendar.from_ical(content)
    return calendar, calendar.walk("VEVENT")


@pytest.fixture
def of(make_edition):
    return lambda *events: issue_file(make_edition(events=events))


def test_a_file_publishes_the_sittings_of_an_issue(of, make_event):
    calendar, events = read(of(make_event("one"), make_event("two")))
    assert (calendar["method"], calendar["version"], calendar["x-wr-calname"]) == (
        "PUBLISH",
        "2.0",
        "River Cities News",
    )
    assert [str(event["uid"]).split(".")[2] for event in events] == ["one@rivers", "two@rivers"]


def test_the_stamp_is_the_issues_date_and_no_clock(of, make_event):
    assert of(make_event()) == of(make_event())
    assert read(of(make_event()))[1][0]["dtstamp"].dt == dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def test_a_start_without_an_end_invents_none(of, make_event):
    event = read(of(make_event()))[1][0]
    assert "dtend" not in event
    assert "duration" not in event
    assert event["dtstart"].dt == dt.datetime(2026, 12, 1, 14, tzinfo=ZoneInfo("Europe/Brussels"))


def test_an_end_is_kept(of, make_event):
    span = Span(
        start=local(clock(12, 1, 14, 2026), "Europe/Brussels"),
        end=local(clock(12, 1, 15, 2026), "Europe/Brussels"),
    )
    assert read(of(make_event(span=span)))[1][0]["dtend"].dt.hour == 15


@pytest.mark.parametrize(
    ("last", "after"), [(None, dt.date(2027, 5, 27)), (dt.date(2027, 5, 28), dt.date(2027, 5, 29))]
)
def test_whole_days_end_on_the_day_after(of, make_event, last, after):
    content = of(make_event(span=Span(start=dt.date(2027, 5, 26), end=last)))
    event = read(content)[1][0]
    assert event["dtstart"].dt == dt.date(2027, 5, 26)
    assert event["dtend"].dt == after
    assert b"DTSTART;VALUE=DATE:20270526" in content
    assert b"VTIMEZONE" not in content


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Brussels",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/Sao_Paulo",
    ],
)
@pytest.mark.parametrize("day", [clock(3, 27, 23), clock(3, 28, 4), clock(10, 31, 4)])
def test_instants_are_the_same_for_a_reader_without_our_zones(of, make_event, zone, day):
    start = local(day, zone)
    calendar, [event] = read(of(make_event(span=Span(start=start))))
    own = calendar.walk("VTIMEZONE")[0].to_tz()
    assert str(calendar.walk("VTIMEZONE")[0]["tzid"]) == zone
    assert event["dtstart"].dt.replace(tzinfo=None).replace(tzinfo=own).astimezone(dt.UTC) == start.astimezone(dt.UTC)


def test_each_zone_is_described_once(of, make_event):
    spans = [Span(start=local(clock(12, day, 14, 2026), "Europe/Brussels")) for day in (1, 2)]
    utc = Span(start=dt.datetime(2026, 12, 3, 9, tzinfo=dt.UTC))
    content = of(*(make_event(str(number), span=span) for number, span in enumerate([*spans, utc])))
    assert content.count(b"BEGIN:VTIMEZONE") == 1
    assert b"DTSTART:20261203T090000Z" in content


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (SittingStatus.CONFIRMED, "CONFIRMED"),
        (SittingStatus.MOVED, "CONFIRMED"),
        (SittingStatus.CANCELLED, "CANCELLED"),
    ],
)
def test_a_cancelled_sitting_is_cancelled_in_the_calendar_too(of, make_event, status, shown):
    event = read(of(make_event(status=status, sequence=3)))[1][0]
    assert (event["status"], event["sequence"]) == (shown, 3)


def test_words_are_escaped_and_long_lines_folded(of, make_event):
    content = of(
        make_event(
            title="Quays; locks, and\nmore\x00 é" * 9,
            description="d\\x",
            location="Szeged (HU)",
            url="https://a.example/",
        )
    )
    event = read(content)[1][0]
    assert event["summary"] == "Quays; locks, and\nmore  é" * 9
    assert (event["description"], event["location"], event["url"]) == ("d\\x", "Szeged (HU)", "https://a.example/")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_empty_facts_are_left_out(of, make_event):
    event = read(of(make_event()))[1][0]
    assert not {"description", "location", "url"} & {name.lower() for name in event}


def test_one_sitting_has_a_file_of_its_own(make_edition, make_event):
    calendar, events = read(sitting_file(make_event(title="Panel"), edition=make_edition(name=Phrase(text="News"))))
    assert len(events) == 1
    assert calendar["x-wr-calname"] == "Panel"


def test_an_issue_without_sittings_is_an_empty_calendar(of):
    assert read(of())[1] == []
