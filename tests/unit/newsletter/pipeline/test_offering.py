import datetime as dt

import pytest

from newsletter.assembly.edition import Phrase
from newsletter.content.newsletter import Newsletter
from newsletter.pipeline.offering import (
    consent_words,
    gone_newsletter,
    list_offer,
    named,
    newsletter_offer,
    own_consent_words,
    phrase,
)
from newsletter.words import languages
from subscribers.models import MailingList


def a_newsletter(**values):
    return Newsletter.model_validate(
        {
            "slug": "rivers",
            "name": {"en": "River News", "fr": "Nouvelles des rivières"},
            "languages": ["en", "fr"],
            "timezone": "Europe/Brussels",
            "sender": {"name": "River network", "address": "news@rivers.example"},
            "list_id": "rivers.rivers.example",
            "sections": [{"key": "news"}],
            **values,
        }
    )


def a_list(**values):
    now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    return MailingList(name="members", created=now, **{"titles": {}, "descriptions": {}, **values})


@pytest.mark.parametrize(
    ("language", "name"), [("fr-BE", "Nouvelles des rivières"), ("en-GB", "River News"), ("ar", "River News")]
)
def test_a_newsletter_is_called_by_its_name_in_the_language_or_its_first(language, name):
    assert newsletter_offer(a_newsletter(), language).name == name


def test_a_name_in_another_language_is_marked_and_one_in_the_same_is_not():
    assert named(a_newsletter(), "ar") == Phrase(text="River News", lang="en", dir="ltr")
    assert named(a_newsletter(), "fr-BE") == Phrase(text="Nouvelles des rivières")
    assert named(a_newsletter(name="Rivers"), "ar") == Phrase(text="Rivers")
    assert named(a_newsletter(name={}), "ar") == Phrase(text="rivers")
    assert phrase({}, "en", default="fr") is None


def test_a_newsletter_that_is_gone_is_called_by_its_key():
    assert gone_newsletter("rivers").name == "rivers"


def test_a_list_without_words_is_called_by_its_name():
    offer = list_offer(a_list(description="For members"), "fr")
    assert (offer.name, offer.title, offer.description, offer.language) == ("members", "members", "For members", "fr")


@pytest.mark.parametrize(
    ("language", "title", "shown"),
    [("fr-BE", "Membres", "fr"), ("pt", "Members", "en"), ("en-GB", "Members", "en"), ("zh-Hant", "Members", "en")],
)
def test_a_title_falls_back_along_the_language_to_the_default(language, title, shown):
    titles = {"fr": "Membres", "en": "Members"}
    offer = list_offer(a_list(titles=titles), language, default="en")
    assert (offer.title, offer.language) == (title, shown)


def test_a_description_is_in_the_language_of_its_title():
    offer = list_offer(a_list(titles={"fr": "Membres"}, descriptions={"en": "For members"}), "en")
    assert (offer.title, offer.description) == ("Membres", "")
    assert list_offer(a_list(descriptions={"fr": "Pour les membres"}), "fr").description == "Pour les membres"


@pytest.mark.parametrize("language", languages())
def test_the_words_of_consent_name_newsletter_and_sender_in_every_language(language):
    words = consent_words(a_newsletter(), language)
    assert words.language == language
    assert "River network" in words.text
    assert own_consent_words(language).language == language


def test_another_text_or_language_is_another_version():
    versions = {consent_words(a_newsletter(), language).version for language in languages()}
    versions |= {consent_words(a_newsletter(name="Rivers"), "en").version, own_consent_words("en").version}
    assert len(versions) == len(languages()) + 2
    assert {len(version) for version in versions} == {16}
    assert consent_words(a_newsletter(), "en") == consent_words(a_newsletter(), "en-GB")


def test_a_newsletter_may_have_words_of_its_own_to_agree_to():
    words = consent_words(a_newsletter(consent={"fr": "J’accepte.", "en": "I agree."}), "fr-BE")
    assert (words.text, words.language) == ("J’accepte.", "fr")
    assert consent_words(a_newsletter(consent="I agree."), "de").language == "de"
