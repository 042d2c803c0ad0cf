"""
Turns an expression into a condition for the database.

Takes an `Expression` and the time; yields a SQLAlchemy condition over `Subscriber`; promises bound values, the same
answer on SQLite and PostgreSQL, no table but those of subscribers and what `engagement` hands in, and truth or
falsehood but never NULL.

Two differences stay. `like`, and tags, do not distinguish small and capital letters, and SQLite knows that of ASCII
only. An attribute that is a number smaller than 0.0001 reads as other digits where it is compared as text.
"""

import operator as compare
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Select,
    String,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from subscribers.errors import SegmentSyntaxError
from subscribers.models import MailingList, Membership, MembershipState, Subscriber, SubscriberTag
from subscribers.segments import attributes
from subscribers.segments.days import day_of
from subscribers.segments.expansion import Resolve, expand
from subscribers.segments.expression import (
    Ago,
    And,
    Comparison,
    Everybody,
    Expression,
    Kind,
    Not,
    Operator,
    Or,
    Reaction,
    Standing,
    Value,
    When,
    leaves,
)

Condition = ColumnElement[bool]
"""True or false for every subscriber."""

Engagement = Callable[[Reaction, str | datetime], Select[int | None]]
"""
Gives the ids of the subscribers who reacted: to the issue of that name, or to any since that instant.

The selection is a plain one, of one column, in which ids may stand twice and may be NULL.
"""

AnyText = SQLCoreOperations[str]
"""Something in the database that reads as text."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before there was email to be counted."""

_ESCAPE = "\\"
_NULLABLE = frozenset({"language", "timezone"})
_WILDCARD = re.compile(r"\\[*%]|[*%_\\]")
_COMPARE: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUAL: compare.eq,
    Operator.UNEQUAL: compare.ne,
    Operator.LESS: compare.lt,
    Operator.AT_MOST: compare.le,
    Operator.GREATER: compare.gt,
    Operator.AT_LEAST: compare.ge,
}


def to_condition(
    expression: Expression, *, now: datetime, resolve: Resolve | None = None, engagement: Engagement | None = None
) -> Condition:
    """Return the condition under which a subscriber is meant.

    Args:
        expression: as `parse` returned it.
        now: aware; days are those of its time zone, and `today` and `30 days ago` are counted from it.
        resolve: gives saved segments by name; without it they cannot be named.
        engagement: gives those who received, opened and clicked; without it that cannot be asked.

    Raises:
        UnknownSegment, SegmentCycle, SegmentSyntaxError: as `expand` does.
    """
    return _Reading(now, engagement).condition(expand(expression, resolve))


