"""
Passwords: what may be one, and what is kept of it.

Takes a password; yields what is wrong with it, or its Argon2id hash (RFC 9106) in the PHC string format. Promises that
nothing but the hash leaves here, that a password typed on another keyboard is the same one (Unicode NFKC, NIST
SP 800-63B §5.1.1.2), and that asking about an operator who has none, or whom nobody knows, takes as long as about any
other.

The rules are those of SP 800-63B: a length, a list of what everybody tries first, nothing about capitals or digits.
"""

import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
"""Characters of a password at least."""

LONGEST: Final = 256
"""Characters at most: four times what SP 800-63B asks to allow, and too few to keep a machine busy."""

FEWEST_DIFFERENT: Final = 5
"""Different characters at least: `aaaaaaaaaaaa` and `121212121212` are among the first that are tried."""

TOO_SHORT: Final = (
    "The password needs at least 12 characters. Several words that do not belong together are a good one."
)
TOO_LONG: Final = "The password may have at most 256 characters."
TOO_COMMON: Final = "This password is among the first that anybody tries. Choose another one."
TOO_NEAR: Final = "The password must not consist of the name. Choose another one."

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
"""The OWASP Password Storage Cheat Sheet's first choice for Argon2id: 19 MiB, two passes, one lane."""

_RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "azertyuiopqsdfghjklm",
)
"""Keys in the order in which they lie; a password that is a part of one, in either direction, is none."""

_WORDS: Final = """
    access admin administrator amour azerty baseball batman bienvenue bonjour changeme charlie chocolate christmas
    computer correcthorsebatterystaple default doudou dragon fatherhood football freedom god guest
    hello house iloveyou internet jennifer jesus jordan killer letmein login london loulou love lovely
    loveyou manager marseille master michael michelle monkey motdepasse mustang mypassword nevergiveup
    newsletter nicolas office operator oracle paris pass passphrase passw0rd password passwort pokemon princess
    princesse qazwsx qazwsxedc qwerty qwertyuiop root secret service shadow soleil spring starwars summer
    sunshine superman superuser support sysadmin system temp temporary test tester testing thomas trustno user
    unknown welcome whatever winter zaq1zaq1 zxcvbn zxcvbnm 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc q1w2e3r4
    q1w2e3r4t5y6 sommer kennwort hallo contrasena teamo password1password welcometo letmeinplease ihateyou
    changethispassword thisisapassword thisismypassword adminadmin passwordpassword secretsecret qwertyqwerty
    """
_COMMON: Final = frozenset(_WORDS.split())
"""Words that, alone, twice or with digits and marks around them, make up the lists of what was found most often."""

_AROUND: Final = "0123456789 .,;:!?*#+-_"
"""What is put before or behind a word to make it longer."""

_SUBSTITUTES: Final = str.maketrans("013457@$!", "oleastasi")
"""What stands for a letter in p@55w0rd."""


def hashed(password: str) -> str:
    """Return the hash of a password, which says by which parameters it was made."""
    return _HASHER.hash(_prepared(password))


def matches(known: str, password: str) -> bool:
    """
    Tell whether a password is the one that was hashed; "" is the hash of nobody, and matches none.

    Takes the same time whether there is a hash or not.
    """
    try:
        _HASHER.verify(known or _nobodys(), _prepared(password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return bool(known)


def must_be_hashed_again(known: str) -> bool:
    """Tell whether a hash was made by other parameters than today's."""
    return _HASHER.check_needs_rehash(known)


def problem_of(password: str, *, name: str) -> str | None:
    """Say what is wrong with a new password of an operator, as a message of `desk-accounts.po`; None: nothing."""
    plain = _prepared(password)
    if len(plain) < SHORTEST:
        return TOO_SHORT
    if len(plain) > LONGEST:
        return TOO_LONG
    folded = plain.casefold()
    if name and name.casefold() in folded and not folded.replace(name.casefold(), "").strip(_AROUND):
        return TOO_NEAR
    return TOO_COMMON if _is_common(folded) else None


def _is_common(folded: str) -> bool:
    if len(set(folded)) < FEWEST_DIFFERENT:
        return True
    if any(folded in run or folded[::-1] in run for run in _RUNS):
        return True
    bare = folded.strip(_AROUND)
    plain = {folded, bare, folded.translate(_SUBSTITUTES), bare.translate(_SUBSTITUTES)}
    forms = {"".join(filter(str.isalnum, form)) for form in plain}
    forms |= {form.strip("0123456789") for form in forms}
    return any(_is_known(form) for form in forms)


def _is_known(form: str) -> bool:
    """Whether it is one of the words, or one of them twice or more."""
    pieces = {form[:length] for length in range(1, len(form) + 1) if form == form[:length] * (len(form) // length)}
    return not pieces.isdisjoint(_COMMON)


def _prepared(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    """The hash that stands in for that of an operator who does not exist."""
    return _HASHER.hash("nobody has this password")
