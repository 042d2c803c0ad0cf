from newsletter.preflight.audience import AudienceCounts, check_audience


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
