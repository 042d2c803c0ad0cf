"""What takes the place of a digest and of a relay's words."""

import pytest

from newsletter.planning.forgetting import UNKNOWN, bare_reason, stand_in


@pytest.mark.parametrize(
    ("reason", "bare"),
    [
        ("recipient: 550 5.1.1 no such user ada", "recipient: 550 5.1.1"),
        ("recipient: 550 no such user ada", "recipient: 550"),
        ("sender: 550 5.7.26 not authenticated", "sender: 550 5.7.26"),
        ("relay: connection refused by ada", "relay:"),
        ("content: 5501 is no code", "content:"),
        ("recipient: 550 5.1.1", "recipient: 550 5.1.1"),
        ("held back: the provider of this address wants less at once", None),
        ("unsubscribed", None),
        (None, None),
    ],
)
def test_a_reason_keeps_the_fault_and_the_codes_and_loses_the_words(reason, bare):
    assert bare_reason(reason) == (reason if bare is None else bare)


def test_what_takes_the_place_of_a_digest_is_as_long_never_the_same_and_stands_behind_all_digests():
    instead = {stand_in() for _ in range(50)}
    assert len(instead) == 50
    assert {len(each) for each in instead} == {64}
    assert min(instead) >= UNKNOWN > "f" * 64
