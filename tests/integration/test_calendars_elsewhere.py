"""
Calendar files mean the same elsewhere: libical reads what the program writes, with the zones of the file alone.

The mail's words, the web view's data, icalendar and libical have to tell the same instant of every sitting, whatever
the clocks of its zone do around it.
"""

import datetime as dt
import json
import re
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar
import pytest
from databases import url_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.libical import libical  # noqa: F401  a fixture
from integration.samples import LINKS, SAMPLES, edition_of, issue_of, languages_of, sample_edition
from lxml import html as lxml_html

import newsletter.tables  # noqa: F401  registers every table
from newsletter.bootstrap import build
from newsletter.compilation.calendar_file import issue_file, sitting_file
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.webview import web_view
from newsletter.database import migrate
from newsletter.settings import load
from newsletter.times import zone_name

HALF = dt.timedelta(minutes=30)

ZONES = {
    "Europe/Brussels": 2027,
    "America/New_York": 2027,
    # Half an hour, and in the southern summer.
    "Australia/Lord_Howe": 2027,
    # Half an hour and three quarters off the hour.
    "America/St_Johns": 2027,
    "Pacific/Chatham": 2027,
    "Asia/Kathmandu": 2027,
    # "Winter" time is the one that is written as summer time.
    "Europe/Dublin": 2027,
    # Goes back for one month, in Ramadan.
    "Africa/Casablanca": 2027,
    # Took summer time up again.
    "Africa/Cairo": 2023,
    # Left summer time, each in its own way.
    "America/Sao_Paulo": 2019,
    "Asia/Amman": 2022,
    "Europe/Istanbul": 2016,
}
"""Zones, each with a year that is worth a look."""


def changes(zone, year):
    """The instants of a year from which other clocks hold in a zone."""
    place, begin = ZoneInfo(zone), dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    ticks = [begin + number * HALF for number in range(366 * 48)]
    offsets = [tick.astimezone(place).utcoffset() for tick in ticks]
    return [tick for tick, (before, after) in zip(ticks[1:], pairwise(offsets), strict=True) if before != after]


def starts(zone, year):
    """Wall clocks around every change of a zone, and in the middle of winter and summer; each comes back as it is."""
    around = [change + number * HALF for change in changes(zone, year) for number in (-48, -3, -2, -1, 0, 1, 2, 3, 48)]
    middle = [dt.datetime(year, month, 15, 12, tzinfo=dt.UTC) for month in (1, 7)]
    local = [instant.astimezone(ZoneInfo(zone)) for instant in (*around, *middle)]
    # Of an hour that comes twice the second cannot be written as a wall clock (RFC 5545 §3.3.5).
    return [wall for wall in local if wall.fold == 0]


def a_pack(year, *sittings):
    return {
        "newsletter": {
            "slug": "clocks",
            "name": {"en": "Clock Letter"},
            "languages": ["en"],
            "locales": {"en": "en-GB"},
            "timezone": "Europe/Brussels",
            "sender": {"name": 'Clock "Towers"; network', "address": "letter@clocks.example"},
            "list_id": "letter.clocks.example",
            "sections": [{"key": "sessions", "title": {"en": "Sessions"}}],
        },
        "entries": [
            {
                "key": "clocks",
                "kind": "agenda",
                "section": "sessions",
                "published": f"{year}-01-01",
                "texts": {"en": {"title": "What the clock says", "body": "Come."}},
                "sittings": list(sittings),
            }
        ],
        "issues": [
            {"slug": "one", "date": f"{year}-01-02", "period": {"from": f"{year}-01-01", "to": f"{year}-01-02"}}
        ],
    }


def a_sitting(key, start, **changes):
    end = (start.astimezone(dt.UTC) + HALF).astimezone(start.tzinfo)
    ends = {"end": f"{end:%Y-%m-%dT%H:%M}"} if end.fold == 0 else {}
    return {"key": key, "start": f"{start:%Y-%m-%dT%H:%M}", **ends, "timezone": start.tzinfo.key, **changes}


def read_words(when, zone):
    """The instant that the mail's words tell, found without the program's own arithmetic."""
    day, clock, name = re.match(r"\w+ (\d+ \w+ \d{4}), (\d\d:\d\d)(?:–\d\d:\d\d)? (\S+)(?: – .*)?$", when).groups()
    wall = dt.datetime.strptime(f"{day} {clock}", "%d %B %Y %H:%M").replace(tzinfo=ZoneInfo(zone))
    [instant] = {
        candidate.astimezone(dt.UTC) for candidate in (wall, wall.replace(fold=1)) if zone_name(candidate) == name
    }
    return instant


