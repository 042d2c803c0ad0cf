import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.newsletter.assembly.builders import a_catalogue, a_newsletter, a_sitting, an_entry, stored

from newsletter.assembly.edition import Phrase
from newsletter.assembly.wording import Wording
from newsletter.content.entry import Place
from newsletter.content.newsletter import Topic

WIDE, NARROW = "\u00a0", "\u202f"


def wording(language="en", **newsletter):
    return Wording(language=language, settings=a_newsletter(**newsletter), catalogue=a_catalogue())


def place(plain, language="en", source="en"):
    return wording(language).place(Place.model_validate(plain), source)


@pytest.mark.parametrize(
    ("edition", "tag", "foreign"),
    [
        ("en", "en", None),
        ("en", "fr", "fr"),
        ("fr-BE", "fr", None),
        ("fr", "fr-BE", None),
        ("fr-BE", "fr-CH", None),
        ("zh-Hans", "zh-Hant", "zh-Hant"),
        ("en", None, None),
    ],
)
def test_words_are_foreign_where_their_readers_are_others(edition, tag, foreign):
    assert wording(edition).foreign(tag) == foreign


def test_foreign_words_carry_their_language_and_direction():
    words = {"ar": "مرحبا", "en": "Hello"}
    assert wording("fr").phrase(words, "ar") == Phrase(text="مرحبا", lang="ar", dir="rtl")
    assert wording("fr").phrase(words) == Phrase(text="Hello", lang="en", dir="ltr")
    assert wording("ar").phrase(words) == Phrase(text="مرحبا")


def test_a_plain_string_is_never_marked():
    assert wording("es").phrase({"*": "SiltWatch"}) == Phrase(text="SiltWatch")


def test_without_words_there_is_no_phrase():
    assert wording().phrase({}) is None


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("« Qui paie ? »", f"«{WIDE}Qui paie{NARROW}?{WIDE}»"),
        ("Gratuit ; [[first_name|chère lectrice !]] !", f"Gratuit{NARROW}; [[first_name|chère lectrice !]]{NARROW}!"),
        ("Voir `a ? b : c` : [ici](<https://x.example/a ?b>) !",
         f"Voir `a ? b : c`{WIDE}: [ici](<https://x.example/a ?b>){NARROW}!"),
        ("https://x.example/?q=1 à 14:00", "https://x.example/?q=1 à 14:00"),
        ("\ufdd0 ? [[city]] ?", f"\ufdd0{NARROW}? [[city]]{NARROW}?"),
    ],
)  # fmt: skip
def test_french_is_set_with_its_spaces_outside_slots_code_and_addresses(source, shown):
    assert wording("fr").set(source, None) == shown
    assert wording("en").set(source, "fr-BE") == shown
    assert wording("fr").set(source, "en") == source


@given(st.text(alphabet="[]|`(<>)a !?:;«»\ufdd0\n", max_size=40))
def test_setting_french_changes_spaces_only_and_twice_is_once(text):
    shown = wording("fr").set(text, "fr")
    assert "".join(shown.split()) == "".join(text.split())
    assert wording("fr").set(shown, "fr") == shown


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({"name": {"en": "City Hall", "fr": "Hôtel de ville"}, "city": "Szeged", "country": "HU"},
         "City Hall, Szeged (HU)"),
        ({"city": {"en": "Rotterdam"}, "country": "NL"}, "Rotterdam (NL)"),
        ({"name": "City Hall"}, "City Hall"),
        ({"city": "Liège"}, "Liège"),
        ({"country": "NL"}, "Netherlands"),
        ({"online": "https://meet.example"}, ""),
    ],
)  # fmt: skip
def test_a_place_in_words(plain, words):
    assert place(plain).words == Phrase(text=words)
    assert place(plain).online == plain.get("online")


def test_a_place_has_the_comma_of_its_language():
    arabic = {"name": {"ar": "قاعة الجمارك"}, "city": {"ar": "ترييستي"}, "country": "IT"}
    assert place(arabic, "ar").words.text == "قاعة الجمارك، ترييستي (IT)"
    assert (
        place({"name": {"en": "Customs Hall"}, "city": {"en": "Trieste"}}, "ar").words.text == "Customs Hall, Trieste"
    )
    assert place({"name": {"ja": "税関"}, "city": {"ja": "トリエステ"}}, "ja-JP").words.text == "税関、トリエステ"


def test_a_country_alone_is_named_in_the_editions_language():
    assert place({"country": "NL"}, "fr").words.text == "Pays-Bas"


