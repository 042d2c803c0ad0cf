"""
Says in an English sentence whom an expression means.

Takes an `Expression`; yields text for the command line and the desk; promises that the sentence groups as the
expression does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

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
    Reaction,
    Standing,
    Value,
    When,
    parts_of,
)

_LABELS = {
    "email": "address",
    "domain": "address's domain",
    "timezone": "time zone",
    "first_name": "first name",
    "last_name": "last name",
}
"""Names of fields as people say them; all others are said with spaces for underscores."""

_RELATIONS = {
    Operator.EQUAL: "is {}",
    Operator.UNEQUAL: "is known and not {}",
    Operator.LESS: "is less than {}",
    Operator.AT_MOST: "is at most {}",
    Operator.GREATER: "is more than {}",
    Operator.AT_LEAST: "is at least {}",
    Operator.IN: "is one of {}",
    Operator.NOT_IN: "is known and none of {}",
    Operator.LIKE: "is like {}",
    Operator.EMPTY: "is not known",
    Operator.NOT_EMPTY: "is known",
}

_DATES = {
    Operator.LESS: "before {}",
    Operator.AT_MOST: "on or before {}",
    Operator.GREATER: "after {}",
    Operator.AT_LEAST: "on or after {}",
    Operator.EQUAL: "on {}",
}
"""How days are compared."""

_DATED_FIELDS = {*_DATES, Operator.WITHIN} - {Operator.EQUAL}
"""Where an attribute compared with a day is not said as with other values."""

_MEMBERS = {
    Operator.EQUAL: "are members of {}",
    Operator.UNEQUAL: "are not members of {}",
    Operator.IN: "are members of at least one of {}",
    Operator.NOT_IN: "are members of none of {}",
    Operator.LIKE: "are members of a list like {}",
    Operator.EMPTY: "are members of no list",
    Operator.NOT_EMPTY: "are members of some list",
}

_TAGGED = {
    Operator.EQUAL: "have the tag {}",
    Operator.UNEQUAL: "do not have the tag {}",
    Operator.IN: "have at least one of the tags {}",
    Operator.NOT_IN: "have none of the tags {}",
    Operator.LIKE: "have a tag like {}",
    Operator.EMPTY: "have no tag",
    Operator.NOT_EMPTY: "have some tag",
}

_IN_SEGMENT = {
    Operator.EQUAL: "are in the segment {}",
    Operator.UNEQUAL: "are not in the segment {}",
    Operator.IN: "are in at least one of the segments {}",
    Operator.NOT_IN: "are in none of the segments {}",
}

_STANDINGS = {
    MembershipState.PENDING: "have asked for {} and not confirmed it yet",
    MembershipState.CONFIRMED: "are confirmed members of {}",
    MembershipState.LEFT: "have left {}",
    MembershipState.REMOVED: "were taken off {}",
}

_SINCE = {
    MembershipState.PENDING: "asked for {} {} and have not confirmed it yet",
    MembershipState.CONFIRMED: "became confirmed members of {} {} and are so still",
    MembershipState.LEFT: "left {} {} and have not come back",
    MembershipState.REMOVED: "were taken off {} {} and have not come back",
}

_REACTIONS = {
    Reaction.RECEIVED: "received {}",
    Reaction.OPENED: "opened {}",
    Reaction.CLICKED: "followed a link in {}",
}

_OWN_WORDS = {"list": _MEMBERS, "tag": _TAGGED, "segment": _IN_SEGMENT}

_OPPOSITES = {Operator.EQUAL: Operator.UNEQUAL, Operator.IN: Operator.NOT_IN, Operator.EMPTY: Operator.NOT_EMPTY}
_OPPOSITES |= {opposite: operator for operator, opposite in _OPPOSITES.items()}
"""For lists, tags and segments, where nothing can be unknown, `not` of one is the other."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of an outline: how deep it stands, what it says, and what of the expression it is."""

    depth: int
    words: str
    expression: Expression


