"""Rows as lines, and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.keeping.lines import (
    PORTION,
    PORTION_OCTETS,
    fit_for_postgres,
    plain_of,
    portions_of,
    reader_of,
    writer_of,
)
from newsletter.keeping.shape import Column, Kind, Table
from newsletter.keeping.tally import Counting

EVERY = Table("every", tuple(Column(kind.value, kind) for kind in Kind))
WORDS = Table("words", (Column("words", Kind.TEXT),))
FACTS = Table("facts", (Column("facts", Kind.JSON), Column("words", Kind.TEXT)))

ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 1),
    st.text(),
    st.datetimes().map(lambda each: each.isoformat(" ", "microseconds")),
    st.dates().map(str),
    st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps),
    st.binary(),
)


@given(ROWS, st.sets(st.integers(0, 7)))
def test_a_row_is_read_as_it_was_written(row, empty):
    row = [None if number in empty else value for number, value in enumerate(row)]
    line = writer_of(EVERY)(row)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.count(b"\t") == 7
    assert list(reader_of(EVERY)(line)) == row


def test_a_line_is_what_postgresql_writes():
    row = (7, 0.5, 1, "a\tb\\c\nd\re", "2026-12-01 08:00:00.000000", "2026-12-01", '{"a": "\\n"}', b"\x00\xff")
    assert writer_of(EVERY)(row) == (
        rb"7	0.5	t	a\tb\\c\nd\re	2026-12-01 08:00:00.000000	2026-12-01	{"
        b'"a": "\\\\n"}\t\\\\x00ff\n'
    )


@pytest.mark.parametrize("written", ["2026-12-01", "2026-12-01 00:00:00", "2026-12-01T01:00:00.000000+01:00"])
def test_an_instant_is_written_in_one_way_however_it_is_stored(written):
    line = writer_of(Table("when", (Column("at", Kind.INSTANT),)))((written,))
    assert line == b"2026-12-01 00:00:00.000000\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"b": 1, "a": [1.5, null]}', '{"a": [1.5, null], "b": 1}'),
        ('{"a":"\\u00e9"}', '{"a": "é"}'),
        ("[1e+16, 1e-07]", "[10000000000000000, 1e-7]"),
    ],
)
def test_structured_values_weigh_the_same_however_a_database_writes_them(one, other):
    def tally(value):
        counting = Counting(FACTS)
        counting.add([writer_of(FACTS)((value, "w"))])
        return counting.tally

    assert tally(one) == tally(other)
    assert tally(one) != tally('{"a": [1.5, null], "b": 2}')


def test_the_order_of_rows_does_not_matter_and_every_row_does():
    lines = [writer_of(WORDS)((word,)) for word in ("a", "b", "c")]

    def tally(of):
        counting = Counting(WORDS)
        counting.add(of)
        return counting.tally

    assert tally(lines) == tally(reversed(lines))
    assert len({tally(lines), tally(lines[:2]), tally([*lines[:2], lines[1]]), tally([])}) == 4


def test_a_table_without_structured_values_is_weighed_as_it_is():
    assert plain_of(WORDS)(b"words\n") == b"words\n"


def test_what_postgresql_holds_nowhere_is_left_out_and_counted():
    fit = fit_for_postgres(FACTS)
    line = writer_of(FACTS)((json.dumps({"a\0": ["\0", "\ud800", "🙂", 1]}), "b\0c"))

    fitted, removed = fit(line)

    facts, words = reader_of(FACTS)(fitted)
    assert (json.loads(facts), words, removed) == ({"a": ["", "", "🙂", 1]}, "bc", 4)


@pytest.mark.parametrize("facts", [json.dumps({"a": "🙂"}), '{"a": "\\\\u0000"}', "{}"])
def test_what_postgresql_holds_stays_as_it_is(facts):
    line = writer_of(FACTS)((facts, "words"))
    assert fit_for_postgres(FACTS)(line) == (line, 0)


def test_large_lines_come_few_at_a_time():
    assert [len(each) for each in portions_of([b"x"] * (PORTION + 1))] == [PORTION, 1]
    assert [len(each) for each in portions_of([b"x" * PORTION_OCTETS, b"y", b"z"])] == [1, 2]
