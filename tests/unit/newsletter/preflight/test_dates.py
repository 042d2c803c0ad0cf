import pytest

from newsletter.preflight import dates

LAST_WEEK = {"key": "main", "date": "2026-11-24", "until": "2026-11-25"}
TODAY = {"key": "main", "start": "2026-11-30T23:00", "end": "2026-12-01T01:00"}
SPRING = {"key": "main", "date": "2027-05-26"}
NO_AGENDA = {"sections": [{"key": "news", "title": "News"}]}


def said(finding):
    return " ".join(finding.message().split())


def of_issue(given, *entries, **issue):
    return list(dates.check_issue(given.issue(*entries, **issue)))


def of_texts(given, *entries, language="en", **issue):
    facts = given.issue(*entries, **issue)
    return list(dates.check(given.compiled(facts, language), facts))


def test_an_event_that_was_over_before_the_issues_date_is_a_warning(given):
    (finding,) = of_issue(given, given.event("open-day", LAST_WEEK), by_hand=True)
    assert (finding.code, finding.severity, finding.edition, finding.place) == ("date-over", "warning", "", "open-day")
    assert said(finding) == (
        "“Open day” was over on Wednesday 25 November 2026, before the date of the issue, Tuesday 1 December 2026."
    )


def test_an_event_that_ends_on_the_issues_date_is_not_over(given):
    assert of_issue(given, given.event("open-day", TODAY), by_hand=True) == []


def test_an_event_with_one_sitting_to_come_is_not_over(given):
    to_come = {"key": "second", "date": "2026-12-08"}
    assert of_issue(given, given.event("open-day", LAST_WEEK, to_come), by_hand=True) == []


def test_a_block_whose_event_begins_after_the_agenda_is_a_notice(given):
    (finding,) = of_issue(given, given.event("open-day", SPRING), by_hand=True)
    assert (finding.code, finding.severity, finding.place) == ("date-outside-window", "notice", "open-day")
    assert "begins on Wednesday 26 May 2027" in said(finding)
    assert "this issue's agenda, Saturday 30 January 2027" in said(finding)


def test_a_block_whose_event_begins_on_the_agendas_last_day_is_clean(given):
    last = {"key": "main", "date": "2027-01-30"}
    assert of_issue(given, given.event("open-day", last), by_hand=True) == []


def test_no_event_is_missed_in_an_agenda_that_the_issue_does_not_have(given):
    assert of_issue(given, given.event("open-day", SPRING), newsletter=NO_AGENDA) == []


def test_an_event_that_stands_in_lines_only_is_within_the_agenda(given):
    assert of_issue(given, given.news(), given.event("open-day", section="agenda")) == []


def test_a_weekday_that_contradicts_its_date_is_a_warning(given):
    (finding,) = of_texts(given, given.news(body="Join us on Monday 1 December 2026."))
    assert (finding.code, finding.severity, finding.edition, finding.place) == (
        "date-weekday",
        "warning",
        "en",
        "piers",
    )
    assert said(finding) == "“Monday 1 December 2026” contradicts itself: that day is Tuesday 1 December 2026."


def test_a_weekday_that_fits_its_date_is_clean(given):
    assert of_texts(given, given.news(body="Join us on Tuesday 1 December 2026.")) == []


def test_a_weekday_is_read_in_the_language_of_its_text(given):
    entry = given.news(texts={"fr": {"title": "Jetées", "body": "Le lundi 1er décembre 2026."}})
    assert given.codes(of_texts(given, entry)) == ["date-weekday"]


def test_a_weekday_is_judged_from_the_issues_own_date(given):
    entry = given.news(body="On Thursday 26 May.")
    period = {"from": "2021-11-01", "to": "2026-11-30"}
    assert given.codes(of_texts(given, entry)) == ["date-weekday"]
    assert of_texts(given, entry, by_hand=True, plan={"date": "2022-05-01", "period": period}) == []


NOON = {"start": "2026-12-10T12:00"}
GHENT = {"city": "Ghent"}


def clashes(given, first, second):
    entry = given.event("open-day", {"key": "one", **first}, {"key": "two", **second})
    return [finding for finding in of_issue(given, entry) if finding.code == "date-clash"]


def test_two_sittings_at_one_instant_for_the_same_readers_are_a_warning(given):
    (finding,) = clashes(given, {**NOON, "languages": ["en", "fr"]}, {**NOON, "languages": ["fr"]})
    assert (finding.severity, finding.edition, finding.place) == ("warning", "", "open-day")
    assert said(finding) == (
        "“Open day” has two sittings at the same time, on Thursday 10 December 2026, for the same readers: “one”, “two”."
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (NOON, NOON),
        ({"date": "2026-12-10"}, {"date": "2026-12-10", "until": "2026-12-11"}),
        (NOON, {"start": "2026-12-10T11:00", "timezone": "Europe/London"}),
        ({**NOON, "place": GHENT}, NOON),
        ({**NOON, "place": GHENT}, {**NOON, "place": GHENT}),
    ],
)
def test_an_instant_is_one_however_it_is_written(given, first, second):
    assert len(clashes(given, first, second)) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({**NOON, "languages": ["en"]}, {**NOON, "languages": ["fr"]}),
        ({**NOON, "languages": ["en"]}, NOON),
        (NOON, {**NOON, "status": "cancelled"}),
        (NOON, {"start": "2026-12-10T12:00", "timezone": "Europe/London"}),
        (NOON, {"date": "2026-12-10"}),
        ({**NOON, "place": GHENT}, {**NOON, "place": {"city": "Liège"}}),
    ],
)
def test_other_times_languages_and_places_do_not_clash(given, first, second):
    assert clashes(given, first, second) == []
