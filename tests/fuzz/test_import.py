"""Any file at all is read or refused in words: drawn by Hypothesis, and steered by coverage."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import REQUIRE_ALL

from subscribers.errors import SubscribersError
from subscribers.importing import Problem, Row
from subscribers.importing.loading import Manner, understood
from subscribers.importing.rows import row_reader
from subscribers.importing.source import opened

MINUTES = float(os.environ.get("NEWSLETTER_TESTS_FUZZ_MINUTES", "10"))
HERE = Path(__file__).parent

HEADINGS = st.sampled_from(
    [
        "email,city,tags,population",
        "E-mail;Prénom;Langue;Pays",
        "email\tcity\ttimezone\t",
        "Email Address,First Name,MEMBER_RATING,LEID,CC,TAGS,UNSUB_TIME",
        "uuid,email,name,attributes,status,created_at,updated_at",
        "firstname,lastname,email,points,stage,country,DNC Reason",
        "Contact Email,First Name,Last Name,Contact Status",
        "email,first_name,last_name,organisation,city,country,language,timezone,tags,lists,created,a__b",
    ]
)
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "ada@town.example",
            "x@münchen.example",
            "fr-BE",
            "BE",
            "Europe/Brussels",
            '{"a": {"b": 1}}',
            "'=1",
            "Bounced",
            '"',
        ]
    ),
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso-8859-1"])


@st.composite
def files(draw):
    """A file that is nearly one of people, in any encoding, with octets gone astray."""
    headings = draw(HEADINGS)
    delimiter = next(sign for sign in ";\t," if sign in headings)
    rows = draw(st.lists(st.lists(CELLS, max_size=13), max_size=5))
    text = "\n".join([headings, *(delimiter.join(row) for row in rows)])
    octets = bytearray(text.encode(draw(ENCODINGS), errors="ignore"))
    for place, octet in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=2)):
        octets[place : place + 1] = bytes([octet])
    return bytes(octets)


_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Controls, ends of lines and halves of characters: what breaks a header or a log."""


def taken(path):
    """Read a file up to the database and check all that comes of it."""
    rows, refusal = [], "none"
    try:
        with opened(path) as table:
            file = understood(table, Manner())
            check = row_reader(table, file.columns, file.origin)
            rows = [check(line, cells) for line, cells in table.rows()]
    except SubscribersError as error:
        refusal = str(error)
    assert refusal
    for row in rows:
        if isinstance(row, Problem):
            assert row.words
            assert row.line > table.first_line
        else:
            assert isinstance(row, Row)
            assert not any(map(_NO_TEXT.search, [*row.values.values(), *row.tags, row.proof]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(octets=files() | st.binary(max_size=300))
def test_any_file_is_read_or_refused_in_words(tmp_path, octets):
    path = tmp_path / "people.csv"
    path.write_bytes(octets)
    taken(path)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6000)
@given(octets=files() | st.binary(max_size=300))
def test_six_thousand_files_are_read_or_refused_in_words(tmp_path, octets):
    path = tmp_path / "people.csv"
    path.write_bytes(octets)
    taken(path)


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 60 + 300)
def test_no_file_that_coverage_leads_to_makes_the_import_crash_or_hang(tmp_path):
    if find_spec("atheris") is None:
        message = "atheris is missing: it comes with the dev dependencies on Linux x86-64"
        if REQUIRE_ALL:
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run(
        [sys.executable, HERE / "import_target.py", str(int(MINUTES * 60)), f"-artifact_prefix={tmp_path}/"],
        env={**os.environ, "PYTHONPATH": str(HERE.parent.parent), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done" in done.stderr.splitlines()[-1]
