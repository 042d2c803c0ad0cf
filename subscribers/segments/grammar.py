"""
Reads the text of a segment.

Takes text; yields an `Expression`; promises that what it lets through is bounded, has values that fit their fields,
and languages, countries and addresses in their one spelling, or else a `SegmentSyntaxError` that says in words what
is wrong, where, and what was expected.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args

from subscribers.errors import SegmentSyntaxError
from subscribers.models import MembershipState
from subscribers.segments.expression import (
    KINDS,
    MAX_DEPTH,
    MAX_NODES,
    And,
    Comparison,
    Everybody,
    Expression,
    Kind,
    Not,
    Operator,
    Or,
    Standing,
    When,
    size,
)
from subscribers.segments.literals import Misfit, Written, comparison, counted_back, dated, day_named, list_name
from subscribers.segments.text import WORDS_OF_STANDING, WORDS_OF_TIME

MAX_LENGTH = 4000
"""Characters: some hundred conditions, more than anybody reads."""

_GRAMMAR = r"""
    start: any_of
    any_of: all_of (_OR all_of)*
    all_of: one (_AND one)*
    ?one: _NOT one                               -> negated
        | "(" any_of ")"                         -> enclosed
        | _ALL                                   -> everybody
        | _HAS NAME value                        -> has
        | NAME OPERATOR value                    -> compared
        | NAME when                              -> dated
        | NAME STRING                            -> about
        | NAME STRING when                       -> about_when
        | NAME STRING _IS STATE                  -> standing
        | NAME STRING _IS _NOT STATE             -> not_standing
        | NAME _IN "(" value ("," value)* ")"    -> among
        | NAME _NOT _IN "(" value ("," value)* ")" -> not_among
        | NAME _LIKE value                       -> like
        | NAME _IS _EMPTY                        -> empty
        | NAME _IS _NOT _EMPTY                   -> not_empty
    ?value: STRING | NUMBER | DATE | AGO | TODAY | TRUTH
    when: TIME (DATE | AGO | TODAY)              -> at
        | _LAST SPAN                             -> within

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
    TIME.2: /(before|after|since|on)\b/i
    STATE.2: /(pending|confirmed|left|removed)\b/i
    _LAST.3: /in\s+the\s+last\b/i
    SPAN.2: /([0-9]{1,5}\s+)?(day|week|month|year)s?\b/i
    OPERATOR: /==|!=|<>|<=|>=|=|<|>/
    NAME: /(?!(?i:and|or|not|all|has|in|like|is|empty|today|true|false)\b)[A-Za-z_][A-Za-z0-9_]*/
    AGO.4: /[0-9]{1,5}\s+(day|week|month|year)s?\s+ago\b/i
    DATE.3: /[0-9]{4}-[0-9]{2}-[0-9]{2}/
    NUMBER: /-?[0-9]+(\.[0-9]+)?/
    STRING: /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|“[^”]*”|„[^“”]*[“”]|‘[^’]*’|«[^»]*»/
    %ignore /\s+/
"""

_WORDS = {
    "STRING": "text in quotes",
    "NUMBER": "a number",
    "DATE": "a date like 2027-01-31",
    "NAME": 'a condition such as country = "BE"',
    "OPERATOR": "a comparison such as = or >",
    "TIME": "“before”, “after”, “since” or “on”",
    "SPAN": "a time such as 30 days",
    "STATE": "“pending”, “confirmed”, “left” or “removed”",
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

_SELDOM: Final = {"STRING", "TIME", "_LAST"}
"""What may follow the name of few fields only, so that a message does not name it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTES = frozenset("\"'“„‘«")
_INSTEAD = {
    "list": 'list = "…" or list "…" is pending',
    "tag": 'has tag "…"',
    "segment": 'segment = "…"',
    **dict.fromkeys(WORDS_OF_STANDING, "a day behind it, such as since 2027-01-31 or in the last 30 days"),
}
"""What was meant where a name is followed by text and nothing else."""


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
    except Misfit as misfit:
        place = misfit.place
        raise SegmentSyntaxError(str(misfit), line=place.line, column=place.column, expression=text) from misfit
    nodes, depth = size(expression)
    if nodes > MAX_NODES:
        raise SegmentSyntaxError(f"the expression has more than {MAX_NODES} conditions; save a part as a segment")
    if depth > MAX_DEPTH:
        raise SegmentSyntaxError(f"the expression nests more than {MAX_DEPTH} levels deep")
    return expression


