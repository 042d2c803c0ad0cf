import pytest

from newsletter.preflight.audience import AudienceCounts, check_audience, is_for_tests


def found(given, people, suppressed=0):
    return list(check_audience(AudienceCounts(segment="members", people=people, suppressed=suppressed), given.issue()))


def test_an_audience_in_every_language_is_clean(given):
    assert found(given, {"en": 90, "fr": 10}) == []


def test_an_audience_of_nobody_is_an_error(given):
    (finding,) = found(given, {"en": 0}, suppressed=100)
    assert (finding.code, finding.severity, finding.edition) == ("audience-empty", "error", "")
    assert finding.message() == "Nobody is in “members” who may be written to."


def test_an_audience_of_one_is_not_empty(given):
    assert given.codes(found(given, {"fr": 1})) == ["audience-language-empty"]


def test_an_edition_that_nobody_will_get_is_a_notice(given):
    (finding,) = found(given, {"en": 12})
    assert (finding.code, finding.severity, finding.edition) == ("audience-language-empty", "notice", "fr")
    assert finding.message() == "Nobody in “members” will get the French edition."


def test_a_large_suppressed_share_is_a_warning(given):
    (finding,) = found(given, {"en": 60, "fr": 30}, suppressed=10)
    assert (finding.code, finding.severity) == ("audience-suppressed-share", "warning")
    assert finding.message() == "10 % of the people in “members” are suppressed and will get nothing."


def test_a_small_suppressed_share_is_clean(given):
    assert found(given, {"en": 61, "fr": 30}, suppressed=10) == []


def test_a_share_of_a_handful_says_nothing(given):
    assert found(given, {"en": 3, "fr": 1}, suppressed=4) == []


def changed(given, people, **counts):
    given_counts = AudienceCounts(segment="members", people={"en": people, "fr": 1}, **counts)
    return list(check_audience(given_counts, given.issue()))


@pytest.mark.parametrize(("people", "previous"), [(130, 100), (68, 100), (1, 51), (60, 0)])
def test_an_audience_of_another_size_than_the_last_one_is_a_warning(given, people, previous):
    (finding,) = changed(given, people, previous=previous)
    assert (finding.code, finding.severity, finding.place) == ("audience-size", "warning", "members")
    assert finding.message() == f"“members” has {people + 1} people; the last issue went to {previous}."


@pytest.mark.parametrize(("people", "previous"), [(129, 100), (69, 100), (9, 49), (500, None)])
def test_an_audience_that_grows_a_little_is_small_or_the_first_is_clean(given, people, previous):
    assert changed(given, people, previous=previous) == []


def test_addresses_that_exist_for_tests_are_a_notice(given):
    (one,) = changed(given, 99, test_addresses=1)
    (many,) = changed(given, 99, test_addresses=2)
    assert (one.code, one.severity) == ("audience-test-domains", "notice")
    assert one.message() == "One address in “members” is for tests, as test@… or …@example.com are: nobody reads there."
    assert many.message().startswith("2 addresses in “members” are for tests")


@pytest.mark.parametrize(
    "address",
    ["a@quay.test", "a@b.example", "a@example.com", "a@mail.example.org", "a@x.invalid", "test@quay.fr", "a@localhost"],
)
def test_some_addresses_exist_for_tests(address):
    assert is_for_tests(address)


@pytest.mark.parametrize(
    "address", ["a@example.fr", "a@test.quay.fr", "a@myexample.com", "a@b.examples", "a@contest", "atest@quay.fr"]
)
def test_others_only_look_like_it(address):
    assert not is_for_tests(address)
