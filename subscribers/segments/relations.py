"""
What a row of a form can say about a field of a segment, and how each of that is written.

Takes the name of a field, yields the relations that the grammar takes for it, in the order in which a form offers them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from subscribers.models import MembershipState
from subscribers.segments.expression import KINDS, Kind, Operator
from subscribers.segments.literals import OPERATORS


class Form(StrEnum):
    """What stands beside a relation."""

    #: Nothing.
    NONE = "none"
    #: One value.
    ONE = "one"
    #: Several values, divided by commas.
    SEVERAL = "several"
    #: A day of the calendar.
    DAY = "day"
    #: A number of days, weeks, months or years.
    SPAN = "span"


class Relation(StrEnum):
    """What a row says about a field."""

    #: The same.
    IS = "is"
    #: Known and another one; of lists and tags, not that one.
    IS_NOT = "is_not"
    #: One of several.
    ONE_OF = "one_of"
    #: None of several.
    NONE_OF = "none_of"
    #: Matches a pattern with `*`.
    LIKE = "like"
    #: Not known; of lists and tags, none at all.
    EMPTY = "empty"
    #: Known; of lists and tags, any.
    NOT_EMPTY = "not_empty"
    #: A smaller number.
    LESS = "less"
    #: A smaller number or the same.
    AT_MOST = "at_most"
    #: A larger number.
    MORE = "more"
    #: A larger number or the same.
    AT_LEAST = "at_least"
    #: On a day.
    ON = "on"
    #: Before a day.
    BEFORE = "before"
    #: After a day.
    AFTER = "after"
    #: On a day or after it.
    SINCE = "since"
    #: Within a time up to today.
    WITHIN = "within"
    #: Longer ago than a time.
    LONGER_AGO = "longer_ago"
    #: Has asked for the list and not confirmed it.
    PENDING = "pending"
    #: Has left the list.
    LEFT = "left"
    #: Was taken off the list.
    REMOVED = "removed"
    #: Became a member within a time.
    JOINED_WITHIN = "joined_within"
    #: Became a member on a day or after it.
    JOINED_SINCE = "joined_since"
    #: Left the list within a time.
    LEFT_WITHIN = "left_within"


@dataclass(frozen=True, slots=True)
class Meaning:
    """How a relation is written: with which operator, and what stands beside it; a word where a list is stood to."""

    operator: Operator
    form: Form
    word: str = ""


_PLAIN: Final = {
    Relation.IS: Meaning(Operator.EQUAL, Form.ONE),
    Relation.IS_NOT: Meaning(Operator.UNEQUAL, Form.ONE),
    Relation.ONE_OF: Meaning(Operator.IN, Form.SEVERAL),
    Relation.NONE_OF: Meaning(Operator.NOT_IN, Form.SEVERAL),
    Relation.LIKE: Meaning(Operator.LIKE, Form.ONE),
    Relation.EMPTY: Meaning(Operator.EMPTY, Form.NONE),
    Relation.NOT_EMPTY: Meaning(Operator.NOT_EMPTY, Form.NONE),
}
_ORDERED: Final = {
    Relation.LESS: Meaning(Operator.LESS, Form.ONE),
    Relation.AT_MOST: Meaning(Operator.AT_MOST, Form.ONE),
    Relation.MORE: Meaning(Operator.GREATER, Form.ONE),
    Relation.AT_LEAST: Meaning(Operator.AT_LEAST, Form.ONE),
}
_DATED: Final = {
    Relation.ON: Meaning(Operator.EQUAL, Form.DAY),
    Relation.BEFORE: Meaning(Operator.LESS, Form.DAY),
    Relation.AFTER: Meaning(Operator.GREATER, Form.DAY),
    Relation.SINCE: Meaning(Operator.AT_LEAST, Form.DAY),
    Relation.WITHIN: Meaning(Operator.WITHIN, Form.SPAN),
    Relation.LONGER_AGO: Meaning(Operator.LESS, Form.SPAN),
}
STOOD: Final = {
    Relation.PENDING: Meaning(Operator.EQUAL, Form.NONE, MembershipState.PENDING),
    Relation.LEFT: Meaning(Operator.EQUAL, Form.NONE, MembershipState.LEFT),
    Relation.REMOVED: Meaning(Operator.EQUAL, Form.NONE, MembershipState.REMOVED),
    Relation.JOINED_WITHIN: Meaning(Operator.WITHIN, Form.SPAN, "joined"),
    Relation.JOINED_SINCE: Meaning(Operator.AT_LEAST, Form.DAY, "joined"),
    Relation.LEFT_WITHIN: Meaning(Operator.WITHIN, Form.SPAN, "left"),
}
"""What is said of lists alone: how somebody stands to one, and since when."""

MEANINGS: Final = {**_PLAIN, **_ORDERED, **_DATED, **STOOD}
"""How every relation is written."""

BY_KIND: Final[Mapping[Kind, Mapping[Relation, Meaning]]] = {
    Kind.SET: _PLAIN,
    Kind.TEXT: _PLAIN,
    Kind.ADDRESS: _PLAIN,
    Kind.INSTANT: _DATED,
    Kind.SEGMENT: _PLAIN,
    Kind.REACTION: {**_PLAIN, **_DATED},
    Kind.ATTRIBUTE: {**_PLAIN, **_ORDERED, **_DATED},
}
"""What is offered for each kind of field, as far as the grammar's `OPERATORS` allow it."""


def relations_of(name: str) -> tuple[Relation, ...]:
    """Return what a row can say about a field, in the order in which it is offered."""
    kind = KINDS.get(name, Kind.ATTRIBUTE)
    offered = [each for each, meaning in BY_KIND[kind].items() if fits(kind, meaning)]
    return (*offered, *STOOD) if name == "list" else tuple(offered)


def fits(kind: Kind, meaning: Meaning) -> bool:
    """Tell whether the grammar takes a relation for a kind of field."""
    # Something that was received is asked about by name or since a day: that it was on a day cannot be said.
    by_day = kind is Kind.REACTION and meaning.form is Form.DAY and meaning.operator is not Operator.AT_LEAST
    return meaning.operator in OPERATORS[kind] and not by_day
