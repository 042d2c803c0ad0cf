"""Dates and hours in words: languages, ranges, zones, changes of the clocks, French spaces."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.times import (
    Span,
    UnknownZone,
    day_words,
    french_spaces,
    language_words,
    list_words,
    local,
    month_words,
    own_name,
    parts_for_badge,
    rfc3339,
    span_words,
    spans_words,
    zone_name,
)

BRUSSELS = "Europe/Brussels"
# fmt: off
UNION = [
    "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
]
# fmt: on


def at(text: str, zone: str = BRUSSELS) -> datetime:
    return local(datetime.fromisoformat(text), zone)


def hours(start: str, end: str | None = None, zone: str = BRUSSELS) -> Span:
    return Span(start=at(start, zone), end=at(end, zone) if end else None)


def days(first: str, last: str | None = None) -> Span:
    return Span(start=date.fromisoformat(first), end=date.fromisoformat(last) if last else None)


def plain(text: str) -> str:
    """Undo what only matters at a line's end, so that the examples can be read."""
    return text.replace("\u00a0", " ").replace("\u200f", "")


def line(*spans: Span, locale: str = "en-GB", year: bool = True) -> str:
    return plain(spans_words(spans, locale=locale, style="line", year=year))


def block(*spans: Span, locale: str = "en-GB", year: bool = True) -> str:
    return plain(spans_words(spans, locale=locale, style="block", year=year))


SESSION = hours("2026-12-01T14:00", "2026-12-01T15:00")
ASSEMBLY = (days("2027-01-25", "2027-01-26"), days("2027-01-28"))


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "Tuesday 1 December 2026, 14:00–15:00 CET"),
        ("en-IE", "Tuesday 1 December 2026, 14:00–15:00 CET"),
        ("en", "Tuesday, December 1, 2026, 2:00–3:00 PM CET"),
        ("en-US", "Tuesday, December 1, 2026, 2:00–3:00 PM CET"),
        ("fr-FR", "mardi 1er décembre 2026, 14:00–15:00 CET"),
        ("fr-BE", "mardi 1er décembre 2026, 14:00–15:00 CET"),
        ("fr-CA", "mardi 1er décembre 2026, 14 h 00 – 15 h 00 CET"),
        ("es-ES", "martes, 1 de diciembre de 2026, 14:00–15:00 CET"),
        ("de-DE", "Dienstag, 1. Dezember 2026, 14:00–15:00 CET"),
        ("el", "Τρίτη 1 Δεκεμβρίου 2026, 2:00–3:00 μ.μ. CET"),
        ("hu", "2026. december 1., kedd 14:00–15:00 CET"),
        ("ar", "الثلاثاء، 1 ديسمبر 2026، 2:00–3:00 م CET"),
        ("fa", "سه‌شنبه ۱ دسامبر ۲۰۲۶، ۱۴:۰۰ تا ۱۵:۰۰ CET"),
        ("ja", "2026年12月1日火曜日 14:00～15:00 CET"),
        ("ko", "2026년 12월 1일 화요일 PM 2:00 ~ 3:00 CET"),
        ("eu", "2026(e)ko abenduaren 1(a), asteartea (14:00–15:00 CET)"),
    ],
)
def test_a_block_says_weekday_hours_and_zone_in_the_readers_language(locale, words):
    assert block(SESSION, locale=locale) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "25–26 and 28 January 2027"),
        ("en-US", "January 25–26 and 28, 2027"),
        ("fr-FR", "du 25 au 26 et le 28 janvier 2027"),
        ("es-ES", "del 25 al 26 y el 28 de enero de 2027"),
        ("de-DE", "25.–26. und 28. Januar 2027"),
        ("el", "25–26 και 28 Ιανουαρίου 2027"),
        ("hu", "2027. január 25–26. és 28."),
        ("fi", "25.–26. ja 28. tammikuuta 2027"),
        ("lt", "2027 m. sausio 25–26 ir 28 d."),
        ("bg", "25–26 и 28 януари 2027 г."),
        ("uz", "25–26 va 28-yanvar, 2027"),
        ("ar", "25–26 و28 يناير 2027"),
        ("ar-EG", "٢٥–٢٦ و٢٨ يناير ٢٠٢٧"),
        ("he", "25–26 ו28 בינואר 2027"),
        ("fa", "۲۵ تا ۲۶ و ۲۸ ژانویهٔ ۲۰۲۷"),
        ("ja", "2027年1月25日～26日、28日"),
        ("zh-Hant", "2027年1月25日至26日和28日"),
    ],
)
def test_days_of_one_month_share_month_and_year(locale, words):
    assert line(*ASSEMBLY, locale=locale) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "30 November – 2 December 2026"),
        ("en-US", "November 30 – December 2, 2026"),
        ("fr-FR", "du 30 novembre au 2 décembre 2026"),
        ("es-ES", "del 30 de noviembre al 2 de diciembre de 2026"),
        ("de-DE", "30. November – 2. Dezember 2026"),
        ("hu", "2026. november 30. – december 2."),
        ("lv", "2026. gada 30. novembris – 2. decembris"),
        ("el", "30 Νοεμβρίου – 2 Δεκεμβρίου 2026"),
        ("fa", "۳۰ نوامبر تا ۲ دسامبر ۲۰۲۶"),
        ("ja", "2026年11月30日～12月2日"),
    ],
)
def test_a_range_over_two_months_has_its_year_once(locale, words):
    assert line(days("2026-11-30", "2026-12-02"), locale=locale) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "30 December 2026 – 2 January 2027"),
        ("fr-FR", "du 30 décembre 2026 au 2 janvier 2027"),
        ("hu", "2026. december 30. – 2027. január 2."),
    ],
)
def test_a_range_over_two_years_has_both(locale, words):
    assert line(days("2026-12-30", "2027-01-02"), locale=locale) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "25–27 January 2027"),
        ("en-US", "January 25–27, 2027"),
        ("fr-FR", "du 25 au 27 janvier 2027"),
        ("es-ES", "del 25 al 27 de enero de 2027"),
        ("de-DE", "25.–27. Januar 2027"),
    ],
)
@pytest.mark.parametrize("style", ["block", "line"])
def test_neighbouring_whole_days_read_as_one_range(locale, words, style):
    spans = [days("2027-01-27"), days("2027-01-25", "2027-01-26")]
    assert plain(spans_words(spans, locale=locale, style=style)) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "27–28 February and 1 March 2019"),
        ("fr-FR", "du 27 au 28 février et le 1er mars 2019"),
        ("hu", "2019. február 27–28. és március 1."),
    ],
)
def test_two_spans_do_not_become_one_range_over_the_end_of_a_month(locale, words):
    assert line(days("2019-02-27", "2019-02-28"), days("2019-03-01"), locale=locale) == words


