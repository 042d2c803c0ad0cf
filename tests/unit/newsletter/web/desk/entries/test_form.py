"""The form of an entry's editor, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from newsletter.content.entry import Entry
from newsletter.content.newsletter import Newsletter
from newsletter.content.sheet import SHARED, TEXT, entry_of, is_well_shaped, problems_of, sheet_of
from newsletter.web.desk.entries.form import base_in, number_in, sheet_in
from newsletter.web.form import Form

NEWSLETTER = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": "Rivers",
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "Rivers", "address": "news@rivers.example"},
        "list_id": "news.rivers.example",
        "sections": [{"key": "lead"}],
    }
)
ENTRY = Entry.model_validate(
    {
        "key": "quay",
        "kind": "news",
        "section": "lead",
        "published": "2026-11-03",
        "texts": {"en": {"title": "Quay", "links": [{"label": "Here", "url": "https://a.example"}]}},
    }
)
FORM = {
    "texts": "en fr",
    "kind": "news",
    "section": "lead",
    "topic": "",
    "tags": "",
    "published": "2026-11-03",
    "priority": "0",
    "source": "en",
    "title.en": "Quay",
    "body.en": "",
    "link.en.0.label": "Here",
    "link.en.0.url": "https://a.example",
}
NAMES = [*FORM, "languages", "repeat", "place.country", "place.online", "place.name.*", "place.city.fr", "title.fr"]
NAMES += [
    "link.fr.0.action",
    "link.fr.0.url",
    "sitting-count",
    "sitting-0-start",
    "sitting-languages",
    "picture-languages",
]
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["agenda", "1", "9" * 5000, "https://a.example", "en", "2026-12-01T10:00"]
)


def read(**changes):
    named = {name.replace("__", "."): value for name, value in changes.items()}
    fields = {name: (value,) if isinstance(value, str) else value for name, value in (FORM | named).items()}
    return sheet_in(Form(fields), ENTRY, newsletter=NEWSLETTER)[0]


def test_what_was_not_changed_reads_as_it_is_stored():
    sheet = read()
    assert {name: value for name, value in sheet_of(ENTRY).items() if sheet[name] != value} == {}


def test_a_form_without_the_shared_fields_leaves_them_alone():
    assert set(sheet_in(Form({"texts": ("en",), "title.en": ("Quay",)}), ENTRY, newsletter=NEWSLETTER)[0]) == {
        "title.en",
        "body.en",
        "links.en",
    }


def test_an_action_takes_the_place_of_words_and_an_empty_row_is_none():
    sheet = read(link__en__0__action="register", link__en__1__url="", link__en__2__url="mailto:a@b.example")
    assert sheet["links.en"] == [{"action": "register", "url": "https://a.example"}, {"url": "mailto:a@b.example"}]


@pytest.mark.parametrize(("ticked", "stored"), [(("en", "fr"), []), ((), []), (("fr",), ["fr"])])
def test_all_editions_and_none_of_them_are_every_edition(ticked, stored):
    assert read(languages=ticked)["languages"] == stored


def test_a_place_has_words_for_every_language_or_for_one():
    sheet = read(**{"place__city__*": "Szeged", "place__name__fr": "Salle", "place__country": "hu"})
    assert sheet["place"] == {"name": {"fr": "Salle"}, "city": "Szeged", "country": "HU"}
    assert read()["place"] is None


def test_what_cannot_be_read_is_kept_as_it_was_typed():
    sheet = read(priority="high", published="soon", place__online="ftp://x", link__en__0__url="nowhere")
    assert (sheet["priority"], sheet["published"], sheet["place"]) == ("high", "soon", {"online": "ftp://x"})
    assert sheet["links.en"] == [{"label": "Here", "url": "nowhere"}]


@pytest.mark.parametrize(("said", "number"), [("7", 7), ("", -1), ("x", -1), ("٣", -1), ("9" * 5000, -1), ("-2", -1)])
def test_a_revision_that_no_page_of_ours_names_is_none(said, number):
    assert base_in(Form({"base": (said,)})) == number
    assert number_in(said, otherwise=-1) == number


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(TEXTS, min_size=1, max_size=3).map(tuple)))
def test_any_form_is_an_entry_or_has_problems_by_field(fields):
    sheet, _ = sheet_in(Form({name: (value,) for name, value in FORM.items()} | fields), ENTRY, newsletter=NEWSLETTER)
    assert is_well_shaped(sheet)
    try:
        entry_of(sheet, key="quay", status=ENTRY.status)
    except ValidationError as error:
        found = problems_of(error, sheet)
        assert found
        assert {name.partition(".")[0] for name in found} <= {*SHARED, *TEXT}
