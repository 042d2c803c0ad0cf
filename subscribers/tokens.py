"""
Signed tokens for links, and the keyed digest that stands for an address.

Takes keys and values; yields text for one path segment of a link; promises that a token made for one purpose is
refused for every other, that a token outlives the rotation of keys as long as its key is kept, and that a refusal
does not say why. The digest has a key of its own, which never rotates.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from subscribers.errors import TokenRefused

MIN_SECRET = 16
"""Octets: a shorter secret would be weaker than the code it makes."""

MAX_TOKEN = 2048
"""Characters: more than any link here needs; the rest is not even looked at."""

_CODE_OCTETS = 16
"""HMAC-SHA256 cut to 128 bits, as RFC 2104 §5 allows: half the digest, and not guessable."""

_BLOCK_OCTETS = 64
"""Of SHA-256, as RFC 2104 §2 calls B."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""RFC 4648 §5."""

_TOKEN_DOMAIN = b"subscribers/token/1"
_DIGEST_DOMAIN = b"subscribers/address/1"
_KEY_ID = re.compile(r"[A-Za-z0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one installation.

    Attributes:
        signing: key id and secret, newest first: the first signs, all verify.
        suppression: secret of the address digests; changing it forgets every suppression.

    Raises:
        ValueError: no signing key, a bad or repeated key id, or a secret that is too short.
    """

    signing: tuple[tuple[str, bytes], ...] = field(repr=False)
    suppression: bytes = field(repr=False)

    def __post_init__(self) -> None:
        ids = [key_id for key_id, _ in self.signing]
        if not ids or len(set(ids)) < len(ids) or not all(map(_KEY_ID.fullmatch, ids)):
            raise ValueError("signing keys need distinct ids of 1 to 16 letters and digits")
        if any(len(secret) < MIN_SECRET for secret in (self.suppression, *(secret for _, secret in self.signing))):
            raise ValueError(f"secrets need at least {MIN_SECRET} octets")


def sign(keys: Keys, purpose: str, payload: bytes | str) -> str:
    """Return a token of the shape `KEY_ID.PAYLOAD.CODE`, made of letters, digits and `-._` only.

    The payload can be read by anybody who has the token: put public ids into it, never an address.
    """
    content = payload.encode() if isinstance(payload, str) else payload
    key_id, secret = keys.signing[0]
    return f"{key_id}.{_encoded(content)}.{_encoded(_code(secret, key_id=key_id, purpose=purpose, content=content))}"


def signing(keys: Keys, purpose: str) -> Callable[[str], str]:
    """Return what signs many payloads for one purpose as `sign` does: all that they share is reckoned once."""
    key_id, secret = keys.signing[0]
    # RFC 2104 §4: both digests go on from where the key was taken in. To copy an HMAC object takes three times as long.
    inner, outer = _begun(secret)
    inner.update(_heading(key_id=key_id, purpose=purpose))

    def signed(payload: str) -> str:
        content = payload.encode()
        within, code = inner.copy(), outer.copy()
        within.update(_measured(content))
        code.update(within.digest())
        return f"{key_id}.{_encoded(content)}.{_encoded(code.digest()[:_CODE_OCTETS])}"

    return signed


def verify(keys: Keys, purpose: str, token: str) -> bytes:
    """Return the payload of a token that `sign` made for `purpose` with any of the keys.

    Raises:
        TokenRefused: for every other text, in the same time whichever key it names.
    """
    key_id, content, code = _parts(token)
    genuine = False
    for known_id, secret in keys.signing:
        expected = _code(secret, key_id=known_id, purpose=purpose, content=content)
        genuine |= hmac.compare_digest(expected, code) and known_id == key_id
    if not genuine:
        raise TokenRefused
    return content


def address_digest(keys: Keys, key: str) -> str:
    """Return what stands for an address once it is forgotten: 64 hexadecimal digits of `Address.key`.

    A plain hash would be undone by hashing likely addresses; this one needs the secret.
    """
    return hmac.digest(keys.suppression, _DIGEST_DOMAIN + b"\0" + key.encode(), "sha256").hex()


def _code(secret: bytes, *, key_id: str, purpose: str, content: bytes) -> bytes:
    message = _heading(key_id=key_id, purpose=purpose) + _measured(content)
    return hmac.digest(secret, message, "sha256")[:_CODE_OCTETS]


def _begun(secret: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """Return the inner and the outer digest of HMAC-SHA256 with the key taken in (RFC 2104 §2)."""
    key = secret if len(secret) <= _BLOCK_OCTETS else hashlib.sha256(secret).digest()
    padded = key.ljust(_BLOCK_OCTETS, b"\0")
    inner, outer = (hashlib.sha256(bytes(octet ^ pad for octet in padded)) for pad in (0x36, 0x5C))
    return inner, outer


def _heading(*, key_id: str, purpose: str) -> bytes:
    return b"".join(map(_measured, (_TOKEN_DOMAIN, key_id.encode(), purpose.encode())))


def _measured(part: bytes) -> bytes:
    """Put its length before a part, so that no two different triples read the same."""
    return len(part).to_bytes(4, "big") + part


def _parts(token: str) -> tuple[str, bytes, bytes]:
    pieces = token.split(".") if len(token) <= MAX_TOKEN and token.isascii() else []
    if len(pieces) != 3:  # noqa: PLR2004 - key id, payload, code
        raise TokenRefused
    key_id, content, code = pieces
    return key_id, _decoded(content), _decoded(code)


def _encoded(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise TokenRefused from error
    if _encoded(octets) != text:
        # Spare bits at the end would make several texts of one token.
        raise TokenRefused
    return octets
