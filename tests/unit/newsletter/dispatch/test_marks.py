"""Marks name a reader and an artifact, or an artifact alone, and nobody can make one up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.newsletter import Tracking
from newsletter.dispatch.marks import ANYBODY, CLICK, TESTER, Mark, Marks, read_click, read_open
from subscribers.tokens import Keys, sign

KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")
OTHERS = Keys(signing=(("k1", b"another secret for it"),), suppression=b"a secret for digests")
ARTIFACT = "0123456789abcdef" * 4
ANNA, BOB = "annaannaannaanna", "bobbobbobbobbobb"


def marks(tracking, reader=ANNA, *, counted=True):
    return Marks(KEYS).of(tracking, ARTIFACT, reader=reader, counted=counted)


def test_nothing_is_marked_where_nothing_is_counted():
    assert marks(Tracking.OFF) == ("", "")


def test_all_readers_have_the_same_marks_where_it_is_not_wanted_to_know_them():
    click, open_ = marks(Tracking.TOTALS)

    assert (click, open_) == marks(Tracking.TOTALS, BOB)
    assert read_click(KEYS, f"{click}.3") == Mark(ANYBODY, ARTIFACT[:16], 3)
    assert read_open(KEYS, open_) == Mark(ANYBODY, ARTIFACT[:16], 0)


def test_each_reader_has_their_own_where_it_is():
    click, open_ = marks(Tracking.PEOPLE)

    assert click != marks(Tracking.PEOPLE, BOB)[0]
    assert read_click(KEYS, f"{click}.12") == Mark(ANNA, ARTIFACT[:16], 12)
    assert read_open(KEYS, open_) == Mark(ANNA, ARTIFACT[:16], 0)


@pytest.mark.parametrize("tracking", [Tracking.TOTALS, Tracking.PEOPLE])
def test_a_test_message_is_nobodys(tracking):
    click, _ = marks(tracking, counted=False)

    assert read_click(KEYS, f"{click}.1") == Mark(TESTER, ARTIFACT[:16], 1)


def test_a_mark_for_one_purpose_is_none_for_the_other_and_needs_its_number():
    click, open_ = marks(Tracking.PEOPLE)

    assert read_open(KEYS, click) is None
    assert read_click(KEYS, f"{open_}.1") is None
    assert read_click(KEYS, click) is None
    for number in ("0", "01", "-1", "1000000", "١", ""):
        assert read_click(KEYS, f"{click}.{number}") is None, number


def test_other_keys_and_other_payloads_make_no_marks():
    click, _ = Marks(OTHERS).of(Tracking.PEOPLE, ARTIFACT, reader=ANNA, counted=True)

    assert read_click(KEYS, f"{click}.1") is None
    for payload in ("", "anna", f"anna/{'x' * 16}", f"/{ARTIFACT[:16]}", f"anna/{ARTIFACT}", b"\xff/" + b"0" * 16):
        assert read_click(KEYS, f"{sign(KEYS, CLICK, payload)}.1") is None, payload


@given(st.text(max_size=300))
def test_no_text_is_a_mark(text):
    assert read_click(KEYS, text) is None
    assert read_open(KEYS, text) is None
