import pytest
from pydantic import ValidationError

from newsletter.content.localised import EVERY, Localised, Tag, Value, chosen, filled


class Sign(Value):
    words: Localised = {}
    lang: Tag = "en"
    note: str = ""


def test_a_plain_text_stands_for_every_language():
    assert Sign(words="Quay").words == {EVERY: "Quay"}
    assert Sign(words=" ").words == {}
    assert Sign(words="Quay").model_dump()["words"] == "Quay"


def test_a_mapping_has_canonical_tags():
    assert Sign(words={"fr_be": "Quai", "*": "Quay", "de": None}).words == {"fr-BE": "Quai", "*": "Quay"}
    assert Sign(words={"fr": "Quai"}).model_dump()["words"] == {"fr": "Quai"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"words": 1}, "give one text, or a mapping of languages to texts"),
        ({"words": {"qq": "x"}}, "is not a language tag"),
        ({"lang": 1}, "a language is a BCP 47 tag such as en or fr-BE"),
        ({"lang": "x y"}, "is not a language tag"),
        ({"words": {"fr-BE": "x", "fr_be": "y"}}, "the language fr-be stands here twice, in two spellings"),
        ({"nte": "x"}, "Extra inputs"),
        ("text", "valid dictionary"),
    ],
)
def test_other_data_are_refused(given, why):
    with pytest.raises(ValidationError, match=why):
        Sign.model_validate(given)


def test_a_known_key_without_a_value_counts_as_absent():
    assert Sign.model_validate({"note": None, "lang": None}) == Sign()
    with pytest.raises(ValidationError, match="Extra inputs"):
        Sign.model_validate({"nte": None})


def test_invisible_controls_become_spaces():
    assert Sign(note="a\x0bb\r\nc\rd", words={"en": "x\x00y"}) == Sign(note="a b\nc\nd", words={"en": "x y"})


def test_filling_leaves_other_data_as_they_are():
    assert filled({"a": None, "b": 1}) == {"b": 1}
    assert filled([None]) == [None]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"fr": "Quai", "en": "Quay"}, ("Quay", "en")),
        ({"*": "Kai", "fr": "Quai"}, ("Kai", None)),
        ({"hu": "", "fr": "Quai"}, ("Quai", "fr")),
        ({"fr": ""}, None),
        ({}, None),
    ],
)
def test_the_words_of_the_first_language_are_chosen(words, found):
    assert chosen(words, ["en-GB", "en"]) == found