def test_a_list_has_each_year_where_the_locale_puts_it():
    spans = [days("2027-01-05"), days("2027-02-01"), days("2028-02-01")]
    assert line(*spans) == "5 January, 1 February 2027 and 1 February 2028"
    assert line(*spans, locale="hu") == "2027. január 5., február 1. és 2028. február 1."


def test_single_french_days_have_articles_only_beside_a_range():
    assert line(days("2026-12-01"), days("2026-12-08"), locale="fr") == "1er et 8 décembre 2026"
    assert line(days("2026-12-01"), days("2026-12-03", "2026-12-05"), locale="fr") == (
        "le 1er et du 3 au 5 décembre 2026"
    )


@given(
    st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), min_size=1, max_size=5),
    st.sampled_from(UNION),
)
def test_no_day_and_no_year_is_lost_in_any_language_of_the_union(starts, locale):
    numbers = [int(number) for number in re.findall(r"\d+", line(*(Span(start=day) for day in starts), locale=locale))]
    ends = {day for day in starts if not {day - timedelta(days=1), day + timedelta(days=1)} <= set(starts)}
    assert {day.day for day in ends} | {day.year for day in ends} <= set(numbers)


def test_overlapping_days_are_written_once():
    assert line(days("2027-01-25", "2027-01-27"), days("2027-01-26")) == "25–27 January 2027"
    assert line(days("2027-01-25"), days("2027-01-25")) == "25 January 2027"


def test_a_line_has_the_date_of_hours_without_the_hours():
    assert line(SESSION) == "1 December 2026"
    assert line(SESSION, locale="de") == "1. Dezember 2026"


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "1 December 2026, 10:00 and 14:00 CET"),
        ("en-US", "December 1, 2026, 10:00 AM and 2:00 PM CET"),
        ("fr-FR", "1er décembre 2026, 10:00 et 14:00 CET"),
    ],
)
def test_a_line_says_the_hours_where_one_day_has_several(locale, words):
    assert line(SESSION, hours("2026-12-01T10:00"), locale=locale) == words


