"""
Codes of a device as a second factor (TOTP, RFC 6238), and codes for the day when the device is lost.

Takes a key of the installation and a nonce; yields the secret of an operator's device, the picture that a device reads
it from, and whether a code is right. Promises that the database alone tells no secret (RFC 6238 §5.1 asks to protect
them): it is reckoned from the nonce in the row and the key beside the database. Decides only; which steps are used up
stands in rows.
"""

import base64
import datetime as dt
import hashlib
import hmac
import io
import secrets
from typing import Final

import pyotp
import segno

STEP_SECONDS: Final = 30
"""RFC 6238 §5.2."""

DRIFT: Final = 1
"""Steps that a device's clock may be early or late (RFC 6238 §5.2 recommends one at most)."""

RECOVERY_CODES: Final = 10

_DOMAIN: Final = b"newsletter/second-factor/1"
_SECRET_OCTETS: Final = 20
"""As long as the digest of SHA-1 (RFC 4226 §4 R6)."""

_RECOVERY_OCTETS: Final = 10
"""80 bits, which no plain digest gives away."""

_MODULE: Final = 5
"""Pixels of a module of the picture: some two hundred across, on every screen."""


def secret_of(key: bytes, nonce: str) -> str:
    """The secret that a nonce stands for, in base32 as devices take it."""
    code = hmac.digest(key, _DOMAIN + b"\0" + nonce.encode(), "sha256")
    return base64.b32encode(code[:_SECRET_OCTETS]).decode("ascii")


def new_nonce() -> str:
    """A nonce that nobody had before."""
    return secrets.token_hex(32)


def address(secret: str, *, name: str, site: str) -> str:
    """What a device is told: an otpauth:// address that names the site and the account."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=site)


def picture(told: str) -> bytes:
    """The QR code (ISO/IEC 18004) of an address, as a SVG file, dark on light in any colour scheme."""
    file = io.BytesIO()
    segno.make(told, error="m", micro=False).save(file, kind="svg", scale=_MODULE, border=4, light="#fff", dark="#000")
    return file.getvalue()


def step_of(secret: str, code: str, *, now: dt.datetime, after: int | None) -> int | None:
    """
    The time step that a code belongs to; None where it is wrong, or not younger than the step `after`.

    A code is good for one sign-in (RFC 6238 §5.2): the caller notes the step.
    """
    device = pyotp.TOTP(secret)
    given = "".join(code.split())
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        is_right = pyotp.utils.strings_equal(device.generate_otp(step), given)
        if is_right and (after is None or step > after):
            found = step
    return found


def recovery_codes() -> list[str]:
    """Codes that each stand in once for the device, in groups that can be copied by hand."""
    return [_grouped(secrets.token_bytes(_RECOVERY_OCTETS)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str, *, operator_id: int) -> str:
    """What is kept of a recovery code, however it is written: with or without groups, in small or capital letters."""
    plain = "".join(filter(str.isalnum, code)).lower()
    return hashlib.sha256(f"{operator_id}:{plain}".encode()).hexdigest()


def _grouped(octets: bytes) -> str:
    letters = base64.b32encode(octets).decode("ascii").lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