def to_words(expression: Expression) -> str:
    """Return one English sentence, such as “Subscribers who are members of “members” and whose language is “fr”.”"""
    if isinstance(expression, Everybody):
        return "All subscribers."
    return f"Subscribers {_clause(expression)}."


def outline(expression: Expression, depth: int = 0) -> Iterator[Part]:
    """Yield the parts of an expression, each above what it is made of; a single condition is one part."""
    yield Part(depth, _heading(expression), expression)
    if isinstance(expression, And | Or) or (isinstance(expression, Not) and isinstance(expression.part, And | Or)):
        for part in parts_of(expression):
            yield from outline(part, depth + 1)


def _heading(expression: Expression) -> str:
    match expression:
        case And():
            return "all of these:"
        case Or():
            return "at least one of these:"
        case Not(And() | Or()):
            return "not:"
        case _:
            return _clause(expression)


def _clause(node: Expression) -> str:
    match node:
        case Not(part):
            return _negation(part)
        case And(parts):
            return " and ".join(_grouped(part) for part in parts)
        case Or(parts):
            return " or ".join(_grouped(part) for part in parts)
        case _:
            return _leaf(node)


def _grouped(node: Expression) -> str:
    return f"({_clause(node)})" if isinstance(node, And | Or) else _clause(node)


def _negation(part: Expression) -> str:
    if isinstance(part, Comparison) and part.kind in {Kind.SET, Kind.SEGMENT} and part.operator in _OPPOSITES:
        return _leaf(Comparison(part.field, _OPPOSITES[part.operator], part.values))
    return f"who are not among those {_grouped(part)}"


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Everybody():
            return "whoever they are"
        case Standing(name, state, When(operator, day)):
            return f"who {_SINCE[state].format(f'“{name}”', _dated(operator, day))}"
        case Standing(name, state):
            return f"who {_STANDINGS[state].format(f'“{name}”')}"
        case _:
            return _comparison(leaf)


def _comparison(node: Comparison) -> str:
    values = ", ".join(map(_value, node.values))
    if (own_words := _OWN_WORDS.get(node.field)) is not None:
        return f"who {own_words[node.operator].format(values)}"
    if node.kind is Kind.REACTION:
        return f"who {_reaction(node)}"
    if node.kind is Kind.INSTANT:
        negation = "not " if node.operator is Operator.UNEQUAL else ""
        operator = Operator.EQUAL if node.operator is Operator.UNEQUAL else node.operator
        return f"who were {negation}added {_dated(operator, node.values[0])}"
    label = _LABELS.get(node.field, node.field.replace("_", " "))
    if node.operator in _DATED_FIELDS and isinstance(node.values[0], date | Ago):
        return f"whose {label} is {_dated(node.operator, node.values[0])}"
    return f"whose {label} {_RELATIONS[node.operator].format(values)}"


def _reaction(node: Comparison) -> str:
    words = _REACTIONS[Reaction(node.field)]
    match node.operator:
        case Operator.EQUAL:
            return words.format(f"issue {_value(node.values[0])}")
        case Operator.IN:
            return words.format(f"at least one of the issues {', '.join(map(_value, node.values))}")
        case Operator.NOT_EMPTY:
            return words.format("some issue")
        case Operator.EMPTY:
            return words.format("no issue")
        case _:
            return f"{words.format('some issue')} {_dated(node.operator, node.values[0])}"


def _dated(operator: Operator, day: Value) -> str:
    if operator is Operator.WITHIN and isinstance(day, Ago):
        return f"in the {day.span} up to the day of sending"
    return _DATES[operator].format(_value(day))


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"“{value}”"
        case date():
            return f"{value.day} {value:%B %Y}"
        case Ago(0):
            return "the day of sending"
        case Ago():
            return f"{value.span} before the day of sending"
        case _:
            return f"{value:,}"
