"""
An expression as rows of a form: conditions in groups, each of all or of any of its rows.

Takes an `Expression`, yields a `Shape`; takes a shape, yields text; promises that what `shape_of` returns means the
very expression it was made from (`parse(to_text(shape))` is equal to it), and None for what rows cannot show. Both ways
go through the one grammar, so that a row can ask for nothing that text could not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from subscribers.errors import SegmentSyntaxError
from subscribers.segments.expression import (
    KINDS,
    Ago,
    And,
    Comparison,
    Everybody,
    Expression,
    Kind,
    Leaf,
    Not,
    Operator,
    Or,
    Standing,
    Value,
)
from subscribers.segments.relations import BY_KIND, MEANINGS, STOOD, Form, Meaning, Relation, fits, relations_of
from subscribers.segments.text import WORD_OF_TIME, quoted, value_text

MAX_ROWS: Final = 60
"""Rows of a form: more than anybody reads, and few enough to draw again at every change."""


_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPAN: Final = re.compile(r"([0-9]{1,5}) (day|week|month|year)s?")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One condition.

    `value` is what stands beside the relation, as a person writes it; where a list is stood to since a day or within a
    time it is the list's name, and `when` the day or time. A time is written like `30 days`.
    """

    field: str
    relation: Relation
    value: str = ""
    when: str = ""
    negated: bool = False

    @property
    def form(self) -> Form:
        """What stands beside the relation, beyond a list's name."""
        return MEANINGS[self.relation].form

    @property
    def is_standing(self) -> bool:
        """Whether the row says how somebody stands to the list that is its value."""
        return self.relation in STOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows, all of which hold, or at least one."""

    rows: tuple[Row, ...] = ()
    any_of: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Groups, all of which hold, or at least one; without any row everybody is meant."""

    groups: tuple[Group, ...] = field(default_factory=tuple)
    any_of: bool = False


def to_text(shape: Shape) -> str:
    """Return a shape as text, which `parse` may refuse where a row says nothing that can be."""
    groups = [group for group in shape.groups if group.rows]
    if not groups:
        return "all"
    written = [_group_text(group, alone=len(groups) == 1) for group in groups]
    return (" or " if shape.any_of else " and ").join(written)


def _group_text(group: Group, *, alone: bool) -> str:
    joined = (" or " if group.any_of else " and ").join(map(row_text, group.rows))
    return joined if alone or len(group.rows) == 1 else f"({joined})"


def row_text(row: Row) -> str:
    """Return one row as text."""
    meaning = MEANINGS[row.relation]
    text = _standing_text(row, meaning) if row.is_standing else _comparison_text(row, meaning)
    return f"not {text}" if row.negated else text


def _standing_text(row: Row, meaning: Meaning) -> str:
    match meaning.form:
        case Form.NONE:
            return f"list {quoted(row.value)} is {meaning.word}"
        case Form.SPAN:
            return f"{meaning.word} {quoted(row.value)} in the last {_written(row.when, _SPAN)}"
        case _:
            return f"{meaning.word} {quoted(row.value)} since {_written(row.when, _DAY)}"


def _comparison_text(row: Row, meaning: Meaning) -> str:
    name, operator = row.field, meaning.operator
    kind = KINDS.get(name, Kind.ATTRIBUTE)
    match meaning.form:
        case Form.NONE:
            return f"{name} {operator}"
        case Form.SEVERAL:
            return f"{name} {operator} ({', '.join(_literal(kind, part) for part in _divided(row.value))})"
        case Form.SPAN:
            span = _written(row.value, _SPAN)
            return f"{name} {operator} {span}" if operator is Operator.WITHIN else f"{name} before {span} ago"
        case Form.DAY:
            # In words, behind which the grammar takes nothing but a day.
            return f"{name} {WORD_OF_TIME[operator]} {_written(row.value, _DAY)}"
        case _ if kind is Kind.REACTION:
            return f"{name} {quoted(row.value)}"
        case _:
            like = operator is Operator.LIKE
            return f"{name} {operator} {quoted(row.value) if like else _literal(kind, row.value)}"


