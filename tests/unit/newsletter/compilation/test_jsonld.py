import datetime as dt
import json
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.assembly.edition import (
    Alternate,
    Line,
    LinePart,
    LogoView,
    Phrase,
    Picture,
    PlaceView,
    SectionView,
    SittingView,
)
from newsletter.compilation.calendar_file import issue_file, sitting_file
from newsletter.compilation.correction import Note
from newsletter.compilation.jsonld import for_script, headline, leading_picture, structured_data
from newsletter.content.entry import Kind, SittingStatus
from newsletter.content.newsletter import Show
from newsletter.times import Span, local

PLACE = PlaceView(words=Phrase(text="City Hall, Szeged (HU)"), online=None)
ONLINE = PlaceView(words=Phrase(text=""), online="https://meet.rivers.example/water")
HYBRID = PlaceView(words=Phrase(text="City Hall, Szeged (HU)"), online="https://meet.rivers.example/water")

ZONES = ("Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca")


def uid(entry, sitting):
    return f"river-cities--{entry}--{sitting}@rivers.example"


def picture(url="https://www.rivers.example/maas.jpg"):
    return Picture(url=url, alt=Phrase(text="The Maas"), credit=None, link=None, width=600, height=300)


def sitting(event, **changes):
    values = {"languages": None, "title": None, "body": None, "place": None, "links": (), "status": event.status}
    return SittingView(
        key="main", uid=event.uid, sequence=0, span=event.span, when="", calendar="", **{**values, **changes}
    )


def agenda(*parts, key="talk", place=None):
    line = Line(key=key, when="", first_day=dt.date(2026, 12, 1), topic=None, parts=parts, place=place, segment=None)
    return SectionView(key="agenda", title=None, show=Show.LINES, columns=1, marker=None, blocks=(), lines=(line,))


def part(title, languages=None, lang=None):
    return LinePart(title=Phrase(text=title, lang=lang), languages=languages, links=(), status=SittingStatus.CONFIRMED)


def graph(edition):
    return structured_data(edition)["@graph"]


def the_event(edition):
    [node] = [node for node in graph(edition) if node["@type"] == "Event"]
    return node


def test_an_issue_is_an_article_of_its_newsletter(make_edition):
    alternate = Alternate(language="fr", name="Français", url="https://news.example/archive/river-cities/2026-12/fr")
    logo = LogoView(url="https://www.rivers.example/logo.png", alt=Phrase(text=""), link=None)
    issue = graph(make_edition(alternates=(alternate,), logo=logo, website="https://www.rivers.example/"))[0]
    assert issue["@type"] == "NewsArticle"
    assert issue["url"] == "https://news.example/archive/river-cities/2026-12/en"
    assert issue["headline"] == "River Cities News · December 2026"
    assert (issue["description"], issue["inLanguage"]) == ("Lamps that let the bats sleep", "en")
    assert issue["datePublished"] == "2026-12-01"
    assert issue["publisher"]["name"] == "River Cities network"
    assert issue["publisher"]["logo"] == "https://www.rivers.example/logo.png"
    assert issue["isPartOf"]["issueNumber"] == "42"
    assert [other["inLanguage"] for other in issue["workTranslation"]] == ["fr"]


def test_what_is_not_known_is_not_said(make_edition):
    issue = graph(make_edition(number=None, preheader=Phrase(text=""), title=Phrase(text="")))[0]
    assert not {"description", "image", "workTranslation"} & issue.keys()
    assert not {"url", "logo"} & issue["publisher"].keys()
    assert issue["isPartOf"] == {"@type": "Periodical", "name": "River Cities News"}
    assert issue["headline"] == "River Cities News"


def test_each_news_item_is_an_article_in_the_language_it_is_in(make_edition, make_block):
    news, foreign = (
        make_block("a", picture=picture(), title="[[first_name|Reader]], look"),
        make_block("b", lang="fr", topic=None, links=()),
    )
    publication, agenda_entry = make_block("c", kind=Kind.PUBLICATION), make_block("d", kind=Kind.AGENDA)
    nodes = graph(make_edition(news, foreign, publication, agenda_entry))[1:]
    assert [node["@type"] for node in nodes] == ["NewsArticle", "NewsArticle", "CreativeWork"]
    assert nodes[0]["headline"] == "Reader, look"
    assert (nodes[0]["url"], nodes[0]["about"]) == ("https://www.rivers.example/en/silt?a=1&b=2", "SiltWatch")
    assert nodes[0]["image"] == "https://www.rivers.example/maas.jpg"
    assert [node["inLanguage"] for node in nodes] == ["en", "fr", "en"]
    assert not {"url", "about", "image"} & nodes[1].keys()


