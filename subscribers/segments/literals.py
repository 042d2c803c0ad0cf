"""
What stands beside an operator: whether it fits the field, and in which spelling.

Takes the name, the operator and the values of a condition as they were written; yields a `Comparison` whose values fit
its field, languages, countries and addresses in their one spelling, or else a `Misfit` with the place.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from subscribers.address import domain_key, parse_address
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue
from subscribers.language import country_code, normalise_tag
from subscribers.segments.days import reach
from subscribers.segments.expression import KINDS, Ago, Comparison, Day, Kind, Operator, Unit, Value, When


class Written(NamedTuple):
    """A word of an expression as it was written, and where; lines and columns are counted from 1."""

    #: What the grammar takes it for, such as `STRING`.
    kind: str
    text: str
    line: int
    column: int


class Misfit(Exception):  # noqa: N818 - `grammar` makes a SegmentSyntaxError of it
    """Something does not fit its field."""

    def __init__(self, message: str, place: Written) -> None:
        super().__init__(message)
        #: The word at fault.
        self.place = place


_MAX_DIGITS = 15
"""Digits of a number, which a double holds exactly."""

_SINCE: Final = '“{0}” is asked about an issue or a time: {0} "2027-01", {0} since 2027-01-31, {0} in the last 30 days'
_AGO: Final = re.compile(r"(?:([0-9]+)\s+)?(day|week|month|year).*", re.DOTALL)
_MAX_REACH = 36600
"""Days: nobody asks about what lies further back, and the calendar must not end on the way."""

_FIRST_YEAR, _LAST_YEAR = 1000, 9000
"""A day and its neighbour fit into every calendar and database, in any zone."""

_ORDERED = {Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST}
_EXACT = {Operator.EQUAL, Operator.UNEQUAL, Operator.IN, Operator.NOT_IN}
_EMPTINESS = {Operator.EMPTY, Operator.NOT_EMPTY}
OPERATORS = {
    Kind.SET: _EXACT | _EMPTINESS | {Operator.LIKE},
    Kind.TEXT: set(Operator) - {Operator.WITHIN},
    Kind.ADDRESS: _EXACT | {Operator.LIKE},
    Kind.INSTANT: _ORDERED | {Operator.EQUAL, Operator.UNEQUAL, Operator.WITHIN},
    Kind.SEGMENT: _EXACT,
    Kind.REACTION: _EMPTINESS | {Operator.EQUAL, Operator.IN, Operator.AT_LEAST, Operator.WITHIN},
    Kind.ATTRIBUTE: set(Operator),
}
"""What may be asked about each kind of field."""


def comparison(name: Written, operator: Operator, literals: Iterable[Written]) -> Comparison:
    """Compare a field with what stands behind the operator; raises Misfit."""
    field = _field(name, operator)
    values: tuple[Value, ...] = tuple(_fitting(field, operator, literal) for literal in literals)
    if values == ("",) and operator in {Operator.EQUAL, Operator.UNEQUAL}:
        operator, values = (Operator.EMPTY if operator is Operator.EQUAL else Operator.NOT_EMPTY), ()
    return Comparison(field, operator, values, column=name.column)


def dated(name: Written, when: When) -> Comparison:
    """Ask about a field by days; raises Misfit."""
    operator = when.operator
    field = _field(name, operator)
    if KINDS.get(field, Kind.ATTRIBUTE) not in {Kind.INSTANT, Kind.REACTION, Kind.ATTRIBUTE}:
        raise Misfit(f"“{field}” holds no days", name)
    if KINDS.get(field) is Kind.REACTION and operator is Operator.EQUAL:
        raise Misfit(_SINCE.format(field), name)
    return Comparison(field, operator, (when.day,), column=name.column)


def _field(name: Written, operator: Operator) -> str:
    field = name.text.lower()
    kind = KINDS.get(field, Kind.ATTRIBUTE)
    if operator in OPERATORS[kind]:
        return field
    if kind is Kind.REACTION:
        raise Misfit(_SINCE.format(field), name)
    raise Misfit(f"“{field}” cannot be compared with “{operator}”", name)


def list_name(literal: Written) -> str:
    """Read the name of a list; raises Misfit."""
    name = str(_literal(literal))
    if not name:
        raise Misfit("the name of the list is missing", literal)
    return name


def _fitting(field: str, operator: Operator, literal: Written) -> Value:
    value = _literal(literal)
    kind = KINDS.get(field, Kind.ATTRIBUTE)
    if operator is Operator.LIKE and not isinstance(value, str):
        raise Misfit('after “like” comes a pattern in quotes: like "Li*"', literal)
    if kind is Kind.INSTANT:
        if not isinstance(value, date | Ago):
            raise Misfit(f"“{field}” is compared with a date like 2027-01-31, today or 30 days ago", literal)
    elif kind is Kind.ATTRIBUTE:
        if isinstance(value, bool) and operator in _ORDERED:
            raise Misfit("true and false have no order", literal)
    elif kind is Kind.REACTION and operator is Operator.AT_LEAST:
        if not isinstance(value, date | Ago):
            raise Misfit(_SINCE.format(field), literal)
    elif not isinstance(value, str):
        raise Misfit(f"“{field}” is compared with text: put {literal.text} in quotes", literal)
    elif operator in _EXACT and value:
        return _spelled(field, value, literal)
    return value


def _spelled(field: str, text: str, literal: Written) -> str:
    try:
        match field:
            case "language":
                return normalise_tag(text)
            case "country":
                return country_code(text)
            case "email":
                return parse_address(text).key
            case "domain":
                return domain_key(text)
            case _:
                return text
    except InvalidValue as error:
        raise Misfit(error.reason, literal) from error
    except (InvalidLanguage, InvalidAddress) as error:
        raise Misfit(error.message.rstrip("."), literal) from error


def _literal(token: Written) -> Value:
    match token.kind:
        case "STRING":
            return re.sub(r"\\([\"'\\])", r"\1", token.text[1:-1])
        case "TRUTH":
            return token.text.casefold() == "true"
        case "TODAY":
            return Ago(0)
        case "AGO":
            return counted_back(token)
        case "DATE":
            return _day(token)
        case _:
            return _number(token)


def day_named(token: Written) -> Day:
    """Read a day; raises Misfit."""
    value = _literal(token)
    assert isinstance(value, date | Ago)  # noqa: S101 - the grammar lets only days come here
    return value


def counted_back(token: Written) -> Ago:
    """Read `30 days ago` or `30 days`; a unit alone is one of it. Raises Misfit."""
    count, unit = _AGO.fullmatch(token.text.casefold()).groups()  # type: ignore[union-attr] # the lexer matched as much
    ago = Ago(int(count or 1), Unit(unit))
    if reach(ago) > _MAX_REACH:
        raise Misfit("that is more than a hundred years ago", token)
    return ago


def _day(token: Written) -> date:
    try:
        day = date.fromisoformat(token.text)
    except ValueError as error:
        raise Misfit(f"there is no day {token.text}", token) from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Misfit(f"the year of {token.text} is out of reach", token)
    return day


def _number(token: Written) -> int | float:
    if sum(map(str.isdigit, token.text)) > _MAX_DIGITS:
        raise Misfit(f"the number has more than {_MAX_DIGITS} digits", token)
    return float(token.text) if "." in token.text else int(token.text)
