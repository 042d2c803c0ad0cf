"""
Says in an English sentence whom an expression means.

Takes an `Expression`; yields text for the command line and the desk; promises that the sentence groups as the
expression does.
"""

from datetime import date

from subscribers.segments.expression import (
    And,
    Comparison,
    DaysAgo,
    Everybody,
    Expression,
    Kind,
    Not,
    Operator,
    Or,
    Value,
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

_DATED = {
    Operator.LESS: "is before {}",
    Operator.AT_MOST: "is on or before {}",
    Operator.GREATER: "is after {}",
    Operator.AT_LEAST: "is on or after {}",
}
"""For attributes that hold days."""

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

_ADDED = {
    Operator.EQUAL: "were added on {}",
    Operator.UNEQUAL: "were not added on {}",
    Operator.LESS: "were added before {}",
    Operator.AT_MOST: "were added on or before {}",
    Operator.GREATER: "were added after {}",
    Operator.AT_LEAST: "were added on or after {}",
}

_OWN_WORDS = {"list": _MEMBERS, "tag": _TAGGED, "segment": _IN_SEGMENT, "created": _ADDED}

_OPPOSITES = {Operator.EQUAL: Operator.UNEQUAL, Operator.IN: Operator.NOT_IN, Operator.EMPTY: Operator.NOT_EMPTY}
_OPPOSITES |= {opposite: operator for operator, opposite in _OPPOSITES.items()}
"""For lists, tags and segments, where nothing can be unknown, `not` of one is the other."""


def to_words(expression: Expression) -> str:
    """Return one English sentence, such as “Subscribers who are members of “members” and whose language is “fr”.”"""
    if isinstance(expression, Everybody):
        return "All subscribers."
    return f"Subscribers {_clause(expression)}."


def _clause(node: Expression) -> str:
    match node:
        case Everybody():
            return "whoever they are"
        case Not(part):
            return _negation(part)
        case And(parts):
            return " and ".join(_grouped(part) for part in parts)
        case Or(parts):
            return " or ".join(_grouped(part) for part in parts)
        case _:
            return _comparison(node)


def _grouped(node: Expression) -> str:
    return f"({_clause(node)})" if isinstance(node, And | Or) else _clause(node)


def _negation(part: Expression) -> str:
    if isinstance(part, Comparison) and part.kind in {Kind.SET, Kind.SEGMENT} and part.operator in _OPPOSITES:
        return _comparison(Comparison(part.field, _OPPOSITES[part.operator], part.values))
    return f"who are not among those {_grouped(part)}"


def _comparison(node: Comparison) -> str:
    values = ", ".join(map(_value, node.values))
    if (own_words := _OWN_WORDS.get(node.field)) is not None:
        return f"who {own_words[node.operator].format(values)}"
    label = _LABELS.get(node.field, node.field.replace("_", " "))
    dated = node.operator in _DATED and isinstance(node.values[0], date | DaysAgo)
    relation = (_DATED if dated else _RELATIONS)[node.operator]
    return f"whose {label} {relation.format(values)}"


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"“{value}”"
        case date():
            return f"{value.day} {value:%B %Y}"
        case DaysAgo(0):
            return "the day of sending"
        case DaysAgo(days):
            return f"{days} days before the day of sending"
        case _:
            return f"{value:,}"
