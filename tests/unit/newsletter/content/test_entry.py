import datetime as dt

import pytest
from pydantic import ValidationError

from newsletter.content.entry import Entry, Image, Kind, Link, Place, Sitting, SittingLink, Status


def data(**changes):
    return {
        "key": "quay",
        "kind": "news",
        "section": "lead",
        "published": "2026-11-03",
        "texts": {"en": {"title": "The quay"}},
    } | changes


def refusal(model, given):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    (error,) = caught.value.errors()
    return error["loc"], error["msg"].removeprefix("Value error, ")


def test_an_entry_needs_little():
    entry = Entry.model_validate(data())
    assert (entry.kind, entry.status, entry.source, entry.repeat) == (Kind.NEWS, Status.PUBLISHED, "en", False)
    assert entry.last_day is None


def test_the_first_text_is_the_source_unless_another_is_named():
    texts = {"de": None, "fr_be": {"title": "Le quai"}, "en": {"title": "The quay"}}
    assert Entry.model_validate(data(texts=texts)).source == "fr-BE"
    assert Entry.model_validate(data(texts=texts, source="en")).source == "en"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"source": "fr"}, (("texts",), "the entry's own language is fr, but it has no title and text in it")),
        ({"texts": {}}, (("texts",), "the entry has no text in any language")),
        ({"texts": {"en": None}, "source": "en"}, (("texts",), "the entry has no text in any language")),
        ({"kind": "agenda"}, ((), "an agenda entry needs at least one sitting")),
        ({"sittings": [{"key": "a", "date": "2026-12-01"}]}, ((), "only agenda entries have sittings")),
        (
            {"kind": "agenda", "sittings": [{"key": "a", "date": "2026-12-01"}, {"key": "a", "date": "2026-12-02"}]},
            (("sittings",), "two sittings have the key 'a'"),
        ),
        ({"texts": {"en": {"body": "x"}}}, (("texts", "en", "title"), "Field required")),
        ({"texts": "x"}, (("texts",), "Input should be a valid dictionary")),
    ],
)
def test_an_entry_is_consistent_in_itself(changes, refused):
    assert refusal(Entry, data(**changes)) == refused


@pytest.mark.parametrize(
    ("sitting", "refused"),
    [
        ({}, ((), "give a sitting either a date (whole days) or a start")),
        (
            {"date": "2026-12-01", "start": "2026-12-01T10:00"},
            ((), "give a sitting either a date (whole days) or a start"),
        ),
        ({"start": "2026-12-01T10:00", "until": "2026-12-02"}, ((), "until goes with date; a start goes with end")),
        ({"date": "2026-12-01", "timezone": "UTC"}, ((), "end and timezone go with start; a date goes with until")),
        (
            {"date": "2026-12-03", "until": "2026-12-01"},
            (("until",), "the sitting is over (2026-12-01) before it begins (2026-12-03)"),
        ),
        (
            {"start": "2026-12-01T14:00", "end": "2026-12-01T13:00"},
            (("end",), "the sitting ends (2026-12-01 13:00) before it starts (2026-12-01 14:00)"),
        ),
        (
            {"start": "2026-12-01T14:00Z"},
            (("start",), "write the wall-clock time without an offset, and its zone under timezone"),
        ),
    ],
)
def test_a_sitting_has_one_time_that_makes_sense(sitting, refused):
    assert refusal(Sitting, {"key": "a"} | sitting) == refused


@pytest.mark.parametrize(
    ("sitting", "day"),
    [
        ({"date": "2026-12-01"}, dt.date(2026, 12, 1)),
        ({"date": "2026-12-01", "until": "2026-12-03"}, dt.date(2026, 12, 3)),
        ({"start": "2026-12-01T14:00"}, dt.date(2026, 12, 1)),
        ({"start": "2026-12-01T22:00", "end": "2026-12-02T01:00"}, dt.date(2026, 12, 2)),
    ],
)
def test_a_sitting_knows_its_last_day(sitting, day):
    assert Sitting.model_validate({"key": "a"} | sitting).last_day == day
    assert Entry.model_validate(data(kind="agenda", sittings=[{"key": "a"} | sitting])).last_day == day


@pytest.mark.parametrize("model", [Link, SittingLink])
def test_a_link_has_an_action_or_a_label(model):
    url = "https://a.example"
    assert model(action="register", url=url).url == url
    assert model(label="Here", url=url).url == url
    assert "either an action or a label" in refusal(model, {"url": url})[1]
    assert "either an action or a label" in refusal(model, {"url": url, "action": "watch", "label": "x"})[1]


def test_an_image_has_one_source():
    assert "either a url or a file" in refusal(Image, {})[1]
    assert "either a url or a file" in refusal(Image, {"url": "https://a.example/a.png", "file": "a.png"})[1]


def test_a_place_is_somewhere():
    assert "a place has a name" in refusal(Place, {})[1]


def test_an_entry_comes_back_from_its_own_dump():
    entry = Entry.model_validate(
        data(
            kind="agenda",
            image={"file": {"en": "a.png"}, "alt": "x"},
            place={"city": "Liège", "country": "be"},
            sittings=[{"key": "a", "start": "2026-12-01T14:00", "links": [{"label": {"fr": "Ici"}, "url": "tel:+32"}]}],
        )
    )
    assert Entry.model_validate(entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)) == entry