def test_a_picture_that_only_this_machine_has_is_not_named(make_edition, make_block):
    edition = make_edition(make_block(picture=picture("file:///srv/media/a.png")))
    assert leading_picture(edition) is None
    assert "image" not in graph(edition)[0]
    assert "image" not in graph(edition)[1]
    both = make_edition(make_block(picture=picture("file:///a.png")), make_block("b", picture=picture()))
    assert graph(both)[0]["image"] == "https://www.rivers.example/maas.jpg"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (SittingStatus.CONFIRMED, "EventScheduled"),
        (SittingStatus.MOVED, "EventRescheduled"),
        (SittingStatus.CANCELLED, "EventCancelled"),
    ],
)
def test_a_sitting_is_an_event_with_its_status(make_edition, make_event, status, name):
    event = the_event(make_edition(events=(make_event(status=status, description="Bring figures."),)))
    assert event["eventStatus"] == f"https://schema.org/{name}"
    assert event["name"] == "General assembly"
    assert event["description"] == "Bring figures."
    assert event["identifier"] == "river-cities.assembly.main@rivers.example"
    assert event["startDate"] == "2026-12-01T14:00:00+01:00"
    assert "endDate" not in event
    assert "location" not in event
    assert event["url"] == "https://news.example/archive/river-cities/2026-12/en"


def test_whole_days_have_their_last_day(make_edition, make_event):
    event = the_event(
        make_edition(events=(make_event(span=Span(start=dt.date(2027, 5, 26), end=dt.date(2027, 5, 28))),))
    )
    assert (event["startDate"], event["endDate"]) == ("2027-05-26", "2027-05-28")


@pytest.fixture
def editions(make_edition, make_event, make_block):
    """Editions that tell the place of a talk in the sitting itself, in its block, in a line of the agenda."""

    def of(place):
        event = make_event(uid=uid("talk", "main"), location=place.words.text or place.online, title="Water — Talk")
        other = make_event(uid=uid("talk", "other"))
        own = make_block("talk", kind=Kind.AGENDA, sittings=(sitting(other), sitting(event, place=place)))
        shared = make_block("talk", kind=Kind.AGENDA, place=place, sittings=(sitting(event),))
        lines = (agenda(part("Else"), key="talk", place=PLACE), agenda(part("Talk"), key="talk", place=place))
        return {
            "own": make_edition(own, events=(event,)),
            "block": make_edition(shared, events=(event,)),
            "line": make_edition(events=(event,), sections=lines),
        }

    return of


@pytest.mark.parametrize(
    ("place", "types", "mode"),
    [
        (PLACE, ["Place"], "Offline"),
        (ONLINE, ["VirtualLocation"], "Online"),
        (HYBRID, ["Place", "VirtualLocation"], "Mixed"),
    ],
    ids=["place", "online", "hybrid"],
)
@pytest.mark.parametrize("told", ["own", "block", "line"])
def test_the_place_is_the_one_the_edition_tells(editions, place, types, mode, told):
    node = the_event(editions(place)[told])
    spots = node["location"] if isinstance(node["location"], list) else [node["location"]]
    assert [spot["@type"] for spot in spots] == types
    assert node["eventAttendanceMode"] == f"https://schema.org/{mode}EventAttendanceMode"
    if "Place" in types:
        assert spots[0]["name"] == "City Hall, Szeged (HU)"
    if "VirtualLocation" in types:
        assert spots[-1]["url"] == "https://meet.rivers.example/water"


@pytest.mark.parametrize(
    ("location", "kind"), [("City Hall", "Place"), ("https://meet.rivers.example/x", "VirtualLocation")]
)
def test_a_sitting_that_only_the_calendar_has_takes_its_place_from_there(make_edition, make_event, location, kind):
    assert the_event(make_edition(events=(make_event(location=location),)))["location"]["@type"] == kind


def test_a_sitting_without_a_place_has_none_wherever_it_is_told(make_edition, make_event, make_block):
    event = make_event(uid=uid("talk", "main"), title="Talk")
    block = make_block("talk", kind=Kind.AGENDA, sittings=(sitting(event),))
    assert "location" not in the_event(make_edition(block, events=(event,)))
    assert "location" not in the_event(make_edition(events=(event,), sections=(agenda(part("Talk")),)))


