"""The words of findings: in the catalogues as in the rules, complete in each language that has one."""

import re
from string import Formatter

import pytest

from newsletter.preflight.finding import DOMAIN, Names, Rule, Severity
from newsletter.preflight.report import RULES
from newsletter.preflight.wording import WORDS
from newsletter.words import catalogue, languages

SAID = [
    words
    for rule in RULES
    for words in (((rule.message, rule.several) if rule.several else (rule.message,)), (rule.hint,))
]
MESSAGES = {("", words[0]): words for words in (*SAID, *WORDS)}


def placeholders(text):
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def test_officers_read_findings_in_english_and_french():
    assert languages(DOMAIN) == ("en", "fr")


@pytest.mark.parametrize("language", languages(DOMAIN))
def test_every_catalogue_has_every_message_of_the_rules_and_no_other(language):
    assert catalogue(language, DOMAIN).messages.keys() == MESSAGES.keys()


def test_what_to_do_needs_no_facts():
    assert [rule.code for rule in RULES if placeholders(rule.hint)] == []


def test_the_english_catalogue_says_what_the_rules_say():
    assert catalogue("en", DOMAIN).messages == MESSAGES


@pytest.mark.parametrize("language", languages(DOMAIN))
def test_every_translation_keeps_the_placeholders(language):
    for key, forms in catalogue(language, DOMAIN).messages.items():
        assert [placeholders(form) for form in forms] == [placeholders(english) for english in MESSAGES[key]], key


@pytest.mark.parametrize("language", languages(DOMAIN))
def test_no_translation_has_loose_or_doubled_spaces(language):
    forms = [form for found in catalogue(language, DOMAIN).messages.values() for form in found]
    assert [form for form in forms if form != form.strip() or "  " in form] == []


def test_no_french_sign_can_begin_a_line():
    forms = [form for found in catalogue("fr", DOMAIN).messages.values() for form in found]
    assert [form for form in forms if re.search(r" [;:!?»%]|« |'", form)] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "fr-BE",
            "La version en français (members) pèse 81 ko\u00a0; vers 102 ko, Gmail coupe un message et cache le reste.",
        ),
        ("de", "The French (members) edition weighs 81 kB; near 102 kB Gmail cuts a message and hides the rest."),
    ],
)
def test_a_finding_is_said_in_the_operators_language_or_in_english(language, words):
    (rule,) = [rule for rule in RULES if rule.code == "weight-warning"]
    assert rule.found(edition="fr.members", size=81).message(language) == words


def test_numbers_and_names_are_written_as_the_language_does():
    rule = Rule(code="tide", severity=Severity.NOTICE, message="{height} at {piers}", hint="Wait.")
    finding = rule.found(height=3.5, piers=Names(("East", "West")))
    assert finding.message("fr") == "3,5 at East, West"
    assert finding.message("en") == "3.5 at East, West"
    assert finding.fingerprint != rule.found(height=3.5, piers=Names(("East",))).fingerprint