class _Reading:
    """One reading of an expression: at this time, with this knowledge of who reacted."""

    def __init__(self, now: datetime, engagement: Engagement | None) -> None:
        self._now = now
        self._engagement = engagement

    def condition(self, node: Expression) -> Condition:
        match node:
            case Everybody():
                return true()
            case Not(part):
                return not_(self.condition(part))
            case And(parts):
                return and_(*map(self.condition, _cheapest_first(parts)))
            case Or(parts):
                return or_(*map(self.condition, _cheapest_first(parts)))
            case Standing():
                return self._standing(node)
            case _:
                return self._comparison(node)

    def _comparison(self, node: Comparison) -> Condition:
        match node.kind:
            case Kind.SET:
                return _of_set(node)
            case Kind.INSTANT:
                return self._instant(col(Subscriber.created), When(node.operator, _as_day(node.values[0])))
            case Kind.REACTION:
                return self._reaction(node)
            case Kind.ATTRIBUTE:
                return self._attribute(node)
            case _ if node.field == "domain":
                return _of_domain(node)
            case _:
                return _of_text(node)

    def _standing(self, node: Standing) -> Condition:
        membership = _memberships([node.list_name], like=False, state=node.state)
        if node.since is not None:
            membership = membership.where(self._instant(col(Membership.changed), node.since))
        return _among(membership)

    def _instant(self, column: SQLCoreOperations[datetime], when: When) -> Condition:
        day = day_of(when.day, self._now)
        begin, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        match when.operator:
            case Operator.EQUAL:
                return and_(column >= begin, column < end)
            case Operator.UNEQUAL:
                return or_(column < begin, column >= end)
            case Operator.LESS:
                return column < begin
            case Operator.AT_MOST:
                return column < end
            case Operator.GREATER:
                return column >= end
            case _:
                return column >= begin

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._now.tzinfo)

    def _reaction(self, node: Comparison) -> Condition:
        if self._engagement is None:
            raise SegmentSyntaxError(f"“{node.field}” cannot be asked here", column=node.column)
        reaction = Reaction(node.field)
        match node.operator:
            case Operator.EQUAL | Operator.IN:
                asked: list[str | datetime] = [str(value) for value in node.values]
            case Operator.EMPTY | Operator.NOT_EMPTY:
                asked = [EVER]
            case _:
                asked = [self._midnight(day_of(_as_day(node.values[0]), self._now))]
        found = or_(*(_among(self._engagement(reaction, each)) for each in asked))
        return not_(found) if node.operator is Operator.EMPTY else found

    def _attribute(self, node: Comparison) -> Condition:
        match node.operator:
            case Operator.EMPTY | Operator.NOT_EMPTY:
                return _of_known_text(func.coalesce(attributes.Text(node.field), ""), node.operator, [])
            case Operator.WITHIN:
                return self._within(node)
            case Operator.NOT_IN:
                return and_(*(self._of_one(node, value) for value in node.values))
            case _:
                return or_(*(self._of_one(node, value) for value in node.values))

    def _within(self, node: Comparison) -> Condition:
        first, last = Comparison(node.field, Operator.AT_LEAST), Comparison(node.field, Operator.AT_MOST)
        return and_(self._of_one(first, node.values[0]), self._of_one(last, Ago(0)))

    def _of_one(self, node: Comparison, value: Value) -> Condition:
        """Compare an attribute with one value, in the manner of that value."""
        single = {Operator.IN: Operator.EQUAL, Operator.NOT_IN: Operator.UNEQUAL}.get(node.operator, node.operator)
        if isinstance(value, bool):
            return _of_known_text(
                func.coalesce(attributes.Truth(node.field), ""), single, ["true" if value else "false"]
            )
        if isinstance(value, int | float):
            compared = _COMPARE[single](attributes.Number(node.field), literal(float(value), Float()))
            return func.coalesce(compared, false(), type_=Boolean())
        if isinstance(value, str):
            return _of_known_text(func.coalesce(attributes.Text(node.field), ""), single, [value])
        day = day_of(value, self._now).isoformat()
        return _of_known_text(func.coalesce(attributes.Date(node.field), ""), single, [day])


class _Bytewise(FunctionElement[str]):
    """Text that is ordered by its code points, as SQLite does and PostgreSQL does only when asked."""

    inherit_cache = True
    type = String()


