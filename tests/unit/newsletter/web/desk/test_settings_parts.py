"""What the forms of settings say: changes by dotted keys, with everything as it was entered."""

import pytest

from newsletter.content.newsletter import Newsletter
from newsletter.pipeline.founding import Refusal
from newsletter.web.desk.newsletters import problems
from newsletter.web.desk.newsletters.parts import Part, changes_of, moved, shown
from newsletter.web.desk.newsletters.problems import problems_of
from newsletter.web.form import Form

SETTINGS = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": {"en": "River News", "fr": "Nouvelles", "ar": "أخبار"},
        "languages": ["en", "fr"],
        "locales": {"en": "en-GB"},
        "timezone": "Europe/Brussels",
        "sender": {"name": "Rivers", "address": "news@rivers.example"},
        "list_id": "rivers.rivers.example",
        "sections": [{"key": "lead"}, {"key": "news", "title": {"en": "News", "fr": "Nouvelles"}}],
        "theme": {"options": {"print": False}},
    }
)


def form(**fields):
    return Form({name.replace("__", "."): (value,) for name, value in fields.items()})


def test_a_text_keeps_the_languages_that_the_form_does_not_show():
    changes = changes_of(Part.GENERAL, form(name__en="Rivers", name__fr=""), SETTINGS)
    assert changes["name"] == {"en": "Rivers", "ar": "أخبار"}


def test_a_text_for_all_languages_stays_one_until_a_second_is_written():
    one = changes_of(Part.SENDER, form(sender__name__en="River network"), SETTINGS)
    assert one["sender.name"] == "River network"
    two = changes_of(Part.SENDER, form(sender__name__en="River network", sender__name__fr="Réseau"), SETTINGS)
    assert two["sender.name"] == {"en": "River network", "fr": "Réseau"}


def test_sections_come_in_the_order_of_their_numbers():
    fields = {"sections.10.key": "last", "sections.2.key": "second", "sections.0.key": "first", "sections.x.key": "?"}
    changes = changes_of(Part.SECTIONS, Form({name: (value,) for name, value in fields.items()}), SETTINGS)
    assert [section["key"] for section in changes["sections"]] == ["first", "second", "last"]


def test_a_section_without_a_short_name_gets_one_of_its_heading():
    fields = {"sections.0.title.fr": "Près de l’eau", "sections.1.title.en": "أخبار", "sections.2.show": "lines"}
    changes = changes_of(Part.SECTIONS, Form({name: (value,) for name, value in fields.items()}), SETTINGS)
    assert [section["key"] for section in changes["sections"]] == ["pres-de-l-eau", "section-2", ""]


@pytest.mark.parametrize(
    ("wish", "after"),
    [
        ("up:2", ["a", "c", "b"]),
        ("down:0", ["b", "a", "c"]),
        ("up:0", ["a", "b", "c"]),
        ("down:2", ["a", "b", "c"]),
        ("drop:1", ["a", "c"]),
        ("add", ["a", "b", "c", "new"]),
        ("drop:9", ["a", "b", "c"]),
        ("drop:²", ["a", "b", "c"]),
        ("burn:1", ["a", "b", "c"]),
    ],
)
def test_a_button_moves_drops_or_adds_a_member(wish, after):
    assert moved(["a", "b", "c"], wish, fresh="new") == after


def test_an_option_is_kept_only_where_it_differs_from_the_theme():
    said = form(usual__print="yes", usual__arrows="no", theme__options__arrows="yes")
    assert changes_of(Part.THEME, said, SETTINGS)["theme.options"] == {"print": False, "arrows": True}
    assert (
        changes_of(Part.THEME, form(usual__print="yes", theme__options__print="yes"), SETTINGS)["theme.options"] == {}
    )


def test_the_form_shows_what_was_entered_in_place_of_what_is_stored():
    data = shown(SETTINGS, {"sender.address": "nobody", "website": "x"})
    assert (data["sender"]["address"], data["website"], data["timezone"]) == ("nobody", "x", "Europe/Brussels")
    assert data["sender"]["name"] == "Rivers"


@pytest.mark.parametrize(
    ("place", "kind", "message"),
    [
        ("sender.address", "value_error", problems.BAD_ADDRESS),
        ("footer.social.0.url", "value_error", problems.BAD_LINK),
        ("theme.accent", "string_pattern_mismatch", problems.BAD_COLOUR),
        ("languages.1", "value_error", problems.BAD_LANGUAGE),
        ("languages", "value_error", problems.SAME_LANGUAGE),
        ("languages", "too_short", problems.NO_LANGUAGE),
        ("sections", "duplicate_key", problems.SAME_KEY),
        ("sections.3.key", "value_error", problems.BAD_KEY),
        ("name", "missing", problems.EMPTY),
        ("cadence.cron", "value_error", problems.BAD_CRON),
        ("footer.social.0.network", "string_too_long", problems.TOO_LONG),
        ("consent", "value_error", problems.OTHERWISE),
    ],
)
def test_what_is_wrong_stands_beside_its_field_in_plain_words(place, kind, message):
    refusal = Refusal(place=tuple(place.split(".")), kind=kind, words="")
    assert problems_of([refusal]) == {place: message}