def test_the_language_is_that_of_the_session_else_that_of_the_words(make_edition, make_event, make_block):
    event = make_event(uid=uid("talk", "main"), title="Water — Talk")
    spoken = make_block("talk", kind=Kind.AGENDA, sittings=(sitting(event, languages="French"),))
    foreign = make_block("talk", kind=Kind.AGENDA, lang="fr", sittings=(sitting(event),))
    assert the_event(make_edition(spoken, events=(event,)))["inLanguage"] == {"@type": "Language", "name": "French"}
    assert the_event(make_edition(foreign, events=(event,)))["inLanguage"] == "fr"
    lines = agenda(part("Other"), part("Talk", lang="hu"))
    assert the_event(make_edition(events=(event,), sections=(lines,)))["inLanguage"] == "hu"
    assert the_event(make_edition(events=(event,)))["inLanguage"] == "en"


def test_a_line_of_another_entry_or_place_says_nothing_of_a_sitting(make_edition, make_event):
    event = make_event(uid=uid("talk", "main"), title="Talk", location="City Hall")
    for other in (
        agenda(part("Talk", lang="hu"), key="tal", place=PLACE),
        agenda(part("Talk", lang="hu"), place=ONLINE),
    ):
        assert the_event(make_edition(events=(event,), sections=(other,)))["inLanguage"] == "en"


def changes(zone):
    """The days of 2027 on which the clocks of a zone change."""
    place, days = ZoneInfo(zone), [dt.date(2027, 1, 1) + dt.timedelta(days=number) for number in range(365)]
    noon = [dt.datetime.combine(day, dt.time(12), place).utcoffset() for day in days]
    return [day for day, before, after in zip(days[1:], noon, noon[1:], strict=False) if before != after]


@pytest.mark.parametrize("zone", ZONES)
def test_instants_are_those_of_the_calendar_across_both_changes_of_the_clocks(make_edition, make_event, zone):
    days = [day + dt.timedelta(days=off) for day in changes(zone) for off in (-1, 0, 1)]
    assert len(days) == 6
    hours = [
        dt.datetime.combine(day, dt.time(hour, minute)) for day in days for hour, minute in ((0, 30), (2, 15), (9, 0))
    ]
    spans = [Span(start=local(hour, zone), end=local(hour + dt.timedelta(hours=4), zone)) for hour in hours]
    events = tuple(make_event(uid=uid("talk", f"s{number}"), span=span) for number, span in enumerate(spans))
    edition = make_edition(events=events)
    nodes = [node for node in graph(edition) if node["@type"] == "Event"]
    assert len({node["identifier"] for node in nodes}) == 18
    shared = {str(one["uid"]): one for one in icalendar.Calendar.from_ical(issue_file(edition)).walk("VEVENT")}
    for node, event in zip(nodes, events, strict=True):
        [alone] = icalendar.Calendar.from_ical(sitting_file(event, edition=edition)).walk("VEVENT")
        for name, field in (("startDate", "dtstart"), ("endDate", "dtend")):
            instant = dt.datetime.fromisoformat(node[name])
            assert instant.utcoffset() is not None
            stored = event.span.start if name == "startDate" else event.span.end
            assert instant.astimezone(dt.UTC) == stored.astimezone(dt.UTC)
            assert alone[field].dt.astimezone(dt.UTC) == instant.astimezone(dt.UTC)
            assert shared[event.uid][field].dt.astimezone(dt.UTC) == instant.astimezone(dt.UTC)


@given(text=st.text() | st.sampled_from(["</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029&"]))
def test_no_words_end_the_script_they_stand_in(text):
    written = for_script({"name": text})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"name": text}


def test_the_headline_stands_alone(make_edition):
    assert headline(make_edition(title=Phrase(text="For [[first_name|you]]"))) == "River Cities News · For you"


def test_a_corrected_issue_says_when_and_why_the_newest_first(make_edition):
    def note(day, reason, lang=None):
        at = dt.datetime(2026, 12, day, 9, 30, 0, 5, tzinfo=dt.UTC)
        return Note(at=at, day="", reason=Phrase(text=reason, lang=lang), changed=())

    notes = (note(5, "Le lieu a changé.", "fr"), note(3, "A wrong date."))
    issue = structured_data(make_edition(), notes=notes)["@graph"][0]
    assert issue["dateModified"] == "2026-12-05T09:30:00Z"
    assert [
        (each["@type"], each["text"], each["inLanguage"], each["datePublished"]) for each in issue["correction"]
    ] == [
        ("CorrectionComment", "Le lieu a changé.", "fr", "2026-12-05T09:30:00Z"),
        ("CorrectionComment", "A wrong date.", "en", "2026-12-03T09:30:00Z"),
    ]
    assert not {"dateModified", "correction"} & graph(make_edition())[0].keys()
