import pytest

from newsletter.preflight import weight


def found(given, size):
    facts = given.issue()
    return list(weight.check(given.compiled(facts, size=size), facts))


def test_a_heavy_message_is_a_warning(given):
    (finding,) = found(given, 80_000)
    assert (finding.code, finding.severity, finding.edition) == ("weight-warning", "warning", "en")
    assert finding.message().startswith("The English edition weighs 80 kB")


@pytest.mark.parametrize("size", [95_000, 300_000])
def test_a_message_that_would_be_cut_is_an_error(given, size):
    (finding,) = found(given, size)
    assert (finding.code, finding.severity) == ("weight-error", "error")


def test_a_message_just_below_the_limits_is_judged_by_the_lower_one(given):
    assert found(given, 79_999) == []
    assert given.codes(found(given, 94_999)) == ["weight-warning"]


def test_a_few_octets_do_not_change_the_finding(given):
    assert found(given, 81_100) == found(given, 81_900)
