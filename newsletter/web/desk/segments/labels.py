"""
What the editor of segments calls fields and what is said about them: messages of `desk-people.po`.

Takes nothing; yields English words by the grammar's own names, so that a field which the grammar learns shows up here
under its own name. Templates hand them to `say`.
"""

from collections.abc import Mapping
from typing import Final

from subscribers.segments.expression import KINDS, Unit
from subscribers.segments.relations import Relation

FIELDS: Final[Mapping[str, str]] = {
    name: {
        "list": "List",
        "tag": "Tag",
        "language": "Language",
        "country": "Country",
        "city": "City",
        "organisation": "Organisation",
        "timezone": "Time zone",
        "first_name": "First name",
        "last_name": "Last name",
        "email": "Address",
        "domain": "Domain of the address",
        "created": "Added",
        "segment": "Segment",
        "received": "Received",
        "opened": "Opened",
        "clicked": "Followed a link",
    }.get(name, name)
    for name in KINDS
}
"""Fields of the grammar; all others are attributes, called what they are."""

_IS: Final[Mapping[Relation, str]] = {
    Relation.IS: "is",
    Relation.IS_NOT: "is not",
    Relation.ONE_OF: "is one of",
    Relation.NONE_OF: "is none of",
    Relation.LIKE: "is like (* for any text)",
    Relation.EMPTY: "is not known",
    Relation.NOT_EMPTY: "is known",
    Relation.LESS: "is less than",
    Relation.AT_MOST: "is at most",
    Relation.MORE: "is more than",
    Relation.AT_LEAST: "is at least",
    Relation.ON: "on",
    Relation.BEFORE: "before",
    Relation.AFTER: "after",
    Relation.SINCE: "on or after",
    Relation.WITHIN: "in the last",
    Relation.LONGER_AGO: "longer ago than",
    Relation.PENDING: "is asked for, not confirmed:",
    Relation.LEFT: "was left:",
    Relation.REMOVED: "was taken away:",
    Relation.JOINED_WITHIN: "was joined lately:",
    Relation.JOINED_SINCE: "was joined since a day:",
    Relation.LEFT_WITHIN: "was left lately:",
}

_OF_SETS: Final[Mapping[Relation, str]] = {
    Relation.EMPTY: "there is none",
    Relation.NOT_EMPTY: "there is any",
}

_OF_REACTIONS: Final[Mapping[Relation, str]] = {
    Relation.IS: "the issue",
    Relation.ONE_OF: "one of the issues",
    Relation.EMPTY: "no issue",
    Relation.NOT_EMPTY: "any issue",
    Relation.SINCE: "any issue on or after",
    Relation.WITHIN: "any issue in the last",
}

UNITS: Final[Mapping[str, str]] = {
    Unit.DAY: "days",
    Unit.WEEK: "weeks",
    Unit.MONTH: "months",
    Unit.YEAR: "years",
}
"""What time is counted back in."""


def said_of(field: str) -> Mapping[Relation, str]:
    """What a row can say about a field, in the words that suit it."""
    if field in {"list", "tag"}:
        return {**_IS, **_OF_SETS}
    return {**_IS, **_OF_REACTIONS} if field in {"received", "opened", "clicked"} else _IS
