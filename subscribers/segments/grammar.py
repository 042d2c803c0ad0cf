"""
Reads the text of a segment.

Takes text; yields an `Expression`; promises that what it lets through is bounded, has values that fit their fields,
and languages, countries and addresses in their one spelling, or else a `SegmentSyntaxError` that says in words what
is wrong, where, and what was expected.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args

from subscribers.address import domain_key, parse_address
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue, SegmentSyntaxError
from subscribers.language import country_code, normalise_tag
from subscribers.segments.expression import (
    KINDS,
    MAX_DEPTH,
    MAX_NODES,
    And,
    Comparison,
    DaysAgo,
    Everybody,
    Expression,
    Kind,
    Not,
    Operator,
    Or,
    Value,
    size,
)

MAX_LENGTH = 4000
"""Characters: some hundred conditions, more than anybody reads."""

_MAX_DIGITS = 15
"""Digits of a number, which a double holds exactly."""

_GRAMMAR = r"""
    start: any_of
    any_of: all_of (_OR all_of)*
    all_of: one (_AND one)*
    ?one: _NOT one                               -> negated
        | "(" any_of ")"                         -> enclosed
        | _ALL                                   -> everybody
        | _HAS NAME value                        -> has
        | NAME OPERATOR value                    -> compared
        | NAME _IN "(" value ("," value)* ")"    -> among
        | NAME _NOT _IN "(" value ("," value)* ")" -> not_among
        | NAME _LIKE value                       -> like
        | NAME _IS _EMPTY                        -> empty
        | NAME _IS _NOT _EMPTY                   -> not_empty
    ?value: STRING | NUMBER | DATE | AGO | TODAY | TRUTH

    _OR.2: /or\b/i
    _AND.2: /and\b/i
    _NOT.2: /not\b/i
    _ALL.2: /all\b/i
    _HAS.2: /has\b/i
    _IN.2: /in\b/i
    _LIKE.2: /like\b/i
    _IS.2: /is\b/i
    _EMPTY.2: /empty\b/i
    TODAY.2: /today\b/i
    TRUTH.2: /(true|false)\b/i
    OPERATOR: /==|!=|<>|<=|>=|=|<|>/
    NAME: /[a-z_][a-z0-9_]*/i
    AGO.4: /\d{1,4}\s+(day|week)s?\s+ago\b/i
    DATE.3: /\d{4}-\d{2}-\d{2}/
    NUMBER: /-?\d+(\.\d+)?/
    STRING: /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|“[^”]*”|„[^“”]*[“”]|‘[^’]*’|«[^»]*»/
    %ignore /\s+/
"""

_WORDS = {
    "STRING": "text in quotes",
    "NUMBER": "a number",
    "DATE": "a date like 2027-01-31",
    "NAME": 'a condition such as country = "BE"',
    "OPERATOR": "a comparison such as = or >",
    "_IN": "“in”",
    "_LIKE": "“like”",
    "_IS": "“is”",
    "_EMPTY": "“empty”",
    "COMMA": "a comma",
    "RPAR": "a closing bracket",
    "LPAR": "an opening bracket",
    "_AND": "“and”",
    "_OR": "“or”",
    "$END": "the end",
}
"""What the grammar's terminals are called in messages; what is missing here needs no mention."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTES = frozenset("\"'“„‘«")
_ORDERED = {Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST}
_EXACT = {Operator.EQUAL, Operator.UNEQUAL, Operator.IN, Operator.NOT_IN}
_EMPTINESS = {Operator.EMPTY, Operator.NOT_EMPTY}
_OPERATORS = {
    Kind.SET: _EXACT | _EMPTINESS | {Operator.LIKE},
    Kind.TEXT: set(Operator),
    Kind.ADDRESS: _EXACT | {Operator.LIKE},
    Kind.INSTANT: _ORDERED | {Operator.EQUAL, Operator.UNEQUAL},
    Kind.SEGMENT: _EXACT,
    Kind.ATTRIBUTE: set(Operator),
}
"""What may be asked about each kind of field."""


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        SegmentSyntaxError: with line, column and what was expected.
    """
    if len(text) > MAX_LENGTH:
        raise SegmentSyntaxError(f"the expression has more than {MAX_LENGTH:,} characters")
    if not text.strip():
        raise SegmentSyntaxError('the expression is empty; write all, or a condition such as list = "members"')
    if found := _CONTROL.search(text):
        raise SegmentSyntaxError("there is a control character", column=found.start() + 1, expression=text)
    try:
        expression = _read(text)
    except UnexpectedInput as error:
        raise _explained(error, text) from error
    except _Misfit as misfit:
        line, column = misfit.at
        raise SegmentSyntaxError(str(misfit), line=line, column=column, expression=text) from misfit
    nodes, depth = size(expression)
    if nodes > MAX_NODES:
        raise SegmentSyntaxError(f"the expression has more than {MAX_NODES} conditions; save a part as a segment")
    if depth > MAX_DEPTH:
        raise SegmentSyntaxError(f"the expression nests more than {MAX_DEPTH} levels deep")
    return expression


class _Misfit(Exception):  # noqa: N818 - never leaves this module
    """A value does not fit its field."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(message)
        self.at = (token.line or 1, token.column or 1)


def _read(text: str) -> Expression:
    # With a transformer inside the parser the answer is no tree but what `start` returns.
    answer: Expression = _parser().parse(text)  # type: ignore[assignment] # lark's annotation knows trees only
    return answer


@lru_cache(maxsize=1)
def _parser() -> Lark:
    # Made on first use: building the tables takes some 20 ms. Transforming while parsing needs no recursion.
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Reader())