@pytest.mark.parametrize(("locale", "words"), [("tlh-001", "NL"), ("fr-XK", "Pays-Bas")])
def test_a_locale_without_names_of_countries_gives_its_parents_or_the_code(locale, words):
    settings = a_newsletter().model_copy(update={"locales": {"en": locale}})
    found = Wording(language="en", settings=settings, catalogue=a_catalogue()).place(Place(country="NL"), "en")
    assert found.words.text == words


@pytest.mark.parametrize(
    ("language", "plain", "lang"),
    [
        ("es", {"name": {"en": "City Hall"}, "city": "Szeged"}, "en"),
        ("es", {"name": "Docks", "city": {"en": "Antwerp"}}, "en"),
        ("es", {"name": {"es": "Ayuntamiento"}, "city": {"en": "Antwerp"}}, None),
        ("es", {"name": "Docks", "city": "Oostende"}, None),
    ],
)
def test_a_place_is_marked_in_the_language_of_its_name_or_else_of_its_city(language, plain, lang):
    assert place(plain, language).words.lang == lang


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", Phrase(text="SiltWatch: Co-funded.")),
        ("fr", Phrase(text=f"SiltWatch{WIDE}: Cofinancé.")),
        ("es", Phrase(text="SiltWatch: Co-funded.", lang="en", dir="ltr")),
    ],
)
def test_a_label_is_put_before_words_with_the_colon_of_their_language(language, shown):
    credit = {"en": "Co-funded.", "fr": "Cofinancé."}
    assert wording(language).labelled({"*": "SiltWatch"}, credit) == shown


def test_a_label_needs_words_and_words_need_no_label():
    assert wording().labelled({"*": "SiltWatch"}, {}) is None
    assert wording().labelled({}, {"*": "Co-funded."}) == Phrase(text="Co-funded.")


def rendition(language, topics=(), **changes):
    by_key = {topic["key"]: Topic.model_validate(topic) for topic in topics}
    return wording(language).rendition(stored(an_entry(**changes)), by_key)


FRENCH = {
    "fr": {
        "title": "La prime ?",
        "body": "Qui paie ?",
        "links": [{"label": "Voir", "url": "https://x.example/"}, {"action": "watch", "url": "https://x.example/w"}],
    }
}


def test_the_text_of_an_entry_falls_back_as_a_whole():
    shown = rendition("en", texts=FRENCH)
    french = Phrase(text=f"La prime{NARROW}?", lang="fr", dir="ltr")
    assert (shown.tag, shown.title, shown.body) == ("fr", french, f"Qui paie{NARROW}?")
    assert [(link.action, link.label, link.context) for link in shown.links] == [
        (None, Phrase(text="Voir", lang="fr", dir="ltr"), french),
        ("watch", None, french),
    ]


def test_the_text_of_a_parent_language_is_no_fallback():
    assert rendition("fr-BE", texts=FRENCH).tag is None


def test_a_text_falls_back_to_the_entrys_own_language_before_the_newsletters():
    texts = {"en": {"title": "Title"}, "fr": {"title": "Titre"}}
    assert rendition("es", texts=texts, source="fr").tag == "fr"
    assert rendition("es", texts=texts, source="en").tag == "en"


def test_a_topic_is_named_by_its_key_or_by_itself():
    topics = [{"key": "silt", "name": {"en": "SiltWatch"}, "url": "https://silt.example/"}]
    known, unknown, none = (rendition("en", topics, topic=topic) for topic in ("silt", "Night quays", None))
    assert (known.topic, known.topic_url) == (Phrase(text="SiltWatch"), "https://silt.example/")
    assert (unknown.topic, unknown.topic_url) == (Phrase(text="Night quays"), None)
    assert (none.topic, none.topic_url) == (None, None)


def test_a_sitting_has_its_entrys_title_and_place_unless_it_has_its_own():
    entry = an_entry(place={"city": "Szeged"})
    words = wording()
    told = words.rendition(stored(entry), {})
    plain = a_sitting(date="2026-12-01")
    own = a_sitting(date="2026-12-01", title="Visit", place={"city": "Liège"}, languages=["en", "fr"],
                    links=[{"label": {"fr": "Voir"}, "url": "https://x.example/"}])  # fmt: skip
    assert (words.title_of(told, plain).text, words.place_of(told, plain).words.text) == ("Title of silt", "Szeged")
    assert (words.title_of(told, own).text, words.place_of(told, own).words.text) == ("Visit", "Liège")
    assert (words.links_of(told, plain), words.languages(plain)) == ((), None)
    assert words.links_of(told, own)[0].label == Phrase(text="Voir", lang="fr", dir="ltr")
    assert words.links_of(told, own)[0].context == Phrase(text="Visit")
    assert words.languages(own) == "English and French"
