"""
Writes an expression as text again.

Takes an `Expression`, yields text; promises that `parse` reads the same expression from it.
"""

import re
from datetime import date
from decimal import Decimal

from subscribers.models import MembershipState
from subscribers.segments.expression import (
    Ago,
    And,
    Comparison,
    Everybody,
    Expression,
    Kind,
    Leaf,
    Not,
    Operator,
    Or,
    Standing,
    Value,
    When,
)

WORDS_OF_TIME = {
    "before": Operator.LESS,
    "after": Operator.GREATER,
    "since": Operator.AT_LEAST,
    "on": Operator.EQUAL,
}
"""How days are asked about in words; `since` means that day too."""

WORDS_OF_STANDING = {
    "joined": MembershipState.CONFIRMED,
    "left": MembershipState.LEFT,
    "asked": MembershipState.PENDING,
}
"""How it is asked when somebody came to stand to a list as they do."""

WORD_OF_TIME = {operator: word for word, operator in WORDS_OF_TIME.items()}
_WORD_OF_STANDING = {state: word for word, state in WORDS_OF_STANDING.items()}


def to_text(expression: Expression) -> str:
    """Return the expression as `parse` reads it, with no bracket more than it needs."""
    match expression:
        case Not(part):
            return f"not {_grouped(part)}"
        case And(parts):
            return " and ".join(map(_grouped, parts))
        case Or(parts):
            return " or ".join(_grouped(part) if isinstance(part, Or) else to_text(part) for part in parts)
        case _:
            return _leaf(expression)


def _grouped(node: Expression) -> str:
    return f"({to_text(node)})" if isinstance(node, And | Or) else to_text(node)


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Everybody():
            return "all"
        case Standing(name, state, When() as since):
            return f"{_WORD_OF_STANDING[state]} {quoted(name)} {_when(since)}"
        case Standing(name, state):
            return f"list {quoted(name)} is {state}"
        case _:
            return _comparison(leaf)


def _comparison(node: Comparison) -> str:
    field, values = node.field, list(map(value_text, node.values))
    match node.operator:
        case Operator.EMPTY | Operator.NOT_EMPTY:
            return f"{field} {node.operator}"
        case Operator.IN | Operator.NOT_IN:
            return f"{field} {node.operator} ({', '.join(values)})"
        case Operator.WITHIN:
            return f"{field} {_when(When(node.operator, _day(node.values[0])))}"
        case Operator.EQUAL if node.kind is Kind.REACTION:
            return f"{field} {values[0]}"
        case Operator.AT_LEAST if node.kind is Kind.REACTION:
            return f"{field} {_when(When(node.operator, _day(node.values[0])))}"
        case _:
            return f"{field} {node.operator} {values[0]}"


def _when(when: When) -> str:
    if when.operator is Operator.WITHIN and isinstance(when.day, Ago):
        return f"in the last {when.day.span}"
    return f"{WORD_OF_TIME[when.operator]} {value_text(when.day)}"


def value_text(value: Value) -> str:
    """Return one value as `parse` reads it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case date():
            return value.isoformat()
        case Ago():
            return "today" if value == Ago(0) else f"{value.span} ago"
        case _:
            return f"{Decimal(repr(value)):f}"


def quoted(text: str) -> str:
    """Return text in quotation marks, as a value is written."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _day(value: Value) -> date | Ago:
    assert isinstance(value, date | Ago)  # noqa: S101 - the grammar lets only days come here
    return value
