"""An entry as a sheet and back, and what is said of one that is wrong."""

import pytest
from pydantic import ValidationError

from newsletter.content.entry import Entry, Status
from newsletter.content.sheet import SENTENCES, entry_of, languages_of, problems_of, sheet_of, traps_of

AGENDA = {
    "key": "talk",
    "kind": "agenda",
    "section": "agenda",
    "topic": "siltwatch",
    "tags": ["silt", "rivers"],
    "published": "2026-11-03",
    "priority": 3,
    "languages": ["en", "fr"],
    "repeat": True,
    "image": {"url": "https://a.example/i.jpg", "alt": {"en": "A quay"}},
    "place": {"city": "Szeged", "country": "HU"},
    "sittings": [{"key": "one", "start": "2026-12-01T14:00", "timezone": "Europe/Brussels"}],
    "texts": {
        "en": {"title": "Talk", "body": "Come.", "links": [{"action": "register", "url": "https://a.example/"}]},
        "fr": {"title": "Conférence"},
    },
}


def entry(**changes):
    return Entry.model_validate(AGENDA | changes)


def problems(sheet, status=Status.PUBLISHED):
    with pytest.raises(ValidationError) as refused:
        entry_of(sheet, key="talk", status=status)
    return problems_of(refused.value, sheet)


def test_an_entry_comes_back_whole():
    assert entry_of(sheet_of(entry()), key="talk", status=Status.PUBLISHED) == entry()


def test_each_field_has_a_name_of_its_own():
    sheet = sheet_of(entry())
    assert sheet["title.fr"] == "Conférence"
    assert sheet["links.en"] == [{"action": "register", "url": "https://a.example/"}]
    assert sheet["place"] == {"city": "Szeged", "country": "HU"}
    assert languages_of(sheet) == ("en", "fr")


def test_a_language_that_says_nothing_is_left_out():
    sheet = sheet_of(entry()) | {"title.fr": "", "title.de": "", "body.de": ""}
    assert set(entry_of(sheet, key="talk", status=Status.DRAFT).texts) == {"en"}


def test_a_text_without_a_title_is_a_problem_of_the_title():
    assert set(problems(sheet_of(entry()) | {"title.fr": "", "body.fr": "Venez."})) == {"title.fr"}


def test_a_source_without_a_text_is_a_problem_of_its_title():
    assert set(problems(sheet_of(entry()) | {"source": "de"})) == {"title.de"}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("published", "soon"),
        ("priority", "high"),
        ("kind", "poem"),
        ("place", {"online": "ftp://a.example"}),
        ("image", {"alt": {"en": "nothing"}}),
        ("links.en", [{"label": "there", "url": "javascript:alert(1)"}]),
        ("tags", ["x" * 81]),
        ("topic", "x" * 201),
        ("section", "Not a key"),
        ("body.fr", "x" * 50_001),
    ],
)
def test_what_is_wrong_is_said_of_its_field_in_a_sentence_that_can_be_translated(field, wrong):
    found = problems(sheet_of(entry()) | {field: wrong})
    assert set(found) == {field}
    assert set(found.values()) <= set(SENTENCES)


def test_a_sitting_keeps_the_words_of_the_rule():
    wrong = [{"key": "one", "start": "2026-12-01T14:00", "end": "2026-12-01T13:00"}]
    assert problems(sheet_of(entry()) | {"sittings": wrong}) == {
        "sittings.0.end": "the sitting ends (2026-12-01 13:00) before it starts (2026-12-01 14:00)"
    }


def test_a_draft_of_an_agenda_entry_waits_for_its_dates_and_a_published_one_does_not():
    sheet = sheet_of(entry()) | {"sittings": []}
    assert entry_of(sheet, key="talk", status=Status.DRAFT).sittings == ()
    assert problems(sheet) == {"sittings": "An agenda entry needs at least one sitting before it is published."}


def test_news_with_sittings_are_told_to_lose_them():
    found = problems(sheet_of(entry()) | {"kind": "news"})
    assert found == {"sittings": "Only agenda entries have sittings: take them out first."}


def test_the_traps_of_every_text_are_found_by_field():
    sheet = sheet_of(entry()) | {"body.fr": "1. Dezember war ein guter Tag", "body.en": "Plain."}
    assert {name: found[0].line for name, found in traps_of(sheet).items()} == {"body.fr": 1}
