"""Which edition each person gets."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.planning.audience import Share, editions_for, shares

OFFERED = ("en", "fr", "de-AT", "nl")
TAGS = st.none() | st.sampled_from(["en", "en-GB", "fr", "fr-BE", "de", "nl-BE", "el", "zh-Hant-TW", "pt-BR"])


def test_everybody_gets_the_nearest_edition_and_else_the_default():
    wanted = ["fr", "fr-BE", "de", "el", None]

    assert editions_for(wanted, offered=OFFERED, default="en") == {
        "fr": "fr",
        "fr-BE": "fr",
        "de": "de-AT",
        "el": "en",
        None: "en",
    }


def test_shares_come_with_the_largest_first():
    counts = {"fr-BE": 3, None: 40, "el": 7, "fr": 20, "nl": 3}

    assert shares(counts, offered=OFFERED, default="en") == (
        Share(wanted=None, language="en", people=40),
        Share(wanted="fr", language="fr", people=20),
        Share(wanted="el", language="en", people=7),
        Share(wanted="fr-BE", language="fr", people=3),
        Share(wanted="nl", language="nl", people=3),
    )


def test_only_another_language_than_asked_for_is_a_substitute():
    substitutes = {
        share.wanted: share.substitute
        for share in shares({"el": 1, "fr-BE": 1, None: 1}, offered=OFFERED, default="en")
    }

    assert substitutes == {"el": True, "fr-BE": False, None: False}


def test_nobody_has_no_shares():
    assert shares({}, offered=OFFERED, default="en") == ()


@given(st.dictionaries(TAGS, st.integers(min_value=1, max_value=10**6)))
def test_nobody_is_lost_and_every_edition_exists(counts):
    parted = shares(counts, offered=OFFERED, default="en")

    assert {share.wanted: share.people for share in parted} == counts
    assert {share.language for share in parted} <= set(OFFERED)
