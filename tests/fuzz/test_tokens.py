"""Tokens meet texts that nobody signed."""

import pytest
from fuzz.fuzzing import MINUTES, fuzz
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.errors import TokenRefused
from subscribers.tokens import Keys, sign, verify

pytestmark = [pytest.mark.long, pytest.mark.timeout(round(MINUTES * 60 + 300))]

KEYS = Keys(signing=(("k2", b"new" * 11), ("k1", b"old" * 11)), suppression=b"digest" * 6)
PURPOSES = st.sampled_from(["unsubscribe", "preferences", "confirm", "undo", "form", "click", "open"])


@settings(max_examples=5000)
@given(purpose=PURPOSES, other=PURPOSES, payload=st.binary(max_size=200))
def test_five_thousand_tokens_are_good_for_their_purpose_and_no_other(purpose, other, payload):
    token = sign(KEYS, purpose, payload)
    assert verify(KEYS, purpose, token) == payload
    if other != purpose:
        with pytest.raises(TokenRefused):
            verify(KEYS, other, token)


@settings(max_examples=5000)
@given(data=st.data(), purpose=PURPOSES, payload=st.binary(max_size=60))
def test_five_thousand_changed_tokens_are_refused(data, purpose, payload):
    token = sign(KEYS, purpose, payload)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda drawn: drawn != token[place]))
    with pytest.raises(TokenRefused):
        verify(KEYS, purpose, token[:place] + letter + token[place + 1 :])


def test_a_fuzzer_finds_no_text_that_is_taken_for_a_token(tmp_path):
    fuzz("token_decoder.py", tmp_path, seeds=(b"", b"k1.QUJD.QUJD", b"\x00..."))
