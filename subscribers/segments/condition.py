"""
Turns an expression into a condition for the database.

Takes an `Expression` and the time; yields a SQLAlchemy condition over `Subscriber`; promises bound values, the same
answer on SQLite and PostgreSQL, no table but those of subscribers, and truth or falsehood but never NULL.

One difference stays: `like` does not distinguish small and capital letters, and SQLite knows that of ASCII only.
"""

import operator as compare
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, String, and_, false, func, literal, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from subscribers.models import MailingList, Membership, MembershipState, Subscriber, SubscriberTag
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
    Resolve,
    Value,
    expand,
)

Condition = ColumnElement[bool]
"""True or false for every subscriber."""

AnyText = SQLCoreOperations[str]
"""Something in the database that reads as text."""

_ESCAPE = "\\"
_WILDCARD = re.compile(r"\\[*%]|[*%_\\]")
_COMPARE: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUAL: compare.eq,
    Operator.UNEQUAL: compare.ne,
    Operator.LESS: compare.lt,
    Operator.AT_MOST: compare.le,
    Operator.GREATER: compare.gt,
    Operator.AT_LEAST: compare.ge,
}


def to_condition(expression: Expression, *, now: datetime, resolve: Resolve | None = None) -> Condition:
    """Return the condition under which a subscriber is meant.

    Args:
        expression: as `parse` returned it.
        now: aware; days are those of its time zone, and `today` and `30 days ago` are counted from it.
        resolve: gives saved segments by name; without it they cannot be named.

    Raises:
        UnknownSegment, SegmentCycle, SegmentSyntaxError: as `expand` does.
    """
    return _condition(expand(expression, resolve), now)


class _OfAttribute(FunctionElement[Any]):
    """Something about one attribute; its arguments are the column, the name, and the name as a SQLite path."""

    inherit_cache = True

    def __init__(self, name: str) -> None:
        super().__init__(col(Subscriber.attributes), literal(name, String()), literal(f'$."{name}"', String()))


class _Number(_OfAttribute):
    """The attribute where it is stored as a number, else NULL."""

    inherit_cache = True
    type = Float()


class _Text(_OfAttribute):
    """The attribute as text, whatever it is stored as; NULL where there is none."""

    inherit_cache = True
    type = String()


class _Truth(_OfAttribute):
    """The attribute as `true` or `false` where it is stored as a truth value, else NULL."""

    inherit_cache = True
    type = String()


class _Bytewise(FunctionElement[str]):
    """Text that is ordered by its code points, as SQLite does and PostgreSQL does only when asked."""

    inherit_cache = True
    type = String()


