"""The page for officers shows the language as it is."""

import re
from pathlib import Path

import pytest

from subscribers.segments import Operator, parse, to_words
from subscribers.segments.expression import KINDS
from subscribers.segments.grammar import MAX_LENGTH

PAGE = (Path(__file__).parents[4] / "docs" / "segments.md").read_text(encoding="utf-8")
ASKED, COMPARED = PAGE.partition("## What can be asked")[2].split("## How it is compared")
EXAMPLES = [
    example
    for line in ASKED.splitlines()
    if line.startswith("| ")
    for example in re.findall(r"`([^`]+)`", line.split(" | ")[1])
    if " " in example or example == "all"
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_read(example):
    assert to_words(parse(example)).endswith(".")


def test_the_first_example_is_the_one_of_the_whole():
    assert parse(PAGE.split("```")[1].strip())


def test_every_field_and_operator_is_shown():
    assert [name for name in KINDS if not re.search(rf"\b{name}\b", ASKED)] == []
    assert [operator for operator in Operator if operator not in COMPARED] == []


def test_the_bounds_are_those_of_the_program():
    assert f"{MAX_LENGTH:,} characters, 200 conditions and 30 levels" in PAGE
