"""The catalogues: complete in every language, read as they are, with a way back to English."""

import re
from string import Formatter

import pytest

from newsletter.words import catalogue, languages, read

LETTER = re.compile(r"[^\W\d_]")


def po(body: str, plural: str = "nplurals=2; plural=(n != 1);") -> bytes:
    header = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: {plural}\\n"\n'
    return f"{header}\n{body}\n".encode()


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def test_the_languages_of_the_theme_are_there():
    assert {"ar", "de", "el", "en", "es", "fr"} <= set(languages())


@pytest.mark.parametrize("language", languages())
def test_every_catalogue_has_every_message_of_the_english_one(language):
    words = catalogue(language)
    assert words.language == language
    assert words.messages.keys() == catalogue("en").messages.keys()


@pytest.mark.parametrize("language", languages())
def test_every_translation_keeps_the_placeholders(language):
    words = catalogue(language)
    for key, english in catalogue("en").messages.items():
        wanted = set().union(*map(placeholders, english))
        # "Two more dates" may be a word of its own in a language with a dual.
        kept = [placeholders(form) | (wanted & {"n"}) for form in words.messages[key]]
        assert all(found == wanted for found in kept), (language, key)


@pytest.mark.parametrize("language", languages())
def test_every_plural_has_as_many_forms_as_the_language(language):
    words = catalogue(language)
    forms = len({words.plural(n) for n in range(1000)})
    counts = {key: len(found) for key, found in words.messages.items()}
    english = catalogue("en").messages
    assert all(count == (forms if len(english[key]) > 1 else 1) for key, count in counts.items())


@pytest.mark.parametrize("language", languages())
def test_no_translation_has_loose_or_doubled_spaces(language):
    forms = [form for found in catalogue(language).messages.values() for form in found]
    assert [form for form in forms if form != form.strip() or "  " in form or not LETTER.search(form)] == []


def test_no_french_sign_can_begin_a_line():
    forms = [form for found in catalogue("fr").messages.values() for form in found]
    assert [form for form in forms if re.search(r" [;:!?»]|« ", form)] == []


@pytest.mark.parametrize(
    ("tag", "language"),
    [("fr", "fr"), ("fr-BE", "fr"), ("FR_be", "fr"), ("ar-EG", "ar"), ("pt-BR", "en"), ("", "en"), ("../en", "en")],
)
def test_a_language_falls_back_to_its_parents_and_to_english(tag, language):
    assert catalogue(tag).language == language


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Register"),
        ("fr", "S’inscrire"),
        ("es", "Inscribirse"),
        ("de", "Anmelden"),
        ("el", "Εγγραφή"),
        ("ar", "التسجيل"),
    ],
)
def test_an_action_has_the_words_of_its_language(language, words):
    assert catalogue(language).say("Register") == words


def test_values_fill_the_placeholders_as_they_are():
    assert catalogue("fr").say("in {languages}", languages="{anglais} et français") == "en {anglais} et français"


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError, match="languages"):
        catalogue("fr").say("in {languages}")


def test_a_message_of_a_theme_that_no_catalogue_knows_stays_english():
    words = catalogue("fr")
    assert not words.knows("Up the river {name}")
    assert words.say("Up the river {name}", name="Meuse") == "Up the river Meuse"
    assert words.say_n("{n} lock", "{n} locks", 1) == "1 lock"
    assert words.say_n("{n} lock", "{n} locks", 0) == "0 locks"


@pytest.mark.parametrize(
    ("language", "n", "words"),
    [
        ("en", 1, "1 more date"),
        ("en", 1200, "1,200 more dates"),
        ("fr", 0, "0 autre date"),
        ("de", 1200, "1.200 weitere Termine"),
        ("ar", 2, "موعدان آخران"),
        ("ar", 5, "5 مواعيد أخرى"),
        ("ar", 11, "11 موعدًا آخر"),
    ],
)
def test_a_number_chooses_its_form(language, n, words):
    assert catalogue(language).say_n("{n} more date", "{n} more dates", n) == words


def test_a_context_tells_two_meanings_apart():
    words = read(po('msgid "May"\nmsgstr "mai"\n\nmsgctxt "permission"\nmsgid "May"\nmsgstr "peut"'), language="fr")
    assert words.say("May") == "mai"
    assert words.say("May", context="permission") == "peut"
    assert words.say("May", context="hawthorn") == "May"
    assert words.knows("May", context="permission")


def test_a_context_holds_for_plurals_too():
    entry = 'msgctxt "river"\nmsgid "{n} bank"\nmsgid_plural "{n} banks"\nmsgstr[0] "{n} rive"\nmsgstr[1] "{n} rives"'
    words = read(po(entry), language="fr")
    assert words.say_n("{n} bank", "{n} banks", 2, context="river") == "2 rives"
    assert words.say_n("{n} bank", "{n} banks", 2) == "2 banks"


@pytest.mark.parametrize(
    "entry",
    [
        'msgid "Print"\nmsgstr ""',
        '#, fuzzy\nmsgid "Print"\nmsgstr "Imprimer"',
        'msgid "Print"\nmsgid_plural "Prints"\nmsgstr[0] "Tirage"\nmsgstr[1] ""',
    ],
)
def test_an_unfinished_translation_is_left_out(entry):
    assert not read(po(entry), language="fr").knows("Print")