@compiles(_Number, "sqlite")
def _number_on_sqlite(element: _Number, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _column_and_path(element, compiler, **kw)
    return f"CASE WHEN json_type({column}, {path}) IN ('integer', 'real') THEN json_extract({column}, {path}) END"


@compiles(_Number, "postgresql")
def _number_on_postgresql(element: _Number, compiler: SQLCompiler, **kw: Any) -> str:
    # The guard is a CASE because a plain AND may be evaluated in any order, and a bad cast ends the query.
    column, name = _column_and_name(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {name}) = 'number' THEN ({column} ->> {name})::double precision END"


@compiles(_Text, "sqlite")
def _text_on_sqlite(element: _Text, compiler: SQLCompiler, **kw: Any) -> str:
    # json_extract gives 1 and 0 for truth values; json_type gives the words that PostgreSQL gives.
    column, path = _column_and_path(element, compiler, **kw)
    kind = f"json_type({column}, {path})"
    return f"CASE WHEN {kind} IN ('true', 'false') THEN {kind} ELSE CAST(json_extract({column}, {path}) AS TEXT) END"


@compiles(_Text, "postgresql")
def _text_on_postgresql(element: _Text, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _column_and_name(element, compiler, **kw)
    return f"({column} ->> {name})"


@compiles(_Truth, "sqlite")
def _truth_on_sqlite(element: _Truth, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _column_and_path(element, compiler, **kw)
    return f"CASE WHEN json_type({column}, {path}) IN ('true', 'false') THEN json_type({column}, {path}) END"


@compiles(_Truth, "postgresql")
def _truth_on_postgresql(element: _Truth, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _column_and_name(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {name}) = 'boolean' THEN {column} ->> {name} END"


@compiles(_Bytewise, "sqlite")
def _bytewise_on_sqlite(element: _Bytewise, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_Bytewise, "postgresql")
def _bytewise_on_postgresql(element: _Bytewise, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({compiler.process(element.clauses, **kw)}) COLLATE "C"'


def _column_and_name(element: _OfAttribute, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
    column, name, _ = element.clauses
    return compiler.process(column, **kw), compiler.process(name, **kw)


def _column_and_path(element: _OfAttribute, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
    column, _, path = element.clauses
    return compiler.process(column, **kw), compiler.process(path, **kw)


def _condition(node: Expression, now: datetime) -> Condition:
    match node:
        case Everybody():
            return true()
        case Not(part):
            return not_(_condition(part, now))
        case And(parts):
            return and_(*(_condition(part, now) for part in parts))
        case Or(parts):
            return or_(*(_condition(part, now) for part in parts))
        case _:
            return _comparison(node, now)


def _comparison(node: Comparison, now: datetime) -> Condition:
    match node.kind:
        case Kind.SET:
            return _of_set(node)
        case Kind.INSTANT:
            return _of_instant(node, now)
        case Kind.ATTRIBUTE:
            return _of_attribute(node, now)
        case _ if node.field == "domain":
            return _of_domain(node)
        case _:
            return _of_text(node)


def _of_set(node: Comparison) -> Condition:
    texts = [str(value) for value in node.values]
    negative = node.operator in {Operator.UNEQUAL, Operator.NOT_IN, Operator.EMPTY}
    found = (_is_member if node.field == "list" else _has_tag)(texts, like=node.operator is Operator.LIKE)
    return not_(found) if negative else found


def _is_member(names: list[str], *, like: bool) -> Condition:
    membership = select(col(Membership.list_id)).where(
        col(Membership.subscriber_id) == Subscriber.id, col(Membership.state) == MembershipState.CONFIRMED
    )
    if names:
        lists = select(col(MailingList.id)).where(_named(col(MailingList.name), names, like=like))
        membership = membership.where(col(Membership.list_id).in_(lists))
    return membership.correlate(Subscriber).exists()


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
    text: AnyText = func.coalesce(column, "") if node.field in {"language", "timezone"} else column
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


def _of_instant(node: Comparison, now: datetime) -> Condition:
    day = _day(node.values[0], now)
    begin = datetime.combine(day, time(), now.tzinfo)
    end = datetime.combine(day + timedelta(days=1), time(), now.tzinfo)
    created = col(Subscriber.created)
    match node.operator:
        case Operator.EQUAL:
            return and_(created >= begin, created < end)
        case Operator.UNEQUAL:
            return or_(created < begin, created >= end)
        case Operator.LESS:
            return created < begin
        case Operator.AT_MOST:
            return created < end
        case Operator.GREATER:
            return created >= end
        case _:
            return created >= begin


def _of_attribute(node: Comparison, now: datetime) -> Condition:
    compared = [_of_one(node, value, now) for value in node.values]
    match node.operator:
        case Operator.EMPTY | Operator.NOT_EMPTY:
            return _of_known_text(func.coalesce(_Text(node.field), ""), node.operator, [])
        case Operator.NOT_IN:
            return and_(*compared)
        case _:
            return or_(*compared)


def _of_one(node: Comparison, value: Value, now: datetime) -> Condition:
    """Compare an attribute with one value, in the manner of that value."""
    single = {Operator.IN: Operator.EQUAL, Operator.NOT_IN: Operator.UNEQUAL}.get(node.operator, node.operator)
    if isinstance(value, bool):
        return _of_known_text(func.coalesce(_Truth(node.field), ""), single, ["true" if value else "false"])
    if isinstance(value, int | float):
        compared = _COMPARE[single](_Number(node.field), literal(float(value), Float()))
        return func.coalesce(compared, false(), type_=Boolean())
    text = value if isinstance(value, str) else _day(value, now).isoformat()
    return _of_known_text(func.coalesce(_Text(node.field), ""), single, [text])


def _day(value: Value, now: datetime) -> date:
    if isinstance(value, DaysAgo):
        return now.date() - timedelta(days=value.days)
    assert isinstance(value, date)  # noqa: S101 - the grammar lets only days come here
    return value


def _matches(text: AnyText, pattern: str) -> Condition:
    """Compare with a pattern in which `*` and `%` stand for any text and a backslash takes that meaning away."""
    translated = _WILDCARD.sub(lambda found: "%" if found[0] in "*%" else _literally(found[0][-1]), pattern)
    return text.ilike(translated, escape=_ESCAPE)


def _literally(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)
