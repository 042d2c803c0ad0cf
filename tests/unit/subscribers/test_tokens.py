import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import TokenRefused
from subscribers.tokens import Keys, address_digest, sign, signing, verify

KEYS = Keys(signing=(("k2", b"new" * 11), ("k1", b"old" * 11)), suppression=b"digest" * 6)
OLD = Keys(signing=(("k1", b"old" * 11),), suppression=b"digest" * 6)


@given(st.binary(max_size=200))
def test_what_was_signed_comes_back(payload):
    token = sign(KEYS, "unsubscribe", payload)
    assert verify(KEYS, "unsubscribe", token) == payload
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.sampled_from(["unsubscribe", "", "ü"]))
def test_many_payloads_are_signed_as_each_of_them_alone(payload, purpose):
    signed = signing(KEYS, purpose)
    assert signed(payload) == sign(KEYS, purpose, payload)
    assert signed("x") == sign(KEYS, purpose, "x")


def test_text_is_signed_as_utf_8():
    assert verify(KEYS, "p", sign(KEYS, "p", "ü")) == "ü".encode()


def test_a_token_is_good_for_its_purpose_only():
    with pytest.raises(TokenRefused):
        verify(KEYS, "confirm", sign(KEYS, "unsubscribe", "x"))


def test_purpose_and_payload_do_not_run_into_each_other():
    token = sign(KEYS, "ab", "c")
    key_id, _, code = token.split(".")
    with pytest.raises(TokenRefused):
        verify(KEYS, "a", f"{key_id}.YmM.{code}")


def test_a_token_outlives_the_rotation_of_keys():
    assert verify(KEYS, "p", sign(OLD, "p", "x")) == b"x"


def test_a_token_ends_with_its_key():
    with pytest.raises(TokenRefused):
        verify(OLD, "p", sign(KEYS, "p", "x"))


def test_a_token_cannot_be_moved_to_another_key():
    token = sign(KEYS, "p", "x")
    with pytest.raises(TokenRefused):
        verify(KEYS, "p", token.replace("k2", "k1"))


@given(st.data())
def test_a_changed_token_is_refused(data):
    token = sign(KEYS, "p", "subscriber-1")
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_.").filter(lambda letter: letter != token[place]))
    with pytest.raises(TokenRefused):
        verify(KEYS, "p", token[:place] + letter + token[place + 1 :])


@given(st.text(max_size=60) | st.from_regex(r"k2\.[A-Za-z0-9+/=_-]*\.[A-Za-z0-9+/=_-]*", fullmatch=True))
def test_any_other_text_is_refused(text):
    with pytest.raises(TokenRefused):
        verify(KEYS, "p", text)


def test_a_token_without_end_is_refused():
    with pytest.raises(TokenRefused):
        verify(KEYS, "p", "k2." + "A" * 3000 + ".A")


def test_the_digest_needs_the_key_and_tells_nothing():
    digest = address_digest(KEYS, "a@b.example")
    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert digest == address_digest(OLD, "a@b.example")
    assert digest != address_digest(Keys(KEYS.signing, b"other" * 6), "a@b.example")
    assert digest != address_digest(KEYS, "c@b.example")


@pytest.mark.parametrize(
    ("signing", "suppression"),
    [
        ((), b"x" * 32),
        ((("a", b"x" * 32), ("a", b"y" * 32)), b"x" * 32),
        ((("a.b", b"x" * 32),), b"x" * 32),
        ((("a", b"short"),), b"x" * 32),
        ((("a", b"x" * 32),), b"short"),
    ],
)
def test_keys_that_protect_nothing_are_refused(signing, suppression):
    with pytest.raises(ValueError, match="need"):
        Keys(signing, suppression)


def test_keys_do_not_show_their_secrets():
    assert "old" not in repr(KEYS)
    assert "digest" not in repr(KEYS)
