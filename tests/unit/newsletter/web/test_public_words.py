"""The words of the public pages: whole in every language, none missing on a page, none left over."""

import re
from string import Formatter

import pytest

from newsletter.paths import templates
from newsletter.times import french_spaces
from newsletter.web import zones
from newsletter.web.errors import _OTHERWISE, _WORDS
from newsletter.web.page import WORDS
from newsletter.web.public import forms, preferences
from newsletter.words import catalogue, languages

OF_THE_ARCHIVE = {"issue.html.j2", "sent.html.j2", "archive.html.j2"}
"""Pages in the language of an edition: their words stand in the domain of editions."""

SAID = re.compile(r"""say\(\s*"((?:[^"\\]|\\.)*)\"""")


def placeholders(text):
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def said_on_pages():
    pages = [page for page in (templates() / "web" / "public").glob("*.j2") if page.name not in OF_THE_ARCHIVE]
    return {message for page in pages for message in SAID.findall(page.read_text("utf-8"))}


def said_by_modules():
    problems = {
        forms.NO_ADDRESS,
        forms.BAD_ADDRESS,
        forms.BAD_TEXT,
        forms.NOT_OFFERED,
        forms.NONE_CHOSEN,
        forms.NOT_THEIRS,
    }
    errors = {words for pair in (*_WORDS.values(), _OTHERWISE) for words in pair}
    return problems | errors | set(zones._OCEANS.values()) | set(preferences.SAID.values())


def test_the_pages_are_there_in_all_languages_of_the_program():
    assert set(languages(WORDS)) == {"ar", "de", "el", "en", "es", "fr"}


def test_every_message_of_a_page_is_in_the_catalogue_and_no_other():
    known = {message for _, message in catalogue("en", WORDS).messages}
    assert said_on_pages() | said_by_modules() == known


@pytest.mark.parametrize("language", languages(WORDS))
def test_every_catalogue_is_whole_and_keeps_the_placeholders(language):
    words, english = catalogue(language, WORDS).messages, catalogue("en", WORDS).messages
    assert words.keys() == english.keys()
    different = [key for key in english if placeholders(words[key][0]) != placeholders(english[key][0])]
    assert different == []


@pytest.mark.parametrize("language", languages(WORDS))
def test_no_translation_has_loose_or_doubled_spaces(language):
    forms_of = [form for found in catalogue(language, WORDS).messages.values() for form in found]
    assert [form for form in forms_of if form != form.strip() or "  " in form] == []


@pytest.mark.parametrize("language", sorted({*languages(WORDS)} - {"en"}))
def test_no_sentence_was_left_in_english(language):
    words = catalogue(language, WORDS).messages
    assert [english for (_, english), (said,) in words.items() if said == english and " " in english] == [
        "Error: {title}"
    ][: language == "es"]


def test_no_french_sign_can_begin_a_line():
    said = [form for found in catalogue("fr", WORDS).messages.values() for form in found]
    assert [form for form in said if french_spaces(form) != form] == []


def test_every_sentence_ends_as_the_english_one_does():
    ends = {"ar": {".": ".", "?": "؟"}, "el": {".": ".", "?": ";"}}
    wrong = []
    for language in languages(WORDS):
        for (_, english), (said,) in catalogue(language, WORDS).messages.items():
            end = ends.get(language, {".": ".", "?": "?"}).get(english[-1])
            if (end is None) == said.endswith((".", "?", "؟", ";")) or (end and not said.endswith(end)):
                wrong.append((language, said))
    assert wrong == []