def test_parallel_sittings_leave_a_line_without_hours():
    assert line(SESSION, hours("2026-12-01T14:00", "2026-12-01T17:00")) == "1 December 2026"


def test_hours_on_separate_days_are_a_list_of_days_and_no_range():
    assert line(hours("2026-12-01T10:00"), hours("2026-12-02T10:00")) == "1 and 2 December 2026"


def test_a_whole_day_beside_hours_leaves_a_line_without_hours():
    assert line(days("2026-12-01"), SESSION, hours("2026-12-01T10:00")) == "1 December 2026"


def test_a_night_spans_two_days_in_a_line():
    assert line(hours("2026-12-01T22:00", "2026-12-02T02:00")) == "1–2 December 2026"


def test_no_end_is_invented():
    assert block(hours("2026-12-10T11:30")) == "Thursday 10 December 2026, 11:30 CET"


def test_a_single_whole_day_has_its_weekday_in_a_block():
    assert block(days("2026-12-01")) == "Tuesday 1 December 2026"
    assert block(days("2026-12-01", "2026-12-01")) == "Tuesday 1 December 2026"


def test_hours_of_one_day_share_date_and_zone_in_a_block():
    assert block(hours("2026-12-01T10:00"), SESSION) == "Tuesday 1 December 2026, 10:00 and 14:00–15:00 CET"


def test_equal_sittings_are_written_once():
    assert block(SESSION, SESSION) == "Tuesday 1 December 2026, 14:00–15:00 CET"


def test_hours_in_two_zones_each_have_theirs():
    spans = [hours("2026-12-01T10:00"), hours("2026-12-01T14:00", zone="Europe/Athens")]
    assert block(*spans) == "Tuesday 1 December 2026, 10:00 CET and 14:00 EET"


def test_separate_days_of_a_block_are_written_in_full():
    assert block(SESSION, days("2026-12-03"), hours("2026-12-05T10:00")) == (
        "Tuesday 1 December 2026, 14:00–15:00 CET, Thursday 3 December 2026 and Saturday 5 December 2026, 10:00 CET"
    )


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "Tuesday 1 December 2026, 22:00 – Wednesday 2 December 2026, 02:00 CET"),
        ("fr-FR", "mardi 1er décembre 2026, 22:00 – mercredi 2 décembre 2026, 02:00 CET"),
        ("hu", "2026. december 1., kedd 22:00 – 2026. december 2., szerda 2:00 CET"),
    ],
)
def test_a_night_has_both_ends_in_full_and_its_zone_once(locale, words):
    assert block(hours("2026-12-01T22:00", "2026-12-02T02:00"), locale=locale) == words


def test_an_end_at_midnight_belongs_to_the_evening():
    evening = hours("2026-12-01T20:00", "2026-12-02T00:00")
    assert evening.last_day == date(2026, 12, 1)
    assert block(evening) == "Tuesday 1 December 2026, 20:00–00:00 CET"
    assert block(hours("2026-12-01T00:00", "2026-12-01T00:00")) == "Tuesday 1 December 2026, 00:00 CET"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (
            "2026-10-24T20:00",
            "2026-10-25T06:00",
            "Saturday 24 October 2026, 20:00 CEST – Sunday 25 October 2026, 06:00 CET",
        ),
        ("2026-10-25T01:00", "2026-10-25T06:00", "Sunday 25 October 2026, 01:00 CEST – 06:00 CET"),
        ("2026-03-29T01:00", "2026-03-29T06:00", "Sunday 29 March 2026, 01:00 CET – 06:00 CEST"),
    ],
)
def test_both_zone_names_stand_where_the_clocks_change_between(start, end, words):
    assert block(hours(start, end)) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("10:00", "11:30", "10:00–11:30 AM CET"),
        ("10:00", "13:00", "10:00 AM – 1:00 PM CET"),
        ("20:00", "23:59", "8:00–11:59 PM CET"),
    ],
)
def test_half_of_the_day_is_said_once_where_both_hours_are_in_it(start, end, words):
    span = hours(f"2026-12-01T{start}", f"2026-12-01T{end}")
    assert block(span, locale="en-US") == f"Tuesday, December 1, 2026, {words}"