@v_args(inline=True)
class _Reader(Transformer[Token, Expression]):
    """Turns what the parser recognised into nodes."""

    def start(self, expression: Expression) -> Expression:
        return expression

    enclosed = start

    def any_of(self, *parts: Expression) -> Expression:
        return parts[0] if len(parts) == 1 else Or(parts)

    def all_of(self, *parts: Expression) -> Expression:
        return parts[0] if len(parts) == 1 else And(parts)

    def negated(self, part: Expression) -> Expression:
        return part.part if isinstance(part, Not) else Not(part)

    def everybody(self) -> Expression:
        return Everybody()

    def has(self, name: Token, value: Token) -> Expression:
        if name.lower() != "tag":
            raise _Misfit('after “has” comes a tag: has tag "press"', name)
        return _comparison(name, Operator.EQUAL, (value,))

    def compared(self, name: Token, operator: Token, value: Token) -> Expression:
        return _comparison(name, Operator({"==": "=", "<>": "!="}.get(operator, operator)), (value,))

    def among(self, name: Token, *values: Token) -> Expression:
        return _comparison(name, Operator.IN, values)

    def not_among(self, name: Token, *values: Token) -> Expression:
        return _comparison(name, Operator.NOT_IN, values)

    def like(self, name: Token, value: Token) -> Expression:
        return _comparison(name, Operator.LIKE, (value,))

    def empty(self, name: Token) -> Expression:
        return _comparison(name, Operator.EMPTY, ())

    def not_empty(self, name: Token) -> Expression:
        return _comparison(name, Operator.NOT_EMPTY, ())


def _comparison(name: Token, operator: Operator, literals: Iterable[Token]) -> Comparison:
    field = name.lower()
    kind = KINDS.get(field, Kind.ATTRIBUTE)
    if operator not in _OPERATORS[kind]:
        raise _Misfit(f"“{field}” cannot be compared with “{operator}”", name)
    values = tuple(_fitting(field, operator, literal) for literal in literals)
    if values == ("",) and operator in {Operator.EQUAL, Operator.UNEQUAL}:
        operator, values = (Operator.EMPTY if operator is Operator.EQUAL else Operator.NOT_EMPTY), ()
    return Comparison(field, operator, values, column=name.column or 1)


def _fitting(field: str, operator: Operator, literal: Token) -> Value:
    value = _literal(literal)
    kind = KINDS.get(field, Kind.ATTRIBUTE)
    if operator is Operator.LIKE and not isinstance(value, str):
        raise _Misfit('after “like” comes a pattern in quotes: like "Li*"', literal)
    if kind is Kind.INSTANT:
        if not isinstance(value, date | DaysAgo):
            raise _Misfit(f"“{field}” is compared with a date like 2027-01-31, today or 30 days ago", literal)
    elif kind is Kind.ATTRIBUTE:
        if isinstance(value, bool) and operator in _ORDERED:
            raise _Misfit("true and false have no order", literal)
    elif not isinstance(value, str):
        raise _Misfit(f"“{field}” is compared with text: put {literal} in quotes", literal)
    elif operator in _EXACT and value:
        return _spelled(field, value, literal)
    return value


def _spelled(field: str, text: str, literal: Token) -> str:
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
        raise _Misfit(error.reason, literal) from error
    except (InvalidLanguage, InvalidAddress) as error:
        raise _Misfit(error.message.rstrip("."), literal) from error


def _literal(token: Token) -> Value:
    match token.type:
        case "STRING":
            return re.sub(r"\\([\"'\\])", r"\1", token[1:-1])
        case "TRUTH":
            return token.lower() == "true"
        case "TODAY":
            return DaysAgo(0)
        case "AGO":
            count, unit = token.lower().split()[:2]
            return DaysAgo(int(count) * (7 if unit.startswith("week") else 1))
        case "DATE":
            return _day(token)
        case _:
            return _number(token)


def _day(token: Token) -> date:
    try:
        return date.fromisoformat(token)
    except ValueError as error:
        raise _Misfit(f"there is no day {token}", token) from error


def _number(token: Token) -> int | float:
    if sum(map(str.isdigit, token)) > _MAX_DIGITS:
        raise _Misfit(f"the number has more than {_MAX_DIGITS} digits", token)
    return float(token) if "." in token else int(token)


def _explained(error: UnexpectedInput, text: str) -> SegmentSyntaxError:
    if isinstance(error, UnexpectedToken):
        line, column = _end_of(text) if error.token.type == "$END" else (error.line, error.column)
        return SegmentSyntaxError(_unexpected(error), line=line, column=column, expression=text)
    character = error.char if isinstance(error, UnexpectedCharacters) else ""
    problem = "a quotation mark is not closed" if character in _QUOTES else f"“{character}” means nothing here"
    return SegmentSyntaxError(problem, line=error.line, column=error.column, expression=text)


def _unexpected(error: UnexpectedToken) -> str:
    # `accepts` is what may really follow; `expected` would name brackets that were never opened.
    accepted = error.accepts or error.expected
    words = [word for terminal, word in _WORDS.items() if terminal in accepted]
    wanted = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    if error.token.type == "NAME" and "STRING" in accepted:
        return f'text stands in quotes: "{error.token}"'
    found = "the expression ends too early" if error.token.type == "$END" else f"“{error.token}” is not expected here"
    return f"{found}; expected {wanted}"


def _end_of(text: str) -> tuple[int, int]:
    lines = text.rstrip().splitlines()
    return len(lines), len(lines[-1]) + 1