@compiles(_Bytewise, "sqlite")
def _bytewise_on_sqlite(element: _Bytewise, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_Bytewise, "postgresql")
def _bytewise_on_postgresql(element: _Bytewise, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({compiler.process(element.clauses, **kw)}) COLLATE "C"'


class _Either(FunctionElement[bool]):
    """A condition in the words that suit SQLite, and in those that suit PostgreSQL."""

    inherit_cache = True
    type = Boolean()
    # Else SQLite is asked whether it equals 1, and searches no index for that.
    _is_implicitly_boolean = True


@compiles(_Either, "sqlite")
def _either_on_sqlite(element: _Either, compiler: SQLCompiler, **kw: Any) -> str:
    on_sqlite, _ = element.clauses
    return f"({compiler.process(on_sqlite, **kw)})"


@compiles(_Either, "postgresql")
def _either_on_postgresql(element: _Either, compiler: SQLCompiler, **kw: Any) -> str:
    _, on_postgresql = element.clauses
    return f"({compiler.process(on_postgresql, **kw)})"


def _among(ids: Select[int] | Select[int | None]) -> Condition:
    """
    Whether a subscriber's id is among some.

    SQLite reads the ids once for IN, and begins with them where they are few; for EXISTS it asks once a subscriber.
    PostgreSQL makes a join of EXISTS, also under NOT, and of NOT IN a search through all of them for each subscriber,
    as soon as they are many.
    """
    some = ids.subquery()
    (column,) = some.c
    among = col(Subscriber.id).in_(select(column).where(column.is_not(None)))
    return _Either(among, exists(select(literal(1)).where(column == Subscriber.id).correlate(Subscriber)))


def _cheapest_first(parts: Iterable[Expression]) -> list[Expression]:
    """
    Put what the row of a subscriber answers before what other tables have to be asked.

    SQLite evaluates conditions as they stand, and no order can change the answer, since none is NULL.
    """
    return sorted(parts, key=lambda part: max(map(_cost, leaves(part))))


def _cost(leaf: Expression) -> int:
    match leaf:
        case Comparison(field="list" | "tag") | Standing():
            return 2
        case Comparison(kind=Kind.REACTION):
            return 3
        case Comparison(kind=Kind.ATTRIBUTE):
            return 1
        case _:
            return 0


def _of_set(node: Comparison) -> Condition:
    texts = [str(value) for value in node.values]
    negative = node.operator in {Operator.UNEQUAL, Operator.NOT_IN, Operator.EMPTY}
    found = (_is_member if node.field == "list" else _has_tag)(texts, like=node.operator is Operator.LIKE)
    return not_(found) if negative else found


def _is_member(names: list[str], *, like: bool) -> Condition:
    return _among(_memberships(names, like=like, state=MembershipState.CONFIRMED))


def _memberships(names: list[str], *, like: bool, state: MembershipState) -> Select[int]:
    """Select the ids of those who stand like this to lists of these names, or to any list where none is named."""
    membership = select(col(Membership.subscriber_id)).where(col(Membership.state) == state)
    if names:
        lists = select(col(MailingList.id)).where(_named(col(MailingList.name), names, like=like))
        membership = membership.where(col(Membership.list_id).in_(lists))
    return membership


def _has_tag(tags: list[str], *, like: bool) -> Condition:
    tagged = select(col(SubscriberTag.tag)).where(col(SubscriberTag.subscriber_id) == Subscriber.id)
    if like:
        tagged = tagged.where(_matches(col(SubscriberTag.tag), tags[0]))
    elif tags:
        tagged = tagged.where(func.lower(col(SubscriberTag.tag)).in_([func.lower(tag) for tag in tags]))
    return tagged.correlate(Subscriber).exists()


def _named(column: AnyText, names: list[str], *, like: bool) -> Condition:
    if like:
        return _matches(column, names[0])
    return column == names[0] if len(names) == 1 else column.in_(names)


def _of_text(node: Comparison) -> Condition:
    column = col(Subscriber.address_key) if node.field == "email" else col(getattr(Subscriber, node.field))
    if node.field not in _NULLABLE:
        return _of_known_text(column, node.operator, [str(value) for value in node.values])
    if node.operator is Operator.EQUAL:
        return column.is_not_distinct_from(node.values[0])
    text: AnyText = func.coalesce(column, "")
    return _of_known_text(text, node.operator, [str(value) for value in node.values])


def _of_known_text(text: AnyText, operator: Operator, values: list[str]) -> Condition:
    """Compare text that is never NULL, and empty where nothing is known."""
    known = text != ""
    match operator:
        case Operator.EQUAL | Operator.IN:
            same = _named(text, values, like=False)
            return same if all(values) else and_(known, same)
        case Operator.UNEQUAL | Operator.NOT_IN:
            return and_(known, not_(_named(text, values, like=False)))
        case Operator.LIKE:
            return and_(known, _matches(text, values[0]))
        case Operator.EMPTY:
            return not_(known)
        case Operator.NOT_EMPTY:
            return known
        case _:
            return and_(known, _COMPARE[operator](_Bytewise(text), values[0]))


def _of_domain(node: Comparison) -> Condition:
    key = col(Subscriber.address_key)
    if node.operator is Operator.LIKE:
        return _matches(key, f"*@{node.values[0]}")
    found = or_(*(key.like(f"%@{_literally(str(domain))}", escape=_ESCAPE) for domain in node.values))
    return not_(found) if node.operator in {Operator.UNEQUAL, Operator.NOT_IN} else found


def _as_day(value: Value) -> date | Ago:
    assert isinstance(value, date | Ago)  # noqa: S101 - the grammar lets only days come here
    return value


def _matches(text: AnyText, pattern: str) -> Condition:
    """Compare with a pattern in which `*` and `%` stand for any text and a backslash takes that meaning away."""
    translated = _WILDCARD.sub(lambda found: "%" if found[0] in "*%" else _literally(found[0][-1]), pattern)
    return text.ilike(translated, escape=_ESCAPE)


def _literally(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)
