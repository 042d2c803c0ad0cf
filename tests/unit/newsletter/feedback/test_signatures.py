"""Signatures of providers: what holds, and that nothing else does."""

import datetime as dt

import hook_samples as samples
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigurationFault
from newsletter.feedback.signatures import ecdsa_holds, ensure_p256, rsa_holds

CONTENT = b"Message\nhello\n"


def signed(key=None, hash_=None):
    octets = (key or samples.amazon_key()).sign(CONTENT, padding.PKCS1v15(), hash_ or hashes.SHA256())
    return samples.base64.b64encode(octets).decode()


def holds(certificate=None, signature=None, *, content=CONTENT, version="2", now=samples.NOW):
    given_ = samples.certificate() if certificate is None else certificate
    return rsa_holds(given_, signed() if signature is None else signature, content, version=version, now=now)


def test_what_the_owner_of_the_certificate_signed_holds():
    assert holds()
    assert holds(signature=signed(hash_=hashes.SHA1()), version="1")


def test_another_content_key_hash_or_version_does_not_hold():
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert not holds(content=CONTENT + b"!")
    assert not holds(signature=signed(other))
    assert not holds(version="1")
    assert not holds(version="3")
    assert not holds(signature="no base64!")
    assert not holds(signature="")


def test_a_certificate_holds_in_its_time_and_for_amazon_sns_alone():
    assert not holds(now=samples.NOW + dt.timedelta(days=400))
    assert not holds(now=samples.NOW - dt.timedelta(days=40))
    assert not holds(samples.certificate(name="sns.evil.example"))
    assert not holds(b"no certificate")
    assert not holds(samples.certificate(key=ec.generate_private_key(ec.SECP256R1())))


def test_a_key_of_another_kind_is_none_of_sendgrids():
    ensure_p256(samples.sendgrid_public_key())
    for wrong in ("", "no base64!", "AAAA", samples.sendgrid_public_key(ec.generate_private_key(ec.SECP384R1()))):
        with pytest.raises(ConfigurationFault, match="SENDGRID__PUBLIC_KEY"):
            ensure_p256(wrong)
        assert not ecdsa_holds(wrong, "AAAA", CONTENT)


@given(st.text(max_size=200), st.binary(max_size=200))
def test_no_text_is_a_signature(text, content):
    assert not ecdsa_holds(samples.sendgrid_public_key(), text, content)
    assert not holds(signature=text, content=content)
