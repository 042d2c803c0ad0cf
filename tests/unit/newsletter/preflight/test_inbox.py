import pytest

from newsletter.preflight import inbox

ENGLISH = {"title": "December", "subject": "Two piers", "preheader": "And a crane."}


def found(given, texts, language="en"):
    facts = given.issue(plan={"texts": texts})
    return list(inbox.check(given.compiled(facts, language), facts))


def subject(given, words):
    return found(given, {"en": {**ENGLISH, "subject": words}})


def test_a_subject_and_a_preheader_in_the_editions_language_are_clean(given):
    assert found(given, {"en": ENGLISH}) == []


def test_a_subject_that_nobody_wrote_is_a_notice(given):
    (finding,) = found(given, {"en": {**ENGLISH, "subject": ""}})
    assert (finding.code, finding.severity, finding.edition, finding.place) == (
        "subject-missing",
        "notice",
        "en",
        "subject",
    )
    assert finding.message() == (
        "Nobody wrote a subject for the English edition: readers will see “Harbour News – December”."
    )


def test_an_issue_without_any_words_of_its_own_lacks_subject_and_preheader(given):
    assert given.codes(found(given, {})) == ["subject-missing", "preheader-missing"]


def test_a_preheader_that_nobody_wrote_is_a_notice(given):
    (finding,) = found(given, {"en": {**ENGLISH, "preheader": " "}})
    assert (finding.code, finding.severity, finding.place) == ("preheader-missing", "notice", "preheader")
    assert finding.message().startswith("The English edition has no preheader")


def test_a_subject_in_another_language_is_a_warning(given):
    (finding,) = found(given, {"en": ENGLISH, "fr": {}}, language="fr")
    assert (finding.code, finding.severity, finding.edition) == ("subject-other-language", "warning", "fr")
    assert finding.message() == (
        "The French edition has no subject, title and introduction of its own: it shows those in English."
    )


def test_a_subject_in_a_language_of_no_chain_is_still_told_of(given):
    (finding,) = found(given, {"de": ENGLISH}, language="fr")
    assert finding.message().endswith("it shows those in German.")


def test_a_subject_in_the_parent_language_is_clean(given):
    facts = given.issue(newsletter={"languages": ["en", "fr-BE"]})
    assert list(inbox.check(given.compiled(facts, "fr-BE"), facts)) == []


@pytest.mark.parametrize("words", ["p" * 79, "港" * 40, "[[first_name|Dear reader]]" + "p" * 67])
def test_a_long_subject_is_a_warning(given, words):
    (finding,) = subject(given, words)
    assert (finding.code, finding.severity, finding.place) == ("subject-long", "warning", "subject")


def test_the_length_of_a_subject_is_said(given):
    assert "takes 79 columns" in subject(given, "p" * 79)[0].message()


@pytest.mark.parametrize("words", ["p" * 78, "港" * 39, "[[first_name|" + "p" * 79 + "]]" + "p" * 66])
def test_a_subject_that_just_fits_is_clean(given, words):
    assert subject(given, words) == []


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("é" * 78, []),
        ("e\u0301" * 78, []),
        ("e\u0301" * 79, ["subject-long"]),
        ("\u0628\u064e" * 78, []),
        ("\u2068" + "a" * 78 + "\u2069", []),
        ("潮" * 39, []),
        ("潮" * 40, ["subject-long"]),
    ],
)
def test_a_subject_is_measured_alike_in_every_script(given, words, codes):
    assert given.codes(subject(given, words)) == codes
