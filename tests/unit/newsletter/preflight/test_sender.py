import pytest

from newsletter.preflight.alignment import is_aligned
from newsletter.preflight.sender import check_sender


def codes(given, signing):
    return given.codes(check_sender(given.issue(), signing=signing))


def test_a_sender_needs_no_key_where_nothing_is_signed(given):
    assert codes(given, ()) == []


@pytest.mark.parametrize("signing", ["harbours.example", "news.harbours.example"])
def test_a_key_of_the_senders_own_or_a_related_domain_will_do(given, signing):
    assert codes(given, ("rivers.example", signing)) == []


def test_a_sender_without_a_key_among_others_that_have_one_is_an_error(given):
    (finding,) = check_sender(given.issue(), signing=("rivers.example",))
    assert (finding.code, finding.severity, finding.edition, finding.place) == (
        "sender-unsigned",
        "error",
        "",
        "sender",
    )
    assert finding.message() == (
        "The newsletter is sent from harbours.example, for which there is no DKIM key, while others are signed: it "
        "would not go out."
    )


@pytest.mark.parametrize(
    ("domain", "signing", "aligned"),
    [
        ("a.example", "a.example", True),
        ("b.a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        ("b.a.example", "c.a.example", False),
        ("ba.example", "a.example", False),
    ],
)
def test_a_domain_vouches_for_itself_and_for_what_lies_above_and_beneath_it(domain, signing, aligned):
    assert is_aligned(domain, signing) is aligned