def test_an_end_in_another_zone_is_written_in_the_zone_of_the_start():
    span = Span(start=at("2026-12-01T14:00"), end=datetime(2026, 12, 1, 14, 0, tzinfo=UTC))
    assert block(span) == "Tuesday 1 December 2026, 14:00–15:00 CET"


def test_the_year_can_be_left_out():
    assert block(SESSION, year=False) == "Tuesday 1 December, 14:00–15:00 CET"
    assert block(SESSION, year=False, locale="lv") == "otrdiena, 1. decembris 14:00–15:00 CET"
    assert block(SESSION, year=False, locale="tr") == "1 Aralık Salı 14:00–15:00 CET"
    assert line(days("2026-12-30", "2027-01-02"), year=False) == "30 December – 2 January"


def test_nothing_has_no_words():
    assert line() == block() == ""


def test_one_span_is_written_as_a_list_of_one():
    assert span_words(SESSION, locale="fr", style="line") == spans_words([SESSION], locale="fr", style="line")


def test_dates_have_ordinary_spaces_so_that_a_search_finds_them():
    assert span_words(SESSION, locale="en-GB", style="block") == "Tuesday 1 December 2026, 14:00–15:00 CET"
    assert span_words(SESSION, locale="en-US", style="block") == ("Tuesday, December 1, 2026, 2:00–3:00 PM CET")
    assert span_words(hours("2026-12-01T14:00"), locale="fr-CA", style="block") == (
        "mardi 1er décembre 2026, 14 h 00 CET"
    )
    assert day_words(date(2026, 12, 1), locale="es") == "1 de diciembre de 2026"
    assert spans_words(ASSEMBLY, locale="fr", style="line") == "du 25 au 26 et le 28 janvier 2027"


def test_a_latin_zone_does_not_turn_what_follows_it_in_right_to_left_writing():
    words = span_words(hours("2026-10-25T01:00", "2026-10-25T06:00"), locale="ar", style="block")
    assert words.count("CEST\u200f") == 1
    assert words.endswith("CET\u200f")


def test_digits_are_of_one_kind_inside_a_string():
    words = span_words(SESSION, locale="ar-EG", style="block")
    assert {character for character in words if character.isdigit()} <= set("٠١٢٣٤٥٦٧٨٩")
    assert not any(character in "٠١٢٣٤٥٦٧٨٩" for character in span_words(SESSION, locale="ar", style="block"))


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "December 2026"),
        ("fr", "décembre 2026"),
        ("es", "diciembre de 2026"),
        ("el", "Δεκέμβριος 2026"),
        ("hu", "2026. december"),
    ],
)
def test_a_month_stands_alone_in_its_own_form(locale, words):
    assert month_words(date(2026, 12, 1), locale=locale) == words


def test_a_day_may_have_its_weekday():
    assert plain(day_words(date(2026, 12, 1), locale="fr", weekday=True)) == "mardi 1er décembre 2026"
    assert plain(day_words(date(2026, 12, 1), locale="en-GB", weekday=True, year=False)) == "Tuesday 1 December"


@pytest.mark.parametrize(
    ("locale", "parts"),
    [
        ("en", ("26", "May")),
        ("fr", ("26", "mai")),
        ("de", ("26", "Mai")),
        ("ar-EG", ("٢٦", "مايو")),
        ("ja", ("26", "5月")),
    ],
)
def test_a_badge_has_the_first_day_and_a_short_month(locale, parts):
    assert parts_for_badge(days("2027-05-26", "2027-05-28"), locale) == parts


def test_the_words_of_a_language_do_not_depend_on_what_was_written_before():
    program = (
        "import sys; from datetime import date; from newsletter.times import Span, parts_for_badge;"
        "print([parts_for_badge(Span(start=date(2027, 1, 5)), tag) for tag in sys.argv[1:]][-1])"
    )
    alone, after = (
        subprocess.run(
            [sys.executable, "-Xutf8", "-c", program, *tags], capture_output=True, check=True, text=True
        ).stdout
        for tags in (["he"], ["ja", "ar", "he"])
    )
    assert alone == after


