"""No text but the one that was signed is taken for a token, and every other is refused and does nothing else."""

import sys

import atheris

with atheris.instrument_imports(include=["subscribers.tokens"]):
    from subscribers.errors import TokenRefused
    from subscribers.tokens import Keys, sign, verify

KEYS = Keys(signing=(("k2", b"n" * 32), ("k1", b"s" * 32)), suppression=b"d" * 32)
GENUINE = sign(KEYS, "unsubscribe", "abcdefgh/issue:rivers-2026-12")


def one(data: bytes) -> None:
    """Verify the text that the octets make: as it is, and as a change of a genuine token."""
    provider = atheris.FuzzedDataProvider(data)
    place = provider.ConsumeIntInRange(0, len(GENUINE))
    text = provider.ConsumeUnicode(len(data))
    for token in (text, GENUINE[:place] + text + GENUINE[place + len(text) :], f"k1.{text}"):
        try:
            payload = verify(KEYS, "unsubscribe", token)
        except TokenRefused:
            continue
        if token != GENUINE:
            raise AssertionError(f"{token!r} was taken for {payload!r}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
