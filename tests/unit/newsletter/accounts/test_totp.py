"""Codes of a device: the right ones, once, and not for long."""

import base64
import datetime as dt

import pyotp
import pytest

from newsletter.accounts.totp import (
    RECOVERY_CODES,
    address,
    new_nonce,
    picture,
    recovery_codes,
    recovery_digest,
    secret_of,
    step_of,
)

NOW = dt.datetime(2026, 12, 1, 8, 0, 10, tzinfo=dt.UTC)
SECRET = secret_of(b"a key of the installation", "nonce")
STEP = int(NOW.timestamp()) // 30


def code(offset=0):
    return pyotp.TOTP(SECRET).at(NOW + dt.timedelta(seconds=30 * offset))


def test_a_code_is_that_of_rfc_6238():
    # Appendix B, in the six digits that devices show.
    secret = base64.b32encode(b"12345678901234567890").decode()
    for seconds, digits in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        now = dt.datetime.fromtimestamp(seconds, dt.UTC)
        assert step_of(secret, digits, now=now, after=None) == seconds // 30


@pytest.mark.parametrize(("offset", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_device_may_be_half_a_minute_early_or_late(offset, is_right):
    assert step_of(SECRET, code(offset), now=NOW, after=None) == (STEP + offset if is_right else None)


def test_a_code_is_good_once():
    assert step_of(SECRET, code(), now=NOW, after=STEP) is None
    assert step_of(SECRET, code(-1), now=NOW, after=STEP) is None
    assert step_of(SECRET, code(1), now=NOW, after=STEP) == STEP + 1


@pytest.mark.parametrize("given", ["", "000000", "12345", "1234567", "éééééé", "nl_token"])
def test_anything_else_is_wrong(given):
    assert step_of(SECRET, given, now=NOW, after=None) is None


def test_a_code_may_be_typed_in_groups():
    assert step_of(SECRET, f" {code()[:3]} {code()[3:]} ", now=NOW, after=None) == STEP


def test_a_secret_needs_both_the_key_and_the_nonce():
    nonce = new_nonce()
    known = secret_of(b"one key", nonce)
    assert len(base64.b32decode(known)) == 20
    assert len({known, secret_of(b"another key", nonce), secret_of(b"one key", new_nonce())}) == 3
    assert secret_of(b"one key", nonce) == known


def test_the_picture_is_drawn_without_styles_or_scripts():
    told = address(SECRET, name="anna", site="news.example")
    assert told.startswith("otpauth://totp/news.example:anna?")
    assert f"secret={SECRET}" in told
    drawn = picture(told).decode()
    assert "<svg" in drawn
    assert "style=" not in drawn
    assert "<script" not in drawn


def test_recovery_codes_are_ten_and_known_by_their_digest_however_they_are_typed():
    codes = recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    first = codes[0]
    assert {recovery_digest(typed, operator_id=1) for typed in (first, first.upper().replace("-", " "))} == {
        recovery_digest(first, operator_id=1)
    }
    assert recovery_digest(first, operator_id=2) != recovery_digest(first, operator_id=1)
