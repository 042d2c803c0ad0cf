"""The words of the desk: whole in every language, none missing on a page, and how it writes instants and numbers."""

import datetime as dt
import re
from string import Formatter

import pytest

from newsletter.paths import templates
from newsletter.times import french_spaces
from newsletter.web.desk import errors, words
from newsletter.web.desk.words import DOMAIN, desk_languages, desk_words, domains, tongue
from newsletter.words import catalogue

TEXT = r"""(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')"""
SAID = re.compile(rf"""\bsay(_n)?\(\s*{TEXT}(?:\s*,\s*{TEXT})?([^()]*)""")
CONTEXT = re.compile(rf"""context\s*=\s*{TEXT}""")

DOMAINS = (DOMAIN, *domains())
OTHERS = sorted({*desk_languages()} - {"en"})
SAME_IN = {"fr": {"{n} minutes", "{n} articles", "Type {word} to go on"}}


def placeholders(text):
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def said_on_pages():
    for page in sorted((templates() / "web" / "desk").rglob("*.j2")):
        for plural, first, other, *_, rest in SAID.findall(page.read_text("utf-8")):
            context = CONTEXT.search(rest)
            named = (context[1] or context[2]) if context else ""
            message = (first or other).replace('\\"', '"').replace("\\'", "'")
            yield page.relative_to(templates()), bool(plural), (named, message)


def test_the_desk_speaks_english_and_french():
    assert {"en", "fr"} <= set(desk_languages())


def test_every_message_of_a_page_is_in_the_catalogues():
    known = desk_words("en").messages
    assert [(str(page), message) for page, _, message in said_on_pages() if message not in known] == []


def test_what_a_page_counts_has_a_plural():
    known = desk_words("en").messages
    flat = [(str(page), key) for page, plural, key in said_on_pages() if plural and len(known.get(key, "xx")) < 2]
    assert flat == []


def test_the_errors_of_the_desk_are_in_the_catalogue():
    said = {message for pair in (*errors._WORDS.values(), errors._OTHERWISE) for message in pair}
    assert {message for message in said if ("", message) not in catalogue("en", DOMAIN).messages} == set()


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", OTHERS)
def test_every_catalogue_is_whole_and_keeps_the_placeholders(language, domain):
    said, english = catalogue(language, domain), catalogue("en", domain)
    assert said.language == language
    assert said.messages.keys() == english.messages.keys()
    different = [
        key
        for key, forms in english.messages.items()
        if len(said.messages[key]) != len(forms)
        or any(placeholders(one) | {"n"} != placeholders(forms[-1]) | {"n"} for one in said.messages[key])
    ]
    assert different == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_english_message_is_its_own_translation(domain):
    wrong = [key for key, forms in catalogue("en", domain).messages.items() if forms[0] != key[1]]
    assert wrong == []


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_no_message_has_loose_or_doubled_spaces(language, domain):
    forms = [form for found in catalogue(language, domain).messages.values() for form in found]
    assert [form for form in forms if form != form.strip() or "  " in form] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_french_sign_can_begin_a_line(domain):
    said = [form for found in catalogue("fr", domain).messages.values() for form in found]
    assert [form for form in said if french_spaces(form) != form] == []


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_was_left_in_english(language, domain):
    left = [
        english
        for (_, english), (said, *_) in catalogue(language, domain).messages.items()
        if said == english and len(re.findall(r"[^\W\d_]{2,}", re.sub(r"\{[^}]*\}", "", english))) > 1
    ]
    assert [english for english in left if english not in SAME_IN.get(language, ())] == []


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_no_two_areas_translate_one_message_in_two_ways(language):
    seen = {}
    for domain in DOMAINS:
        for key, forms in catalogue(language, domain).messages.items():
            seen.setdefault(key, {}).setdefault(forms, []).append(domain)
    assert {key: found for key, found in seen.items() if len(found) > 1} == {}


def test_instants_are_written_in_the_zone_and_the_language_of_the_operator():
    when = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
    english, french = tongue("en", "Europe/Brussels"), tongue("fr", "Europe/Brussels")
    assert english.moment(when) == "Tuesday 1 December 2026, 09:00 CET"
    assert french.day(when) == "1er décembre 2026"
    assert english.day(dt.date(2026, 12, 1)) == "1 December 2026"
    assert (english.clock(when), french.clock(when)) == ("09:00", "09:00")
    assert english.ago(when, now=when + dt.timedelta(hours=3)) == "3 hours ago"
    assert french.ago(when, now=when - dt.timedelta(days=2)) == "dans 2 jours"


def test_numbers_are_written_as_the_language_writes_them():
    english, french = tongue("en", "UTC"), tongue("fr", "UTC")
    assert (english.number(12345), french.number(12345)) == ("12,345", "12\u202f345")
    assert (english.percent(0.125), french.percent(0.125)) == ("12.5%", "12,5\u00a0%")
    assert (english.percent(0), english.percent(1)) == ("0%", "100%")


def test_an_unknown_zone_is_universal_time_and_an_unknown_language_english():
    reads = tongue("xx", "Nowhere/Else")
    assert reads.moment(dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)) == "Tuesday 1 December 2026, 08:00 UTC"
    assert words.desk_words("xx").language == "en"
