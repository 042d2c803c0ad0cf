import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import InvalidLanguage, InvalidValue
from subscribers.language import (
    country_code,
    direction,
    display_name,
    fallback_chain,
    lookup,
    normalise_tag,
    parents,
)

TAGS = st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z]{4})?([-_][a-zA-Z]{2})?([-_][a-z0-9]{5,8}){0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("fr", "fr"),
        (" FR ", "fr"),
        ("fr_be", "fr-BE"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("iw", "he"),
        ("fra", "fr"),
        ("ger-at", "de-AT"),
        ("en-UK", "en-GB"),
        ("ckb", "ckb"),
        ("zh-cmn-hans", "zh-cmn-Hans"),
        ("de-CH-1996", "de-CH-1996"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
        ("en-x-Pirate", "en-x-pirate"),
        ("no", "no"),
    ],
)
def test_tags_have_one_spelling(text, tag):
    assert normalise_tag(text) == tag


@pytest.mark.parametrize(
    "text",
    [
        "",
        "f",
        "French",
        "gr",
        "jp",
        "fr-XX",
        "fr-",
        "fr--BE",
        "x-private",
        "fr-BE-FR",
        "de-1996-1996",
        "de-a-aa-a-bb",
        "français",
        "fr;en",
        "fr" * 20,
    ],
)
def test_what_is_no_tag_is_refused(text):
    with pytest.raises(InvalidLanguage):
        normalise_tag(text)


@given(TAGS)
def test_the_one_spelling_stays_as_it_is(text):
    try:
        tag = normalise_tag(text)
    except InvalidLanguage:
        return
    assert normalise_tag(tag) == tag
    assert direction(tag) in {"ltr", "rtl"}
    assert display_name(tag, "fr")


@pytest.mark.parametrize(
    ("tag", "above"),
    [
        ("fr", ()),
        ("fr-BE", ("fr",)),
        ("zh-Hant-TW", ("zh-Hant", "zh")),
        ("de-DE-u-co", ("de-DE", "de")),
        ("en-x-pirate", ("en",)),
    ],
)
def test_parents_are_ever_less_special(tag, above):
    assert parents(tag) == above


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("fr-BE", ["en", "fr"], "fr"),
        ("FR-be", ["en", "fr-BE", "fr"], "fr-BE"),
        ("zh-Hant-TW", ["zh", "zh-Hant"], "zh-Hant"),
        ("en", ["fr", "en-GB"], "en-GB"),
        ("en-ZA", ["fr", "en-US", "en-GB"], "en-US"),
        ("en-ZA", ["en-US", "en"], "en"),
        ("zh-TW", ["zh-Hans", "fr"], "fr"),
        ("zh-TW", ["zh-Hans", "zh-Hant-HK", "zh-Hant"], "zh-Hant"),
        ("sr-Latn", ["sr-Cyrl", "fr"], "fr"),
        ("nb", ["fr", "no"], "no"),
        ("it", ["en", "fr"], "fr"),
        ("it", [], "fr"),
        (None, ["en", "fr"], "fr"),
        ("", ["en", "fr"], "fr"),
    ],
)
def test_a_reader_gets_the_nearest_edition(wanted, offered, chosen):
    assert lookup(wanted, offered, "fr") == chosen


@given(TAGS, st.lists(TAGS, max_size=4))
def test_a_reader_always_gets_something_that_is_offered_or_the_default(wanted, offered):
    assert lookup(wanted, offered, "fr") in {*offered, "fr"}


def test_text_falls_back_from_the_language_to_the_default():
    assert fallback_chain("fr-BE", source="nl", default="en") == ("fr-BE", "fr", "nl", "en")
    assert fallback_chain("en", source="en", default="en") == ("en",)


@pytest.mark.parametrize(
    ("tag", "way"),
    [
        ("ar", "rtl"),
        ("he", "rtl"),
        ("fa", "rtl"),
        ("ur-PK", "rtl"),
        ("az-Arab", "rtl"),
        ("az", "ltr"),
        ("pa-PK", "rtl"),
        ("pa", "ltr"),
        ("fr-BE", "ltr"),
        ("zh-cmn-hans", "ltr"),
        ("qqq", "ltr"),
        ("en-x-ar", "ltr"),
    ],
)
def test_the_script_tells_the_direction(tag, way):
    assert direction(tag) == way


@pytest.mark.parametrize(
    ("tag", "in_language", "name"),
    [
        ("fr-BE", "fr", "français (Belgique)"),
        ("de", "fr-BE", "allemand"),
        ("de", "qqq", "German"),
        ("zh-Hant-TW", "en", "Chinese (Traditional, Taiwan)"),
        ("qqq", "fr", "qqq"),
    ],
)
def test_languages_have_names_in_other_languages(tag, in_language, name):
    assert display_name(tag, in_language) == name


@pytest.mark.parametrize(("text", "code"), [("BE", "BE"), (" be ", "BE"), ("uk", "GB"), ("XK", "XK")])
def test_countries_have_one_code(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["", "B", "Belgium", "XX", "EU", "ZZ", "001", "bé"])
def test_what_is_no_country_is_refused(text):
    with pytest.raises(InvalidValue, match="two letters"):
        country_code(text)
