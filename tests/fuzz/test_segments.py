"""The language of segments meets texts that nobody would write."""

import pytest
from fuzz.fuzzing import MINUTES, fuzz
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.subscribers.segments.trees import EXPRESSIONS

from subscribers.errors import SegmentSyntaxError
from subscribers.segments import parse, to_text, to_words

pytestmark = [pytest.mark.long, pytest.mark.timeout(round(MINUTES * 60 + 300))]

SEEDS = (
    b'list = "members" and language in ("fr", "fr-BE") and population > 100000 and not tag = "press"',
    b'joined "x" since 30 days ago or left "y" in the last 3 months or list "z" is not pending',
    'city like "Li\\*ge*" and motto = «à» or created on 2026-01-31'.encode(),
    b'received "2027-01" and not clicked in the last 1 year and vip != false and a is not empty',
)
WORDS = [
    "and",
    "or",
    "not",
    "(",
    ")",
    "all",
    "has",
    "tag",
    "list",
    "segment",
    "city",
    "created",
    "a1",
    "received",
    "joined",
    "left",
    "=",
    "!=",
    "<>",
    "<=",
    ">=",
    "<",
    ">",
    "in",
    "the",
    "last",
    "like",
    "is",
    "empty",
    "pending",
    '"members"',
    '""',
    "'x'",
    "“y”",
    "«",
    "»",
    "30",
    "-1.5",
    "days",
    "day",
    "ago",
    "today",
    "true",
    "2026-01-31",
    "2026-02-31",
    "since",
    "before",
    "on",
    ",",
    "*",
    "\\",
    "\x00",
    "ſ",
    "é",
]


@settings(max_examples=10_000)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=80))
def test_any_text_is_read_or_refused_with_its_place(text):
    try:
        expression, refusal = parse(text), None
    except SegmentSyntaxError as error:
        expression, refusal = None, error
    if expression is not None:
        assert parse(to_text(expression)) == expression
        assert to_words(expression).endswith(".")
    else:
        assert refusal.problem
        assert min(refusal.line, refusal.column) >= 1
        assert len(refusal.pointer.split("\n")) >= 2


@settings(max_examples=5000)
@given(EXPRESSIONS)
def test_five_thousand_expressions_are_read_again_as_they_were_written(expression):
    assert parse(to_text(expression)) == expression
    assert to_words(expression).startswith(("Subscribers ", "All subscribers"))


def test_a_fuzzer_finds_no_text_that_breaks_the_parser(tmp_path):
    fuzz("segment_parser.py", tmp_path, seeds=SEEDS)
