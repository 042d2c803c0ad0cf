"""
Signatures of providers: RSA by a certificate (Amazon SNS), ECDSA by a public key (SendGrid).

Takes keys and certificates as they are published, the signature in base64 and what it was made over; yields whether it
holds, and False for everything that is no signature. Reads nothing but its arguments.
"""

import base64
import binascii
import datetime as dt
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import NameOID

from newsletter.errors import ConfigurationFault

HASHES: Final = {"1": SHA1, "2": SHA256}
"""By the SignatureVersion of Amazon SNS."""

SIGNER: Final = "sns.amazonaws.com"
"""Whom a certificate of Amazon SNS names."""


def rsa_holds(certificate: bytes, signature: str, content: bytes, *, version: str, now: dt.datetime) -> bool:
    """Whether Amazon SNS signed the content; the certificate is PEM, and has to be valid at that time."""
    hash_ = HASHES.get(version)
    try:
        known = x509.load_pem_x509_certificate(certificate)
        key, octets = known.public_key(), base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return False
    current = known.not_valid_before_utc <= now <= known.not_valid_after_utc
    named = [name.value for name in known.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if hash_ is None or not current or named != [SIGNER] or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(octets, content, PKCS1v15(), hash_())
    except InvalidSignature:
        return False
    return True


def ecdsa_holds(public_key: str, signature: str, content: bytes) -> bool:
    """Whether the owner of a P-256 key (DER in base64) signed the content with SHA-256."""
    try:
        octets = base64.b64decode(signature, validate=True)
        _p256(public_key).verify(octets, content, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def ensure_p256(public_key: str) -> None:
    """Raise ConfigurationFault unless this is a public key as SendGrid shows it."""
    try:
        _p256(public_key)
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise ConfigurationFault(
            "NEWSLETTER_HOOKS__SENDGRID__PUBLIC_KEY is no verification key: copy it from SendGrid's page"
        ) from error


def _p256(public_key: str) -> EllipticCurvePublicKey:
    key = load_der_public_key(base64.b64decode(public_key, validate=True))
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("the key is of another kind")  # noqa: TRY004  its content is wrong, not its type
    return key
