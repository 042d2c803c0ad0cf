"""Names of deliveries, written and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.names import Name, Names, leaving_address, read_name, return_path
from subscribers.tokens import Keys

KEYS = Keys(signing=(("k1", b"signing" * 5),), suppression=b"digest" * 6)
NAMES = Names(KEYS)
ISSUE = {"mailing": "issue:rivers/2026-12", "digest": "d" * 64}


@given(delivery=st.integers(min_value=1, max_value=2**63 - 1), mailing=st.text(), digest=st.text(max_size=64))
def test_a_name_is_read_back_and_proves_its_delivery(delivery, mailing, digest):
    name = NAMES.of(delivery, mailing, digest)

    assert len(name) <= 40
    assert name == name.lower()
    read = read_name(name.upper())
    assert read is not None
    assert read.delivery == delivery
    assert NAMES.is_genuine(read, mailing=mailing, digest=digest)


def test_a_name_is_the_same_at_every_attempt_and_for_every_process():
    assert NAMES.of(42, **ISSUE) == Names(KEYS).of(42, **ISSUE)


def test_a_code_proves_one_delivery_one_mailing_and_one_address():
    name = read_name(NAMES.of(42, **ISSUE))

    assert not NAMES.is_genuine(name._replace(delivery=43), **ISSUE)
    assert not NAMES.is_genuine(name, mailing="issue:rivers/2027-01", digest=ISSUE["digest"])
    assert not NAMES.is_genuine(name, mailing=ISSUE["mailing"], digest="e" * 64)
    assert not NAMES.is_genuine(name._replace(code="0" * 20), **ISSUE)
    assert not Names(Keys(signing=KEYS.signing, suppression=b"another" * 4)).is_genuine(name, **ISSUE)


def test_a_new_signing_key_changes_no_name():
    rotated = Keys(signing=(("k2", b"newer key" * 4), *KEYS.signing), suppression=KEYS.suppression)

    assert Names(rotated).of(42, **ISSUE) == NAMES.of(42, **ISSUE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2a",
        "2a-",
        f"-{'0' * 20}",
        f"0-{'0' * 20}",
        f"02a-{'0' * 20}",
        f"2g-{'0' * 20}",
        f"2a-{'0' * 19}",
        f"2a-{'0' * 21}",
        f"2a-{'z' * 20}",
        f"{'1' * 17}-{'0' * 20}",
        f"२a-{'0' * 20}",
        f"2a-{'0' * 20}\n2a",
    ],
)
def test_what_is_no_name_is_not_read(text):
    assert read_name(text) is None


def test_addresses_are_built_around_the_name():
    assert return_path("2a-0", "bounce.rivers.example") == "b+2a-0@bounce.rivers.example"
    assert leaving_address("2a-0", "bounce.rivers.example") == "leave+2a-0@bounce.rivers.example"
    assert read_name(f" 2A-{'F' * 20} ") == Name(42, "f" * 20)
