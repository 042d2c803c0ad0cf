"""
Secrets that a request brings with it: compared in constant time, so that nobody learns them by trying.

Takes the header of a request and what is expected; yields whether they agree. Pure.
"""

import base64
import binascii
import hmac


def agrees(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def is_basic(header: str, *, username: str, password: str) -> bool:
    """Whether an Authorization header has this name and password (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return False
    return (scheme.lower() == "basic") & agrees(given, f"{username}:{password}")


def is_bearer(header: str, token: str) -> bool:
    """Whether an Authorization header has this token (RFC 6750 §2.1)."""
    scheme, _, given = header.partition(" ")
    return (scheme.lower() == "bearer") & agrees(given.strip(), token)
