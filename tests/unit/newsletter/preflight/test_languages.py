from newsletter.preflight import languages


def found(given, *entries, language="fr", **issue):
    facts = given.issue(*entries, **issue)
    return list(languages.check(given.compiled(facts, language), facts))


def english(given, key):
    return given.news(key, texts={"en": {"title": f"The {key}"}})


def test_entries_in_every_language_are_clean(given):
    assert found(given, given.news()) == []


def test_entries_shown_in_another_language_are_a_notice(given):
    (finding,) = found(given, english(given, "crane"), english(given, "pier"), given.news())
    assert (finding.code, finding.severity, finding.edition) == ("fallback-shown", "notice", "fr")
    assert finding.message() == ("The French edition shows 2 entries in another language: “The crane”, “The pier”.")


def test_one_entry_shown_in_another_language_is_said_so(given):
    (finding,) = found(given, english(given, "crane"))
    assert finding.message() == "The French edition shows 1 entry in another language: “The crane”."


def test_an_entry_in_the_parent_language_is_no_other_language(given):
    settings = {"languages": ["en", "fr-BE"]}
    assert found(given, given.news(), language="fr-BE", newsletter=settings) == []


def test_entries_left_out_are_a_notice(given):
    (finding,) = found(given, english(given, "crane"), given.news(), newsletter={"fallback": "omit"})
    assert (finding.code, finding.severity, finding.edition) == ("language-missing", "notice", "fr")
    assert finding.message() == "The French edition leaves out 1 entry that is not in its language: “The crane”."


def test_nothing_is_left_out_where_everything_is_translated(given):
    assert found(given, given.news(), newsletter={"fallback": "omit"}) == []


def test_entries_that_must_be_translated_are_an_error(given):
    (finding,) = found(given, english(given, "crane"), given.news(), newsletter={"fallback": "block"})
    assert (finding.code, finding.severity, finding.edition) == ("fallback-blocked", "error", "fr")
    assert finding.message() == "The French edition has 1 entry that is not in its language: “The crane”."


def test_nothing_is_blocked_where_everything_is_translated(given):
    assert found(given, given.news(), newsletter={"fallback": "block"}) == []


def test_a_stale_translation_is_a_warning(given):
    (finding,) = found(given, given.news(), stale={"piers": ["fr"]})
    assert (finding.code, finding.severity, finding.edition, finding.place) == (
        "language-stale",
        "warning",
        "fr",
        "piers",
    )
    assert finding.message() == (
        "The French text of “Deux jetées” was made from an older English text, which has changed since."
    )


def test_a_stale_translation_does_not_concern_the_other_editions(given):
    assert found(given, given.news(), language="en", stale={"piers": ["fr"]}) == []


def test_fixed_words_in_another_language_are_a_notice(given):
    texts = {"hu": {"title": "Két móló"}}
    settings = {"languages": ["en", "hu"]}
    (finding,) = found(given, given.news(texts=texts), language="hu", newsletter=settings)
    assert (finding.code, finding.severity, finding.edition) == ("words-other-language", "notice", "hu")
    assert "of the Hungarian edition" in finding.message()
    assert finding.message().endswith("are in English.")


def test_fixed_words_in_the_parent_language_are_clean(given):
    assert found(given, given.news(), language="en-GB", newsletter={"languages": ["en-GB", "fr"]}) == []
