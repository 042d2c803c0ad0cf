"""
What an expression names: lists, tags, attributes, issues.

Takes an `Expression`, into which saved segments have been put; yields names, so that who knows what exists can say
which of them is a slip of the pen.
"""

from collections.abc import Collection, Iterator

from subscribers.errors import UnknownField
from subscribers.models import MembershipState
from subscribers.segments.expression import (
    KINDS,
    Comparison,
    Expression,
    Kind,
    Leaf,
    Not,
    Operator,
    Reaction,
    Standing,
    leaves,
    parts_of,
)


def list_names(expression: Expression) -> frozenset[str]:
    """Return the lists whose members are meant: those that stand under no `not`."""
    return frozenset(_positive_lists(expression, positive=True))


def named_lists(expression: Expression) -> frozenset[str]:
    """Return every list that is named exactly, also under `not`."""
    standings = {leaf.list_name for leaf in leaves(expression) if isinstance(leaf, Standing)}
    return _exactly_named(expression, "list") | standings


def named_tags(expression: Expression) -> frozenset[str]:
    """Return every tag that is named exactly, also under `not`."""
    return _exactly_named(expression, "tag")


def named_segments(expression: Expression) -> frozenset[str]:
    """Return the saved segments that an expression names, before they are put in."""
    return _exactly_named(expression, "segment")


def attribute_names(expression: Expression) -> frozenset[str]:
    """Return the attributes that are asked about."""
    return frozenset(node.field for node in _comparisons(expression) if node.kind is Kind.ATTRIBUTE)


def reactions(expression: Expression) -> dict[Reaction, frozenset[str]]:
    """Return the reactions that are asked about, each with the issues that are named for it."""
    asked: dict[Reaction, frozenset[str]] = {}
    for node in _comparisons(expression):
        if node.kind is Kind.REACTION:
            reaction = Reaction(node.field)
            named = frozenset(value for value in node.values if isinstance(value, str))
            asked[reaction] = asked.get(reaction, frozenset()) | named
    return asked


def check_attributes(expression: Expression, known: Collection[str]) -> None:
    """Check that every attribute is one that somebody has: a slip of the pen would silently mean nobody.

    Raises:
        UnknownField: with the column and the nearest field or attribute.
    """
    for node in _comparisons(expression):
        if node.kind is Kind.ATTRIBUTE and node.field not in known:
            raise UnknownField(node.field, (*KINDS, *known), column=node.column)


def _comparisons(expression: Expression) -> Iterator[Comparison]:
    return (leaf for leaf in leaves(expression) if isinstance(leaf, Comparison))


def _exactly_named(expression: Expression, field: str) -> frozenset[str]:
    exact = (node for node in _comparisons(expression) if node.field == field and node.operator is not Operator.LIKE)
    return frozenset(str(value) for node in exact for value in node.values)


def _positive_lists(node: Expression, *, positive: bool) -> Iterator[str]:
    if isinstance(node, Comparison | Standing):
        yield from _members_of(node, positive=positive)
    for part in parts_of(node):
        yield from _positive_lists(part, positive=positive is not isinstance(node, Not))


def _members_of(leaf: Leaf, *, positive: bool) -> Iterator[str]:
    if isinstance(leaf, Standing):
        if positive and leaf.state is MembershipState.CONFIRMED:
            yield leaf.list_name
    elif isinstance(leaf, Comparison) and leaf.field == "list" and leaf.operator is not Operator.LIKE:
        negative = leaf.operator in {Operator.UNEQUAL, Operator.NOT_IN}
        if positive is not negative:
            yield from (value for value in leaf.values if isinstance(value, str))