def _read(text: str) -> Expression:
    # With a transformer inside the parser the answer is no tree but what `start` returns.
    answer: Expression = _parser().parse(text)  # type: ignore[assignment] # lark's annotation knows trees only
    return answer


@lru_cache(maxsize=1)
def _parser() -> Lark:
    # Made on first use: building the tables takes some 20 ms. Transforming while parsing needs no recursion.
    # The lexer knows what may follow, so that words such as “since” and “left” are names wherever a name stands.
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual", transformer=_Reader())


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
            raise Misfit('after “has” comes a tag: has tag "press"', _written(name))
        return _compared(name, Operator.EQUAL, (value,))

    def compared(self, name: Token, operator: Token, value: Token) -> Expression:
        return _compared(name, Operator({"==": "=", "<>": "!="}.get(operator, operator)), (value,))

    def at(self, word: Token, day: Token) -> When:
        return When(WORDS_OF_TIME[word.casefold()], day_named(_written(day)))

    def within(self, span: Token) -> When:
        return When(Operator.WITHIN, counted_back(_written(span)))

    def dated(self, name: Token, when: When) -> Expression:
        return dated(_written(name), when)

    def about(self, name: Token, text: Token) -> Expression:
        if KINDS.get(name.lower()) is Kind.REACTION:
            return _compared(name, Operator.EQUAL, (text,))
        instead = _INSTEAD.get(name.lower(), f"{name.lower()} = {text}")
        raise Misfit(f"“{name.lower()}” cannot be followed by text alone; write {instead}", _written(text))

    def about_when(self, name: Token, text: Token, when: When) -> Expression:
        state = WORDS_OF_STANDING.get(name.lower())
        if state is None:
            known = ", ".join(f"“{word}”" for word in WORDS_OF_STANDING)
            raise Misfit(
                f"“{name.lower()}” cannot be asked with a name and a day at once; only {known} can", _written(name)
            )
        return Standing(list_name(_written(text)), state, when)

    def standing(self, name: Token, text: Token, state: Token) -> Expression:
        if name.lower() != "list":
            raise Misfit('only a list can be stood to: list "members" is pending', _written(name))
        return Standing(list_name(_written(text)), MembershipState(state.casefold()))

    def not_standing(self, name: Token, text: Token, state: Token) -> Expression:
        return Not(self.standing(name, text, state))

    def among(self, name: Token, *values: Token) -> Expression:
        return _compared(name, Operator.IN, values)

    def not_among(self, name: Token, *values: Token) -> Expression:
        return _compared(name, Operator.NOT_IN, values)

    def like(self, name: Token, value: Token) -> Expression:
        return _compared(name, Operator.LIKE, (value,))

    def empty(self, name: Token) -> Expression:
        return _compared(name, Operator.EMPTY, ())

    def not_empty(self, name: Token) -> Expression:
        return _compared(name, Operator.NOT_EMPTY, ())


def _compared(name: Token, operator: Operator, literals: Iterable[Token]) -> Comparison:
    return comparison(_written(name), operator, map(_written, literals))


def _written(token: Token) -> Written:
    return Written(token.type, str(token), token.line or 1, token.column or 1)


def _explained(error: UnexpectedInput, text: str) -> SegmentSyntaxError:
    if isinstance(error, UnexpectedToken):
        line, column = _end_of(text) if error.token.type == "$END" else (error.line, error.column)
        return SegmentSyntaxError(_unexpected(error), line=line, column=column, expression=text)
    character = error.char if isinstance(error, UnexpectedCharacters) else ""
    problem = "a quotation mark is not closed" if character in _QUOTES else f"“{character}” means nothing here"
    return SegmentSyntaxError(problem, line=error.line, column=error.column, expression=text)


def _unexpected(error: UnexpectedToken) -> str:
    # `accepts` is what may really follow; `expected` would name brackets that were never opened.
    accepted = set(error.accepts or error.expected)
    if "OPERATOR" in accepted:
        accepted -= _SELDOM
    words = [word for terminal, word in _WORDS.items() if terminal in accepted]
    wanted = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    if error.token.type == "NAME" and "STRING" in accepted:
        return f'text stands in quotes: "{error.token}"'
    found = "the expression ends too early" if error.token.type == "$END" else f"“{error.token}” is not expected here"
    return f"{found}; expected {wanted}"


def _end_of(text: str) -> tuple[int, int]:
    lines = text.rstrip().splitlines()
    return len(lines), len(lines[-1]) + 1
