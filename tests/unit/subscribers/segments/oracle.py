"""What an expression means, said once more in Python over plain values, for comparison with what the database answers."""

import operator as compare
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from subscribers.models import MembershipState
from subscribers.segments.days import day_of
from subscribers.segments.expression import Ago, And, Comparison, Everybody, Kind, Not, Operator, Or, Standing, When

COMPARE = {"=": compare.eq, "!=": compare.ne, "<": compare.lt, "<=": compare.le, ">": compare.gt, ">=": compare.ge}


@dataclass(kw_only=True)
class Somebody:
    """A person; `memberships` has state and instant by list, `reactions` the instant by reaction and issue."""

    address: str
    values: dict = field(default_factory=dict)
    attributes: dict = field(default_factory=dict)
    tags: tuple = ()
    created: datetime
    memberships: dict = field(default_factory=dict)
    reactions: dict = field(default_factory=dict)


def holds(node, person, now):
    """Whether an expression means somebody."""
    match node:
        case Everybody():
            return True
        case Not(part):
            return not holds(part, person, now)
        case And(parts):
            return all(holds(part, person, now) for part in parts)
        case Or(parts):
            return any(holds(part, person, now) for part in parts)
        case Standing(name, state, since):
            known, at = person.memberships.get(name, (None, None))
            return known == state and (since is None or on_day(at, since, now))
        case Comparison():
            return compared(node, person, now)


def compared(node, person, now):
    match node.kind:
        case Kind.SET if node.field == "list":
            confirmed = (MembershipState.CONFIRMED,)
            return of_set(node, [name for name, (state, _) in person.memberships.items() if state in confirmed])
        case Kind.SET:
            lowered = tuple(value.lower() for value in node.values)
            return of_set(Comparison("tag", node.operator, lowered), [tag.lower() for tag in person.tags])
        case Kind.INSTANT:
            return on_day(person.created, When(node.operator, node.values[0]), now)
        case Kind.REACTION:
            return reacted(node, person, now)
        case Kind.ATTRIBUTE:
            return of_attribute(node, person.attributes.get(node.field), now)
        case _:
            domain = person.address.partition("@")[2]
            known = {"email": person.address, "domain": domain} | person.values
            return of_text(known.get(node.field) or "", node.operator, node.values)


def of_set(node, had):
    match node.operator:
        case Operator.EMPTY:
            return not had
        case Operator.NOT_EMPTY:
            return bool(had)
        case Operator.LIKE:
            return any(like(each, node.values[0]) for each in had)
        case Operator.EQUAL | Operator.IN:
            return any(each in node.values for each in had)
        case _:
            return not any(each in node.values for each in had)


def of_text(text, operator, values):
    match operator:
        case Operator.EMPTY:
            return text == ""
        case Operator.NOT_EMPTY:
            return text != ""
        case Operator.LIKE:
            return text != "" and like(text, values[0])
        case Operator.EQUAL | Operator.IN:
            return text != "" and text in values
        case Operator.UNEQUAL | Operator.NOT_IN:
            return text != "" and text not in values
        case _:
            return text != "" and COMPARE[operator](text, values[0])


def of_attribute(node, stored, now):
    match node.operator:
        case Operator.EMPTY | Operator.NOT_EMPTY:
            return of_text(words(stored), node.operator, ())
        case Operator.WITHIN:
            first, last = Comparison("x", Operator.AT_LEAST), Comparison("x", Operator.AT_MOST)
            return of_one(first, node.values[0], stored, now) and of_one(last, Ago(0), stored, now)
        case Operator.NOT_IN:
            unequal = Comparison("x", Operator.UNEQUAL)
            return all(of_one(unequal, value, stored, now) for value in node.values)
        case Operator.IN:
            equal = Comparison("x", Operator.EQUAL)
            return any(of_one(equal, value, stored, now) for value in node.values)
        case _:
            return of_one(node, node.values[0], stored, now)


def of_one(node, value, stored, now):
    if isinstance(value, bool):
        return isinstance(stored, bool) and COMPARE[node.operator](stored, value)
    if isinstance(value, int | float):
        is_number = isinstance(stored, int | float) and not isinstance(stored, bool)
        return is_number and COMPARE[node.operator](stored, value)
    if isinstance(value, str):
        return of_text(words(stored), node.operator, (value,))
    begins = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words(stored))
    return begins is not None and COMPARE[node.operator](begins[0], day_of(value, now).isoformat())


def words(stored):
    if isinstance(stored, bool):
        return str(stored).lower()
    return "" if stored is None else str(stored)


def on_day(instant, when, now):
    begin = datetime.combine(day_of(when.day, now), time(), UTC)
    end = begin + timedelta(days=1)
    match when.operator:
        case Operator.EQUAL:
            return begin <= instant < end
        case Operator.UNEQUAL:
            return not begin <= instant < end
        case Operator.LESS:
            return instant < begin
        case Operator.AT_MOST:
            return instant < end
        case Operator.GREATER:
            return instant >= end
        case _:
            return instant >= begin


def reacted(node, person, now):
    mine = {issue: at for (reaction, issue), at in person.reactions.items() if reaction == node.field}
    match node.operator:
        case Operator.EMPTY:
            return not mine
        case Operator.NOT_EMPTY:
            return bool(mine)
        case Operator.EQUAL | Operator.IN:
            return any(issue in mine for issue in node.values)
        case _:
            return any(on_day(at, When(Operator.AT_LEAST, node.values[0]), now) for at in mine.values())


def like(text, pattern):
    """A pattern of `*` and `%` for any text, and a backslash that takes that meaning away."""
    wild = re.split(r"(\\[*%]|[*%])", pattern)
    parts = [".*" if part in ("*", "%") else re.escape(part[1:] if part in (r"\*", r"\%") else part) for part in wild]
    return re.fullmatch("".join(parts), text, re.IGNORECASE | re.DOTALL | re.ASCII) is not None