@pytest.mark.parametrize(
    ("locale", "parts", "words"),
    [
        ("en", [], ""),
        ("en", ["English"], "English"),
        ("en-GB", ["a", "b", "c"], "a, b and c"),
        ("en-US", ["a", "b", "c"], "a, b, and c"),
        ("fr", ["a", "b"], "a et b"),
        ("es", ["francés", "español"], "francés y español"),
        ("es", ["francés", "inglés"], "francés e inglés"),
        ("es", ["a", "b", "hindi"], "a, b e hindi"),
        ("es", ["agua", "hielo"], "agua y hielo"),
        ("es", ["islandés"], "islandés"),
    ],
)
def test_a_list_is_joined_as_the_locale_does(locale, parts, words):
    assert list_words(parts, locale=locale) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "English and French"),
        ("fr", "anglais et français"),
        ("es", "inglés y francés"),
        ("de", "Englisch und Französisch"),
        ("el", "αγγλικά και γαλλικά"),
        ("ar", "الإنجليزية والفرنسية"),
    ],
)
def test_languages_are_named_in_the_case_of_a_sentence(locale, words):
    assert language_words(["en", "fr-BE"], locale=locale) == words


def test_a_language_without_a_name_stays_a_tag():
    assert language_words(["en-GB", "tlh-x-klingon", "qaa"], locale="en-GB") == "British English, Klingon and qaa"


@pytest.mark.parametrize(("tag", "name"), [("fr", "Français"), ("el", "Ελληνικά"), ("ar", "العربية"), ("qaa", "Qaa")])
def test_a_choice_of_languages_names_each_in_itself(tag, name):
    assert own_name(tag) == name


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("fr-XX", "1er décembre 2026"),
        ("fr-BE-u-ca-gregory", "1er décembre 2026"),
        ("xx", "December 1, 2026"),
        ("", "December 1, 2026"),
    ],
)
def test_an_unknown_locale_falls_back_to_its_parents_and_to_english(locale, words):
    assert plain(day_words(date(2026, 12, 1), locale=locale)) == words


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        (BRUSSELS, "2026-03-29T01:59", "2026-03-29T00:59:00Z"),
        (BRUSSELS, "2026-03-29T02:00", "2026-03-29T01:00:00Z"),
        (BRUSSELS, "2026-03-29T02:30", "2026-03-29T01:00:00Z"),
        (BRUSSELS, "2026-03-29T02:59:59.5", "2026-03-29T01:00:00Z"),
        (BRUSSELS, "2026-03-29T03:00", "2026-03-29T01:00:00Z"),
        (BRUSSELS, "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z"),
        ("Asia/Kathmandu", "2026-03-29T02:30", "2026-03-28T20:45:00Z"),
        ("Africa/Casablanca", "2026-02-15T02:30", "2026-02-15T01:30:00Z"),
        ("Africa/Casablanca", "2026-03-22T02:30", "2026-03-22T02:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T00:30", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2019-02-16T23:30", "2019-02-17T01:30:00Z"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z"),
    ],
)
def test_skipped_hours_move_to_the_first_instant_after_and_double_ones_are_the_first(zone, wall, expected):
    assert rfc3339(at(wall, zone)) == expected


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001  wall-clock times
    st.sampled_from([BRUSSELS, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]),
)
def test_a_wall_clock_time_is_kept_or_moved_out_of_a_gap(wall, zone):
    when = local(wall, zone)
    back = when.astimezone(UTC).astimezone(ZoneInfo(zone))
    assert back.replace(tzinfo=None) == when.replace(tzinfo=None) >= wall
    if when.replace(tzinfo=None) > wall:
        assert (when.astimezone(UTC) - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).utcoffset() < when.utcoffset()


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "Europe", "", "../etc", "/etc/localtime", "europe/brüssel", "a\0b"])
def test_an_unknown_zone_is_named(zone):
    with pytest.raises(UnknownZone, match="Europe/Brussels") as caught:
        at("2026-12-01T14:00", zone)
    assert caught.value.zone == zone


def test_a_wall_clock_time_has_no_zone():
    with pytest.raises(ValueError, match="no zone of its own"):
        local(datetime(2026, 12, 1, tzinfo=UTC), BRUSSELS)


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        (BRUSSELS, "CET", "CEST"),
        ("Europe/London", "GMT", "BST"),
        ("America/New_York", "EST", "EDT"),
        ("Australia/Lord_Howe", "UTC+11", "UTC+10:30"),
        ("Asia/Kathmandu", "UTC+5:45", "UTC+5:45"),
        ("Asia/Kolkata", "IST", "IST"),
        ("Africa/Casablanca", "UTC+1", "UTC+1"),
        ("America/Sao_Paulo", "UTC-3", "UTC-3"),
        ("America/St_Johns", "NST", "NDT"),
        ("Pacific/Marquesas", "UTC-9:30", "UTC-9:30"),
        ("Antarctica/Troll", "UTC", "UTC+2"),
        ("UTC", "UTC", "UTC"),
    ],
)
def test_a_zone_is_named_by_its_letters_or_by_its_distance(zone, winter, summer):
    assert zone_name(at("2026-01-15T12:00", zone)) == winter
    assert zone_name(at("2026-07-15T12:00", zone)) == summer


