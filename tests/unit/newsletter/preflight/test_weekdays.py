import datetime as dt

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from newsletter.preflight.weekdays import slips_in
from newsletter.times import day_words

NEAR = dt.date(2026, 12, 1)
LANGUAGES = ["en", "en-GB", "en-US", "fr", "es", "de", "el", "ar", "it", "pt", "nl", "pl", "ro", "hu", "sv", "da"]
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))


def slips(text, language="en"):
    return [(slip.words, slip.day.isoformat()) for slip in slips_in(text, language=language, near=NEAR)]


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("en", "Monday 1 December 2026", "2026-12-01"),
        ("en", "Monday, the 1st of December, 2026", "2026-12-01"),
        ("en", "Mon. 1 Dec. 2026", "2026-12-01"),
        ("en", "Monday, December 1, 2026", "2026-12-01"),
        ("en", "Wednesday 01/12/2026", "2026-12-01"),
        ("en-US", "Monday, May 25, 2027", "2027-05-25"),
        ("fr", "lundi 1er décembre 2026", "2026-12-01"),
        ("fr-BE", "Jeudi\u00a01er\u00a0décembre", "2026-12-01"),
        ("es", "lunes, 1 de diciembre de 2026", "2026-12-01"),
        ("de", "Montag, den 1. Dezember 2026", "2026-12-01"),
        ("de", "Mo., 1.12.2026", "2026-12-01"),
        ("el", "Δευτέρα 1 Δεκεμβρίου 2026", "2026-12-01"),
        ("ar", "الاثنين ١ ديسمبر ٢٠٢٦", "2026-12-01"),
    ],
)
def test_a_weekday_that_contradicts_its_date_is_found(language, text, day):
    assert slips(f"We meet {text} at noon.", language) == [(" ".join(text.split()), day)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Tuesday 1 December 2026"),
        ("en", "Tuesday, December 1, 2026"),
        ("en", "Saturday 12/12/2026"),
        ("en", "Monday 12/1/2026"),
        ("fr", "mardi 1er décembre 2026"),
        ("es", "martes, 1 de diciembre de 2026"),
        ("de", "Di., 1.12.2026"),
        ("ar", "الثلاثاء ١ ديسمبر ٢٠٢٦"),
    ],
)
def test_a_weekday_that_fits_its_date_is_left_alone(language, text):
    assert slips(text, language) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Monday 31 November 2026"),
        ("en", "Monday 1.12"),
        ("en", "Monday 10.30, 5 December"),
        ("en", "Monday and Tuesday 1 December"),
        ("en", "Monday, 1 of many December days"),
        ("en", "Monday 121 December 2026"),
        ("de", "so 5. Mai"),
        ("fr", "Monday 1 December 2026"),
        ("tlh", "Monday 1 December 2026"),
        ("en", "Frıday 1 December 2026"),
        ("en", "Monday 1 Aprıl 2026"),
    ],
)
def test_what_is_no_date_with_a_weekday_is_left_alone(language, text):
    assert slips(text, language) == []


def test_a_day_without_a_year_may_be_the_last_or_the_next():
    assert slips("Tuesday 26 May") == []
    assert slips("Wednesday 26 May") == []
    assert slips("Thursday 26 May") == [("Thursday 26 May", "2027-05-26")]


def test_the_nearest_such_day_is_named():
    assert slips("Sunday 2 November") == [("Sunday 2 November", "2026-11-02")]


@settings(deadline=None)  # the first example of a language reads its tables
@examples(st.sampled_from(LANGUAGES), DAYS)
def test_what_the_program_writes_itself_is_never_found(language, day):
    assert slips(day_words(day, locale=language, weekday=True), language) == []


@settings(deadline=None)  # the first example of a language reads its tables
@examples(st.sampled_from(["en", "fr", "es", "de", "el", "ar"]), DAYS, st.integers(1, 6))
def test_every_wrong_weekday_is_found_in_the_languages_of_the_program(language, day, shift):
    right = day_words(day, locale=language, weekday=True)
    other = day_words(day + dt.timedelta(days=shift), locale=language, weekday=True)
    weekday = right.replace(day_words(day, locale=language), "").strip(" ,")
    wrong = other.replace(day_words(day + dt.timedelta(days=shift), locale=language), "").strip(" ,")
    assert [found for _, found in slips(right.replace(weekday, wrong), language)] == [day.isoformat()]


@settings(deadline=None)  # the first example of a language reads its tables
@examples(st.text(max_size=60), st.sampled_from(LANGUAGES))
def test_any_text_can_be_read(text, language):
    written = " ".join(text.split())
    assert all(words in written and dt.date.fromisoformat(day) for words, day in slips(text, language))