def _written(text: str, pattern: re.Pattern[str]) -> str:
    """Write a day or a time; anything else as text, which the grammar refuses there in its own words."""
    return text if pattern.fullmatch(text) else quoted(text)


def _divided(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] or [""]


def _literal(kind: Kind, text: str) -> str:
    """Write a value; those of attributes read as what they look like, as in an import."""
    plain = _NUMBER.fullmatch(text) or _DAY.fullmatch(text) or text in {"true", "false"}
    return text if kind is Kind.ATTRIBUTE and plain else quoted(text)


def shape_of(expression: Expression) -> Shape | None:
    """Return an expression as rows, or None where they cannot show it."""
    shape = _shape(expression)
    if shape is None or sum(len(group.rows) for group in shape.groups) > MAX_ROWS:
        return None
    return shape if _means(to_text(shape), expression) else None


def _means(text: str, expression: Expression) -> bool:
    from subscribers.segments.grammar import parse

    try:
        return parse(text) == expression
    except SegmentSyntaxError:
        return False


def _shape(expression: Expression) -> Shape | None:
    match expression:
        case Everybody():
            return Shape()
        case And(parts) | Or(parts):
            return _joined(parts, any_of=isinstance(expression, Or))
        case _:
            row = _row(expression)
            return None if row is None else Shape(groups=(Group(rows=(row,)),))


def _joined(parts: Iterable[Expression], *, any_of: bool) -> Shape | None:
    """Rows alone are one group; beside groups each run of rows stands in a group of its own."""
    groups = [_group(part) for part in parts]
    known = [group for group in groups if group is not None]
    if len(known) < len(groups):
        return None
    if all(len(group.rows) == 1 for group in known):
        return Shape(groups=(Group(rows=tuple(group.rows[0] for group in known), any_of=any_of),))
    return Shape(groups=tuple(known), any_of=any_of)


def _group(expression: Expression) -> Group | None:
    parts = expression.parts if isinstance(expression, And | Or) else (expression,)
    rows = [_row(part) for part in parts]
    known = tuple(row for row in rows if row is not None)
    return Group(rows=known, any_of=isinstance(expression, Or)) if len(known) == len(rows) else None


def _row(expression: Expression) -> Row | None:
    match expression:
        case Not(Comparison() | Standing() as leaf):
            row = _leaf_row(leaf)
            return None if row is None else replace(row, negated=True)
        case Comparison() | Standing():
            return _leaf_row(expression)
        case _:
            return None


def _leaf_row(leaf: Leaf) -> Row | None:
    if isinstance(leaf, Everybody):
        return None
    return next((row for row in _candidates(leaf) if _means(row_text(row), leaf)), None)


def _candidates(leaf: Comparison | Standing) -> Iterator[Row]:
    """Yield the rows that may mean a condition; whether one does is for the grammar to say."""
    if isinstance(leaf, Standing):
        when = "" if leaf.since is None else _when(leaf.since.day)
        for relation in STOOD:
            yield Row(field="list", relation=relation, value=leaf.list_name, when=when)
        return
    values = ", ".join(map(_when, leaf.values))
    for relation, meaning in BY_KIND[leaf.kind].items():
        if meaning.operator is leaf.operator and fits(leaf.kind, meaning):
            yield Row(field=leaf.field, relation=relation, value=values)


def _when(value: Value) -> str:
    match value:
        case Ago():
            return value.span
        case str():
            return value
        case _:
            return value_text(value)


def row_of(name: str, relation: str, *, value: str = "", when: str = "", negated: bool = False) -> Row:
    """Return a row of what a form says; a relation that the field does not have becomes its first one."""
    wanted = name.strip().lower()
    wanted = wanted if _NAME.fullmatch(wanted) else "language"
    known = relations_of(wanted)
    chosen = next((each for each in known if each.value == relation), known[0])
    return Row(field=wanted, relation=chosen, value=value.strip(), when=when.strip(), negated=negated)


def span_of(text: str) -> tuple[str, str]:
    """Return the number and the unit of a time such as `30 days`; of anything else thirty days."""
    found = _SPAN.fullmatch(text)
    return (found[1], found[2]) if found else ("30", "day")