@pytest.mark.parametrize(("zone", "year"), ZONES.items())
def test_mail_page_and_two_calendar_libraries_tell_one_instant_of_every_sitting(libical, tmp_path, zone, year):  # noqa: F811
    instants = {f"s{number}": wall for number, wall in enumerate(starts(zone, year))}
    edition = edition_of(issue_of(tmp_path, a_pack(year, *(a_sitting(*each) for each in instants.items()))), "en")
    artifact = compile_edition(edition, links=LINKS)
    text = " ".join(artifact.text.split())
    page = lxml_html.fromstring(web_view(artifact, edition, default="en", links=LINKS, script="/print.js"))
    [data] = page.xpath("//script[@type='application/ld+json']/text()")
    told = {node["identifier"]: node for node in json.loads(data)["@graph"] if node["@type"] == "Event"}
    file = issue_file(edition)
    foreign = libical.events(file)
    known = {str(one["uid"]): one for one in icalendar.Calendar.from_ical(file).walk("VEVENT")}
    views = {view.uid: view for block in edition.sections[0].blocks for view in block.sittings}
    assert foreign.keys() == told.keys() == known.keys() == views.keys()
    assert len(foreign) == len(instants)
    for key, wall in instants.items():
        uid, instant = f"clocks--clocks--{key}@clocks.example", wall.astimezone(dt.UTC)
        assert foreign[uid].start == instant, key
        assert known[uid]["dtstart"].dt.astimezone(dt.UTC) == instant
        assert dt.datetime.fromisoformat(told[uid]["startDate"]) == instant
        assert read_words(views[uid].when, zone) == instant
        assert views[uid].when in text
        assert views[uid].when in " ".join(page.text_content().split())
        if foreign[uid].end:
            assert foreign[uid].end == instant + HALF == dt.datetime.fromisoformat(told[uid]["endDate"])


@pytest.mark.parametrize(("zone", "year"), ZONES.items())
def test_the_zone_of_a_file_changes_its_clocks_at_the_very_instant(libical, tmp_path, zone, year):  # noqa: F811
    start = dt.datetime(year, 7, 1, 12, tzinfo=ZoneInfo(zone))
    file = issue_file(edition_of(issue_of(tmp_path, a_pack(year, a_sitting("main", start))), "en"))
    with libical.open(file) as calendar:
        [event] = calendar.events()
        for change in changes(zone, year):
            for instant in (change - dt.timedelta(seconds=1), change):
                assert calendar.offset(event.zone, instant) == instant.astimezone(ZoneInfo(zone)).utcoffset(), instant


def test_the_zones_come_from_the_file_and_not_from_the_machine(libical, tmp_path):  # noqa: F811
    start = dt.datetime(2027, 7, 1, 12, tzinfo=ZoneInfo("Europe/Brussels"))
    file = issue_file(edition_of(issue_of(tmp_path, a_pack(2027, a_sitting("main", start))), "en"))
    moved = file.replace(b"TZOFFSETTO:+0200", b"TZOFFSETTO:+0500")
    [event] = libical.events(moved).values()
    assert event.start == dt.datetime(2027, 7, 1, 7, tzinfo=dt.UTC)


def test_a_moved_and_a_cancelled_sitting_keep_their_uids_and_outdo_what_readers_have(libical, tmp_path):  # noqa: F811
    zone = ZoneInfo("Europe/Brussels")
    first, later = (dt.datetime(2027, 3, day, 9, tzinfo=zone) for day in (27, 29))
    before = calendar_after(tmp_path, a_sitting("a", first), a_sitting("b", first), a_sitting("c", first))
    after = calendar_after(
        tmp_path,
        a_sitting("a", later, status="moved"),
        a_sitting("b", first, status="cancelled"),
        a_sitting("c", first),
    )
    old, new = libical.events(before), libical.events(after)
    uids = [f"clocks--clocks--{key}@clocks.example" for key in "abc"]
    assert sorted(old) == sorted(new) == uids
    assert [old[uid].sequence for uid in uids] == [0, 0, 0]
    assert [new[uid].sequence for uid in uids] == [1, 1, 0]
    assert [new[uid].status for uid in uids] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert [new[uid].start for uid in uids] == [each.astimezone(dt.UTC) for each in (later, first, first)]
    assert b"\r\nMETHOD:PUBLISH\r\n" in after


