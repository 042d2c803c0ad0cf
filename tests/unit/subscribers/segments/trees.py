"""Expressions drawn at random, as `parse` could have read them, over a small world in which many of them mean somebody."""

from datetime import date

from hypothesis import strategies as st

from subscribers.models import MembershipState
from subscribers.segments.expression import (
    Ago,
    And,
    Comparison,
    Everybody,
    Kind,
    Not,
    Operator,
    Or,
    Standing,
    Unit,
    When,
)
from subscribers.segments.literals import OPERATORS
from subscribers.segments.text import WORDS_OF_STANDING, WORDS_OF_TIME

TEXTS = ["", "Liège", "Ab", "ab", "100%", "a_b", "a\\b", "axb", 'say "hi"', "Zoë", "10", "true", "2026-11-01"]
PATTERNS = ["*", "a*", "*B", "A%b", "a_b", r"100\%", "a\\\\b", "%i%", "", "10", "2026*", "Z*"]
NAMES = ["members", "press", "board", "Nothing"]
DAYS = st.sampled_from([date(2026, 11, 1), date(2026, 11, 21), date(2025, 1, 31), Ago(0), Ago(1), Ago(20)]) | st.builds(
    Ago, st.integers(0, 30), st.sampled_from(Unit)
)
AGO = st.builds(Ago, st.integers(0, 30), st.sampled_from(Unit))
NUMBERS = [0, 1, -5, 10, 100000, 655468.5, 0.5, -0.25]
WORDS = {
    "language": ["fr", "fr-BE", "en"],
    "country": ["BE", "FR", "GB"],
    "timezone": ["Europe/Brussels", "UTC"],
    "email": ["anne@liege.example", "ben@sub.liege.example"],
    "domain": ["liege.example", "other.example"],
    "list": NAMES,
    "tag": [*NAMES, "EU-project", "eu-PROJECT"],
}
ORDERED = {Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST}
SEVERAL = {Operator.IN, Operator.NOT_IN}
NO_VALUE = {Operator.EMPTY, Operator.NOT_EMPTY}


@st.composite
def comparisons(draw, field, kind, values):
    """A comparison of a field with values of its kind."""
    operator = draw(st.sampled_from(sorted(OPERATORS[kind])))
    if operator in NO_VALUE:
        return Comparison(field, operator)
    if operator is Operator.WITHIN:
        return Comparison(field, operator, (draw(AGO),))
    if operator is Operator.LIKE:
        return Comparison(field, operator, (draw(st.sampled_from(PATTERNS)),))
    if operator in SEVERAL:
        return Comparison(field, operator, tuple(draw(st.lists(values, min_size=1, max_size=3))))
    fitting = values.filter(lambda value: value != "" and not (isinstance(value, bool) and operator in ORDERED))
    return Comparison(field, operator, (draw(fitting),))


def of(field, kind):
    """Comparisons of a field of our own."""
    return comparisons(field, kind, st.sampled_from(WORDS.get(field, TEXTS)))


TIMES = st.builds(When, st.sampled_from(sorted(WORDS_OF_TIME.values())), DAYS) | st.builds(
    When, st.just(Operator.WITHIN), AGO
)
ATTRIBUTES = [
    comparisons(name, Kind.ATTRIBUTE, st.sampled_from([*TEXTS, *NUMBERS, True, False]) | DAYS)
    for name in ("population", "renews", "nothing")
]
REACTIONS = [
    st.builds(Comparison, name, st.just(Operator.EQUAL), st.tuples(st.sampled_from(["a", "b", "c"])))
    | st.builds(Comparison, name, st.just(Operator.IN), st.tuples(*[st.sampled_from(["a", "b", "c"])] * 2))
    | st.builds(Comparison, name, st.just(Operator.AT_LEAST), st.tuples(DAYS))
    | st.builds(Comparison, name, st.just(Operator.WITHIN), st.tuples(AGO))
    | st.builds(Comparison, name, st.sampled_from(sorted(NO_VALUE)))
    for name in map(st.just, ("received", "opened", "clicked"))
]
STANDINGS = [
    st.builds(Standing, st.sampled_from(NAMES), st.sampled_from(MembershipState)),
    st.builds(Standing, st.sampled_from(NAMES), st.sampled_from(sorted(WORDS_OF_STANDING.values())), TIMES),
]
LEAVES = st.one_of(
    st.just(Everybody()),
    *(of(field, Kind.TEXT) for field in ("language", "country", "city", "organisation", "timezone", "first_name")),
    *(of(field, Kind.ADDRESS) for field in ("email", "domain")),
    *(of(field, Kind.SET) for field in ("list", "tag")),
    comparisons("created", Kind.INSTANT, DAYS),
    *ATTRIBUTES,
    *REACTIONS,
    *STANDINGS,
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda part: part.part if isinstance(part, Not) else Not(part)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)
"""Expressions that name no saved segment: what `expand` leaves."""
