"""
Puts saved segments where an expression names them.

Takes an `Expression` and what finds segments by name; yields an expression that names none; promises bounds on its
size and depth, which saved segments could double at every step.
"""

from collections.abc import Callable, Iterator

from subscribers.errors import SegmentCycle, SegmentSyntaxError
from subscribers.segments.expression import And, Comparison, Expression, Kind, Not, Operator, Or, size

MAX_EXPANDED_NODES = 1000
"""Conditions and connectives once saved segments are put in, which could double at every step."""

MAX_EXPANDED_DEPTH = 60
"""How deep they may nest then."""

Resolve = Callable[[str], Expression]
"""Gives the expression of a saved segment by name; raises `UnknownSegment`."""


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