def calendar_after(folder, *sittings):
    """The issue's calendar file after these sittings have been imported over those of the last time."""
    pipeline = build(load(database={"url": url_of(folder / "newsletter.sqlite")}), migrated=False)
    migrate(pipeline.parts.engine)
    pack = folder / "pack.yaml"
    pack.write_text(json.dumps(a_pack(2027, *sittings)), encoding="utf-8")
    pipeline.entries.import_pack(pack)
    pipeline.editorial.assemble("one", newsletter=None)
    calendar = pipeline.approval.compile("one", newsletter=None).calendar
    pipeline.parts.engine.dispose()
    return calendar


def test_days_run_to_the_morning_after_the_last_one(libical, tmp_path):  # noqa: F811
    days = {"key": "fair", "date": "2027-10-30", "until": "2027-10-31"}
    [event] = libical.events(issue_file(edition_of(issue_of(tmp_path, a_pack(2027, days)), "en"))).values()
    assert (event.start, event.end) == (dt.date(2027, 10, 30), dt.date(2027, 11, 1))


def test_who_publishes_an_event_is_the_sender(tmp_path):
    start = dt.datetime(2027, 7, 1, 12, tzinfo=ZoneInfo("Europe/Brussels"))
    file = issue_file(edition_of(issue_of(tmp_path, a_pack(2027, a_sitting("main", start))), "en"))
    [event] = icalendar.Calendar.from_ical(file).walk("VEVENT")
    assert event["organizer"] == "mailto:letter@clocks.example"
    assert event["organizer"].params["CN"] == 'Clock "Towers"; network'


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_calendar_file_of_the_samples_opens_elsewhere(libical, sample):  # noqa: F811
    for language in languages_of(sample):
        edition = sample_edition(sample, language)
        events = libical.events(issue_file(edition))
        assert [event.uid for event in edition.events] == list(events)
        for event in edition.events:
            alone = libical.events(sitting_file(event, edition=edition))
            assert list(alone) == [event.uid]
            assert alone[event.uid].start == events[event.uid].start
            assert alone[event.uid].summary == event.title


def visible(text):
    return plain(text).strip()


def plain(text):
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text)


words = st.text(
    st.one_of(st.sampled_from(';,:\\"\n é€🌊\u0301BEGIN'), st.characters(exclude_categories=("Cs",))), max_size=120
).filter(visible)
an_event = st.fixed_dictionaries({"title": words, "description": words, "location": words})
no_fixture_is_changed = [HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    start = dt.datetime(2027, 7, 1, 12, tzinfo=ZoneInfo("Europe/Brussels"))
    pack = a_pack(2027, a_sitting("main", start))
    return edition_of(issue_of(tmp_path_factory.mktemp("pack"), pack), "en")


def check_words(libical, edition, texts, name):  # noqa: F811
    events = tuple(replace(edition.events[0], uid=str(number), **each) for number, each in enumerate(texts))
    file = issue_file(replace(edition, events=events, sender_name=name, name=replace(edition.name, text=name)))
    physical = file.split(b"\r\n")
    assert physical.pop() == b""
    assert all(len(line) <= 75 and not re.search(rb"[\x00-\x08\x0a-\x1f]", line) for line in physical)
    assert [line.decode() for line in physical], "no line ends in the middle of a character"
    found = libical.events(file)
    assert list(found) == [event.uid for event in events]
    for event in events:
        for part in ("summary", "description", "location"):
            meant = getattr(event, "title" if part == "summary" else part)
            # libical drops blanks around a value.
            assert getattr(found[event.uid], part).strip() == plain(meant).strip()


@settings(max_examples=150, suppress_health_check=no_fixture_is_changed)
@given(texts=st.lists(an_event, min_size=1, max_size=3), name=words)
def test_no_words_of_an_event_change_the_file(libical, edition, texts, name):  # noqa: F811
    check_words(libical, edition, texts, name)


@pytest.mark.long
@pytest.mark.timeout(300)
@settings(max_examples=2000, suppress_health_check=no_fixture_is_changed)
@given(texts=st.lists(an_event, min_size=1, max_size=3), name=words)
def test_no_words_of_thousands_of_events_change_the_file(libical, edition, texts, name):  # noqa: F811
    check_words(libical, edition, texts, name)
