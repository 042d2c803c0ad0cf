"""
What an expression is once it has been read.

Takes nothing from outside; yields frozen values and answers about them; promises bounds on size and depth, also
after saved segments have been put in where they are named.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from subscribers.errors import SegmentCycle, SegmentSyntaxError, UnknownField

MAX_NODES = 200
"""Conditions and connectives in one expression."""

MAX_DEPTH = 30
"""How deep they may nest: the database's own compiler, and SQLAlchemy's, go down once for each level."""

MAX_EXPANDED_NODES = 1000
"""The same once saved segments are put in, which could double at every step."""

MAX_EXPANDED_DEPTH = 60
"""The same for the depth."""


class Operator(StrEnum):
    """How a field is compared."""

    #: The same.
    EQUAL = "="
    #: Known, and not the same.
    UNEQUAL = "!="
    #: Less, or earlier.
    LESS = "<"
    #: Less or the same.
    AT_MOST = "<="
    #: More, or later.
    GREATER = ">"
    #: More or the same.
    AT_LEAST = ">="
    #: One of several.
    IN = "in"
    #: Known, and none of several.
    NOT_IN = "not in"
    #: Matches a pattern with `*` or `%` for any text.
    LIKE = "like"
    #: Not known.
    EMPTY = "is empty"
    #: Known.
    NOT_EMPTY = "is not empty"


class Kind(StrEnum):
    """What sort of thing a name means, and so what may be asked about it."""

    #: Lists and tags: somebody has any number of them.
    SET = "set"
    #: A text field of the subscriber.
    TEXT = "text"
    #: The address or its domain: compared whole or by pattern.
    ADDRESS = "address"
    #: A point in time, asked about by days.
    INSTANT = "instant"
    #: A saved segment.
    SEGMENT = "segment"
    #: Anything else: text, number or truth value, as it was imported.
    ATTRIBUTE = "attribute"


KINDS = {
    "list": Kind.SET,
    "tag": Kind.SET,
    "language": Kind.TEXT,
    "country": Kind.TEXT,
    "city": Kind.TEXT,
    "organisation": Kind.TEXT,
    "timezone": Kind.TEXT,
    "first_name": Kind.TEXT,
    "last_name": Kind.TEXT,
    "email": Kind.ADDRESS,
    "domain": Kind.ADDRESS,
    "created": Kind.INSTANT,
    "segment": Kind.SEGMENT,
}
"""The names that mean something of their own; all others are attributes."""

RESERVED = frozenset({"all", "and", "empty", "false", "has", "in", "is", "like", "not", "or", "today", "true", *KINDS})
"""Names that no attribute can have, because an expression could not ask for it."""


@dataclass(frozen=True, slots=True)
class DaysAgo:
    """A day counted back from the day on which the expression is evaluated; 0 is that day."""

    days: int


Value = str | int | float | bool | date | DaysAgo
"""What a field can be compared with."""


@dataclass(frozen=True, slots=True)
class Everybody:
    """All subscribers."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition about one field; `values` is empty for the questions about emptiness."""

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()
    #: Where the field stands in the text, counted from 1.
    column: int = dataclasses.field(default=1, compare=False)

    @property
    def kind(self) -> Kind:
        """What sort of thing the field is."""
        return KINDS.get(self.field, Kind.ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Not:
    """Those for whom `part` does not hold."""

    part: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """Those for whom every part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Those for whom at least one part holds."""

    parts: tuple["Expression", ...]


Expression = Everybody | Comparison | Not | And | Or
"""Who is meant."""

Resolve = Callable[[str], Expression]
"""Gives the expression of a saved segment by name; raises `UnknownSegment`."""


def parts_of(node: Expression) -> tuple[Expression, ...]:
    """Return what `node` is directly made of."""
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(part):
            return (part,)
        case _:
            return ()


def size(expression: Expression) -> tuple[int, int]:
    """Return the number of nodes and the depth, without recursion: the input may be hostile."""
    nodes, deepest, level = 0, 0, [expression]
    while level:
        nodes, deepest = nodes + len(level), deepest + 1
        level = [part for node in level for part in parts_of(node)]
    return nodes, deepest


def expand(expression: Expression, resolve: Resolve | None = None) -> Expression:
    """Put the expressions of saved segments where they are named.

    Raises:
        UnknownSegment: `resolve` does not know a name.
        SegmentCycle: a segment refers to itself, directly or through others.
        SegmentSyntaxError: the whole grows too large, or segments are named and there is no `resolve`.
    """
    room = iter(range(MAX_EXPANDED_NODES))
    expanded = _expanded(expression, resolve, within=(), room=room)
    if size(expanded)[1] > MAX_EXPANDED_DEPTH:
        raise SegmentSyntaxError(f"with the segments it names it nests more than {MAX_EXPANDED_DEPTH} levels deep")
    return expanded


def list_names(expression: Expression) -> frozenset[str]:
    """Return the lists whose members are meant: those that stand under no `not`. Expand the expression first."""
    return frozenset(_positive_lists(expression, positive=True))


def named_lists(expression: Expression) -> frozenset[str]:
    """Return every list that is named exactly, also under `not`. Expand the expression first."""
    exact = (node for node in _comparisons(expression) if node.field == "list" and node.operator is not Operator.LIKE)
    return frozenset(str(value) for node in exact for value in node.values)


def attribute_names(expression: Expression) -> frozenset[str]:
    """Return the attributes that are asked about. Expand the expression first."""
    return frozenset(node.field for node in _comparisons(expression) if node.kind is Kind.ATTRIBUTE)


def check_attributes(expression: Expression, known: Collection[str]) -> None:
    """Check that every attribute is one that somebody has: a slip of the pen would silently mean nobody.

    Raises:
        UnknownField: with the column and the nearest field or attribute.
    """
    for node in _comparisons(expression):
        if node.kind is Kind.ATTRIBUTE and node.field not in known:
            raise UnknownField(node.field, (*KINDS, *known), column=node.column)


def _comparisons(expression: Expression) -> Iterator[Comparison]:
    if isinstance(expression, Comparison):
        yield expression
    for part in parts_of(expression):
        yield from _comparisons(part)


def _positive_lists(node: Expression, *, positive: bool) -> Iterator[str]:
    if isinstance(node, Comparison):
        negative = node.operator in {Operator.UNEQUAL, Operator.NOT_IN}
        if node.field == "list" and positive is not negative and node.operator is not Operator.LIKE:
            yield from (value for value in node.values if isinstance(value, str))
    for part in parts_of(node):
        yield from _positive_lists(part, positive=positive is not isinstance(node, Not))


def _expanded(node: Expression, resolve: Resolve | None, *, within: tuple[str, ...], room: Iterator[int]) -> Expression:
    if next(room, None) is None:
        raise SegmentSyntaxError(f"with the segments it names it has more than {MAX_EXPANDED_NODES} conditions")
    match node:
        case Comparison() if node.kind is Kind.SEGMENT:
            return _segment(node, resolve, within=within, room=room)
        case Not(part):
            return Not(_expanded(part, resolve, within=within, room=room))
        case And(parts):
            return And(tuple(_expanded(part, resolve, within=within, room=room) for part in parts))
        case Or(parts):
            return Or(tuple(_expanded(part, resolve, within=within, room=room) for part in parts))
        case _:
            return node


def _segment(node: Comparison, resolve: Resolve | None, *, within: tuple[str, ...], room: Iterator[int]) -> Expression:
    if resolve is None:
        raise SegmentSyntaxError("saved segments cannot be named here", column=node.column)
    meant = []
    for name in map(str, node.values):
        if name in within:
            raise SegmentCycle((*within[within.index(name) :], name))
        meant.append(_expanded(resolve(name), resolve, within=(*within, name), room=room))
    together = meant[0] if len(meant) == 1 else Or(tuple(meant))
    return Not(together) if node.operator in {Operator.UNEQUAL, Operator.NOT_IN} else together
