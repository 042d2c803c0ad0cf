"""Tokens meet texts that nobody signed."""

import pytest
from fuzz.fuzzing import MINUTES, fuzz

pytestmark = [pytest.mark.long, pytest.mark.timeout(round(MINUTES * 60 + 300))]


def test_a_fuzzer_finds_no_text_that_is_taken_for_a_token(tmp_path):
    fuzz("token_decoder.py", tmp_path, seeds=(b"", b"k1.QUJD.QUJD", b"\x00..."))
