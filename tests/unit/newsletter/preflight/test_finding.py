import dataclasses
import datetime as dt

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from newsletter.preflight.finding import FINGERPRINT_LENGTH, Rule, Severity, Tongue, edition_words

RULE = Rule(code="tide-low", severity=Severity.WARNING, message="The {edition} tide is low: {why}.", hint="Wait.")
COUNTED = Rule(
    code="boats-many", severity=Severity.NOTICE, message="1 boat: {names}", several="{n} boats: {names}", hint="Count."
)
DATED = Rule(code="day", severity=Severity.ERROR, message="{day} in {language}, {n}", hint="Look.")


def test_a_finding_has_the_code_and_severity_of_its_rule():
    finding = RULE.found(edition="fr", place="piers", why="moon")
    assert (finding.code, finding.severity, finding.edition, finding.place) == ("tide-low", "warning", "fr", "piers")


def test_a_message_names_the_edition_in_words():
    assert RULE.found(edition="fr", why="moon").message() == "The French tide is low: moon."


def test_a_message_names_the_variant_of_an_edition():
    assert edition_words("fr-BE.members+press") == "French (Belgium) (members, press)"


def test_a_message_says_one_and_several_differently():
    assert COUNTED.found(n=1, names=("Ida",)).message() == "1 boat: “Ida”"
    assert COUNTED.found(n=2, names=("Ida", "Otto")).message() == "2 boats: “Ida”, “Otto”"


def test_a_message_names_six_at_most():
    assert COUNTED.found(n=8, names=tuple("abcdefgh")).message().endswith("“e”, “f”, …")
    assert not COUNTED.found(n=6, names=tuple("abcdef")).message().endswith("…")


def test_days_languages_and_numbers_are_said_in_the_readers_language():
    finding = DATED.found(day=dt.date(2026, 12, 1), language=Tongue("es"), n=12_000)
    assert " ".join(finding.message().split()) == "Tuesday 1 December 2026 in Spanish, 12,000"
    assert " ".join(finding.message("fr").split()) == "mardi 1er décembre 2026 in espagnol, 12 000"


def test_braces_in_a_fact_are_only_words():
    assert RULE.found(edition="en", why="{edition}{0}").message() == "The English tide is low: {edition}{0}."


def test_a_hint_is_said_in_words():
    assert RULE.found(edition="en", why="").hint() == "Wait."


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(RULE, code="tide-high").found(edition="en", place="a", n=1),
        RULE.found(edition="fr", place="a", n=1),
        RULE.found(edition="en", place="b", n=1),
        RULE.found(edition="en", place="a", n=2),
        RULE.found(edition="en", place="a", n="1"),
        RULE.found(edition="en", place="a", m=1),
    ],
    ids=["code", "edition", "place", "fact", "kind of fact", "name of fact"],
)
def test_a_fingerprint_changes_with_everything_that_a_finding_says(other):
    assert RULE.found(edition="en", place="a", n=1).fingerprint != other.fingerprint


def test_a_fingerprint_does_not_change_with_the_wording_of_a_rule():
    reworded = dataclasses.replace(RULE, message="Low tide.", hint="Read.", severity=Severity.ERROR)
    assert RULE.found(place="a").fingerprint == reworded.found(place="a").fingerprint


def test_a_fingerprint_is_the_same_for_ever():
    finding = DATED.found(edition="en", day=dt.date(2026, 12, 1), language=Tongue("es"), n=1, titles=("a", "b"))
    assert finding.fingerprint == "457505d19b1b05fb2ff03868f7dcc0f9"


@examples(st.text(), st.text())
def test_any_words_have_a_fingerprint(place, fact):
    assert len(RULE.found(place=place, why=fact).fingerprint) == FINGERPRINT_LENGTH
