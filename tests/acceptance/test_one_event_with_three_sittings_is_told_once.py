"""One event with three sittings, as a block and in the agenda: one calendar entry each, the right words each."""

import pytest
from icalendar import Calendar
from lxml import html as lxml_html

EVENT = {
    "key": "water",
    "kind": "agenda",
    "section": "lead",
    "published": "2026-11-10",
    "place": {"online": "https://meet.small.example/water"},
    "sittings": [
        {
            "key": "french",
            "start": "2026-12-01T14:00",
            "end": "2026-12-01T15:00",
            "languages": ["fr"],
            "links": [{"action": "register", "url": "https://www.small.example/fr"}],
        },
        {
            "key": "english",
            "start": "2026-12-03T14:00",
            "languages": ["en"],
            "links": [{"action": "register", "url": "https://www.small.example/en"}],
        },
        {"key": "dropped", "start": "2026-12-10T11:30", "end": "2026-12-10T12:30", "status": "cancelled"},
    ],
    "texts": {
        "en": {"title": "Water at night", "body": "Free of charge."},
        "fr": {"title": "L’eau la nuit", "body": "Gratuit."},
        "de": {"title": "Wasser bei Nacht", "body": "Kostenlos."},
    },
}

BLOCK = {
    "en": (
        "Tuesday 1 December 2026, 14:00–15:00 CET (in French)",
        "Thursday 3 December 2026, 14:00 CET (in English)",
        "Thursday 10 December 2026, 11:30–12:30 CET (cancelled)",
    ),
    "fr": (
        "mardi 1er décembre 2026, 14:00–15:00 CET (en français)",
        "jeudi 3 décembre 2026, 14:00 CET (en anglais)",
        "jeudi 10 décembre 2026, 11:30–12:30 CET (annulé)",
    ),
    "de": (
        "Dienstag, 1. Dezember 2026, 14:00–15:00 CET (auf Französisch)",
        "Donnerstag, 3. Dezember 2026, 14:00 CET (auf Englisch)",
        "Donnerstag, 10. Dezember 2026, 11:30–12:30 CET (abgesagt)",
    ),
}

LINES = {
    "en": (
        "1 December 2026 — Water at night (in French), online",
        "3 December 2026 — Water at night (in English), online",
        "10 December 2026 (cancelled) — Water at night, online",
    ),
    "fr": (
        "1er décembre 2026 — L’eau la nuit (en français), en ligne",
        "3 décembre 2026 — L’eau la nuit (en anglais), en ligne",
        "10 décembre 2026 (annulé) — L’eau la nuit, en ligne",
    ),
    "de": (
        "1. Dezember 2026 — Wasser bei Nacht (auf Französisch), online",
        "3. Dezember 2026 — Wasser bei Nacht (auf Englisch), online",
        "10. Dezember 2026 (abgesagt) — Wasser bei Nacht, online",
    ),
}


@pytest.fixture
def compiled(installation, small):
    small["entries"] = [EVENT]
    installation.quickly("content", "import", installation.write("pack.yaml", small))
    installation.quickly("issue", "assemble", "one")
    installation.run("issue", "compile", "one", "--output", "out")
    return installation.folder / "out"


def plain(text):
    """Words with every run of white space, unbreakable ones too, as one space."""
    return " ".join(text.split())


def test_one_event_with_three_sittings_is_told_once(compiled):
    for language, told in BLOCK.items():
        text = plain((compiled / f"{language}.txt").read_text(encoding="utf-8"))
        page = lxml_html.parse(str(compiled / f"{language}.html")).getroot()
        shown = plain(page.xpath("string(//body)"))
        for words in (*told, *LINES[language]):
            assert text.count(words) == 1, (language, words)
        for words in told:
            when = words.partition(" (")[0]
            assert shown.count(when) == 1, (language, when)
        calendars = [link for link in page.xpath("//a/@href") if link.endswith(".ics") and "/water--" in link]
        assert [link.rpartition("/")[2] for link in calendars] == ["water--french.ics", "water--english.ics"]
        title = EVENT["texts"][language]["title"]
        assert len([head for head in page.xpath("//h2 | //h3") if title in plain(head.text_content())]) == 1


def test_each_sitting_is_one_entry_in_the_calendar(compiled):
    calendar = Calendar.from_ical((compiled / "issue.ics").read_bytes())
    french, english, dropped = calendar.walk("VEVENT")
    assert [str(event["UID"]).partition("@")[0] for event in (french, english, dropped)] == [
        "small--water--french",
        "small--water--english",
        "small--water--dropped",
    ]
    assert french["DTSTART"].dt.isoformat() == "2026-12-01T14:00:00+01:00"
    assert french["DTEND"].dt.isoformat() == "2026-12-01T15:00:00+01:00"
    assert english["DTSTART"].dt.isoformat() == "2026-12-03T14:00:00+01:00"
    assert "DTEND" not in english
    assert "DURATION" not in english
    assert [str(event["STATUS"]) for event in (french, english, dropped)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert {str(event["SUMMARY"]) for event in (french, english, dropped)} == {"Water at night"}
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Brussels"]
