"""
What an expression is once it has been read.

Takes nothing from outside; yields frozen values and answers about their shape; promises nothing about the world: what
they name may not exist, see `naming`.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from subscribers.models import MembershipState

MAX_NODES = 200
"""Conditions and connectives in one expression."""

MAX_DEPTH = 30
"""How deep they may nest: the database's own compiler, and SQLAlchemy's, go down once for each level."""


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
    #: Between a day that is counted back and today, both included.
    WITHIN = "in the last"


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
    #: What somebody got or did with it: an issue by name, or since a day.
    REACTION = "reaction"
    #: Anything else: text, number, day or truth value, as it was imported.
    ATTRIBUTE = "attribute"


class Reaction(StrEnum):
    """What somebody got, and what they did with it; who knows of issues says who did, see `condition.Engagement`."""

    #: A relay took a message for them.
    RECEIVED = "received"
    #: They opened it, where that is counted.
    OPENED = "opened"
    #: They followed a link in it, where that is counted.
    CLICKED = "clicked"


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
    "received": Kind.REACTION,
    "opened": Kind.REACTION,
    "clicked": Kind.REACTION,
}
"""The names that mean something of their own; all others are attributes."""

RESERVED = frozenset({"all", "and", "empty", "false", "has", "in", "is", "like", "not", "or", "today", "true", *KINDS})
"""Names that no attribute can have, because an expression could not ask for it."""


class Unit(StrEnum):
    """What time is counted back in."""

    #: 24 hours, or 23, or 25.
    DAY = "day"
    #: Seven days.
    WEEK = "week"
    #: To the same day of an earlier month, or its last one where it is shorter.
    MONTH = "month"
    #: To the same day of an earlier year, or 28 February.
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Ago:
    """A day counted back from the day on which the expression is evaluated; 0 is that day."""

    count: int
    unit: Unit = Unit.DAY

    @property
    def span(self) -> str:
        """The time in between, as it is written: `30 days`."""
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


Day = date | Ago
"""A day of the calendar, or one that moves along."""

Value = str | int | float | bool | Day
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
class When:
    """Days that are meant: those before one, from one on, or the last so many."""

    operator: Operator
    day: Day


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to a list, and with `since` when that came to be."""

    list_name: str
    state: MembershipState
    since: When | None = None


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


Leaf = Everybody | Comparison | Standing
"""A condition that is not made of others."""

Expression = Leaf | Not | And | Or
"""Who is meant."""


def parts_of(node: Expression) -> tuple[Expression, ...]:
    """Return what `node` is directly made of."""
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(part):
            return (part,)
        case _:
            return ()


def leaves(expression: Expression) -> Iterator[Leaf]:
    """Yield the conditions that an expression is made of, from the left."""
    if isinstance(expression, Everybody | Comparison | Standing):
        yield expression
    for part in parts_of(expression):
        yield from leaves(part)


def size(expression: Expression) -> tuple[int, int]:
    """Return the number of nodes and the depth, without recursion: the input may be hostile."""
    nodes, deepest, level = 0, 0, [expression]
    while level:
        nodes, deepest = nodes + len(level), deepest + 1
        level = [part for node in level for part in parts_of(node)]
    return nodes, deepest
