"""What may be a password, and what is kept of it."""

import pytest
from argon2 import PasswordHasher

from newsletter.accounts.passwords import (
    TOO_COMMON,
    TOO_LONG,
    TOO_NEAR,
    TOO_SHORT,
    hashed,
    matches,
    must_be_hashed_again,
    problem_of,
)

GOOD = "seven herons on the weir"


def test_a_hash_is_that_of_its_password_and_says_how_it_was_made():
    known = hashed(GOOD)
    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches(known, GOOD)
    assert not matches(known, GOOD.upper())
    assert hashed(GOOD) != known
    assert not must_be_hashed_again(known)


def test_the_same_letters_from_another_keyboard_are_the_same_password():
    assert matches(hashed("sept hérons sur l’écluse"), "sept he\u0301rons sur l’e\u0301cluse")


@pytest.mark.parametrize("known", ["", "plain words", "$argon2id$v=19$broken"])
def test_nothing_matches_where_there_is_no_hash(known):
    assert not matches(known, "nobody has this password")
    assert not matches(known, "")


def test_a_hash_by_older_parameters_still_matches_and_is_to_be_made_again():
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert matches(older, GOOD)
    assert must_be_hashed_again(older)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        (GOOD, None),
        ("correct horse weather staple", None),
        ("    twelve    ", None),
        ("пароль из слов", None),
        ("eleven char", TOO_SHORT),
        ("", TOO_SHORT),
        ("x1" * 129, TOO_LONG),
        ("password1234", TOO_COMMON),
        ("P@55w0rd2026!!", TOO_COMMON),
        ("motdepasse2026", TOO_COMMON),
        ("Newsletter-2026", TOO_COMMON),
        ("qwertyuiop12", TOO_COMMON),
        ("lkjhgfdsapoiuytrewq", TOO_COMMON),
        ("letmeinletmein", TOO_COMMON),
        ("correct horse battery staple", TOO_COMMON),
        ("123456789012", TOO_COMMON),
        ("abababababab", TOO_COMMON),
        ("anna.kovacs2026", TOO_NEAR),
        ("Anna.KovacsAnna.Kovacs", TOO_NEAR),
        ("anna.kovacs rows upstream", None),
    ],
)
def test_a_password_is_long_and_not_among_the_first_that_are_tried(password, problem):
    assert problem_of(password, name="anna.kovacs") == problem