def test_a_bare_offset_is_a_distance():
    assert zone_name(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "UTC+2"
    assert zone_name(datetime(2026, 1, 1)) == "UTC"  # noqa: DTZ001  a time without zone is nobody's local time


def test_machines_read_utc():
    assert rfc3339(at("2026-12-01T14:00")) == "2026-12-01T13:00:00Z"
    assert rfc3339(datetime(2026, 12, 1, 13, 0, 0, 500000, tzinfo=UTC)) == "2026-12-01T13:00:00.500000Z"
    with pytest.raises(ValueError, match="bears its zone"):
        rfc3339(datetime(2026, 12, 1))  # noqa: DTZ001  the point of the test


def test_a_span_knows_its_days():
    assert days("2027-01-25").last_day == date(2027, 1, 25)
    assert days("2027-01-25", "2027-01-26").last_day == date(2027, 1, 26)
    assert days("2027-01-25").all_day
    assert not SESSION.all_day
    assert (SESSION.first_day, SESSION.last_day) == (date(2026, 12, 1), date(2026, 12, 1))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (date(2026, 12, 1), at("2026-12-01T14:00"), "two dates or of two datetimes"),
        (at("2026-12-01T14:00"), date(2026, 12, 1), "two dates or of two datetimes"),
        (datetime(2026, 12, 1), None, "bear their zone"),  # noqa: DTZ001  the point of the test
        (at("2026-12-01T14:00"), datetime(2026, 12, 1, 15), "bear their zone"),  # noqa: DTZ001  likewise
        (at("2026-12-01T14:00"), at("2026-12-01T13:59"), "ends before it starts"),
        (date(2026, 12, 2), date(2026, 12, 1), "ends before it starts"),
    ],
)
def test_an_impossible_span_is_refused(start, end, message):
    with pytest.raises(ValueError, match=message):
        Span(start=start, end=end)


def test_an_end_in_the_hour_that_comes_twice_is_after_the_start():
    start = at("2026-10-25T02:30")
    end = start.replace(fold=1, minute=10)
    assert block(Span(start=start, end=end)) == "Sunday 25 October 2026, 02:30 CEST – 02:10 CET"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Le saviez-vous ?", "Le saviez-vous\u202f?"),
        ("Vite ! Oui ; non", "Vite\u202f! Oui\u202f; non"),
        ("Quoi ?!", "Quoi\u202f?!"),
        ("« Vivre avec l’eau » à Rotterdam", "«\u00a0Vivre avec l’eau\u00a0» à Rotterdam"),
        ("Trois séances la préparent :", "Trois séances la préparent\u00a0:"),
        ("**Lieu :** Liège (lequel ?)", "**Lieu\u00a0:** Liège (lequel\u202f?)"),
        ("un  : deux", "un\u00a0: deux"),
        ("14:00, voir https://exemple.example/a?b=c:d !", "14:00, voir https://exemple.example/a?b=c:d\u202f!"),
        ("à 14 :30 :) ;-) :smile:", "à 14 :30 :) ;-) :smile:"),
        ("une image ![eau](a.png) et ?page=2", "une image ![eau](a.png) et ?page=2"),
        ("Sans espace? Non: rien!", "Sans espace? Non: rien!"),
        ("déjà\u00a0: fait\u202f!", "déjà\u00a0: fait\u202f!"),
        ("ligne\n ; suite", "ligne\n ; suite"),
    ],
)
def test_french_signs_do_not_begin_a_line(text, expected):
    assert french_spaces(text) == expected


@given(st.text(alphabet=st.sampled_from("aé1 \u00a0\u202f\n«»;:!?()[]*_-=&”’<")))
def test_french_spaces_twice_are_the_same_as_once(text):
    once = french_spaces(text)
    assert french_spaces(once) == once
    assert once.replace("\u202f", " ").replace("\u00a0", " ").split() == text.replace("\u202f", " ").split()
