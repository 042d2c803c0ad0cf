from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import SegmentSyntaxError
from subscribers.segments import And, Comparison, Everybody, Not, Operator, Or, parse
from subscribers.segments.expression import DaysAgo, size


def compared(field, operator, *values):
    return Comparison(field, Operator(operator), values)


def test_the_example_of_the_design_is_read():
    text = 'list = "members" and language in ("fr", "fr-BE") and population > 100000 and not tag = "press"'
    assert parse(text) == And(
        (
            compared("list", "=", "members"),
            compared("language", "in", "fr", "fr-BE"),
            compared("population", ">", 100000),
            Not(compared("tag", "=", "press")),
        )
    )


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("all", Everybody()),
        ("ALL", Everybody()),
        ("a = 1", compared("a", "=", 1)),
        ("A == 1", compared("a", "=", 1)),
        ("a <> 1", compared("a", "!=", 1)),
        ("a != -1.5", compared("a", "!=", -1.5)),
        ("a <= 1", compared("a", "<=", 1)),
        ("a >= 1", compared("a", ">=", 1)),
        ("a < 1", compared("a", "<", 1)),
        ("vip = TRUE", Comparison("vip", Operator.EQUAL, (True,))),
        ("vip != false", Comparison("vip", Operator.UNEQUAL, (False,))),
        ('a not in ("x", 2)', compared("a", "not in", "x", 2)),
        ('a like "x*"', compared("a", "like", "x*")),
        ("a is empty", compared("a", "is empty")),
        ("a is not empty", compared("a", "is not empty")),
        ('city = ""', compared("city", "is empty")),
        ('city != ""', compared("city", "is not empty")),
        ('has tag "press"', compared("tag", "=", "press")),
        ("created > 2026-01-31", compared("created", ">", date(2026, 1, 31))),
        ("created = today", compared("created", "=", DaysAgo(0))),
        ("created >= 2 weeks ago", compared("created", ">=", DaysAgo(14))),
        ("joined < 1 day ago", compared("joined", "<", DaysAgo(1))),
        ('language = "FR_be"', compared("language", "=", "fr-BE")),
        ('language like "FR*"', compared("language", "like", "FR*")),
        ('country in ("be", "uk")', compared("country", "in", "BE", "GB")),
        ('email = "A@B.Example"', compared("email", "=", "a@b.example")),
        ('domain = "@München.Example"', compared("domain", "=", "xn--mnchen-3ya.example")),
        ("motto = 'its \\' own'", compared("motto", "=", "its ' own")),
        (r'a = "say \"hi\" \\ \*"', compared("a", "=", r'say "hi" \ \*')),
        ("a = “x”", compared("a", "=", "x")),
        ("a = „x“", compared("a", "=", "x")),
        ("a = ‘x’", compared("a", "=", "x")),
        ("a = «x»", compared("a", "=", "x")),
        ("not not a = 1", compared("a", "=", 1)),
        ("((a = 1))", compared("a", "=", 1)),
        ("android = 1 and orange = 2", And((compared("android", "=", 1), compared("orange", "=", 2)))),
    ],
)
def test_expressions_are_read(text, expression):
    assert parse(text) == expression


def test_and_binds_closer_than_or_and_not_closer_than_and():
    a, b, c = (compared(name, "=", 1) for name in "abc")
    assert parse("a = 1 or b = 1 and c = 1") == Or((a, And((b, c))))
    assert parse("(a = 1 or b = 1) and c = 1") == And((Or((a, b)), c))
    assert parse("not a = 1 and b = 1") == And((Not(a), b))


def test_a_comparison_knows_its_column():
    assert parse("a = 1 or bc = 2").parts[1].column == 10


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "the expression is empty"),
        ("list =", 1, 7, "ends too early; expected text in quotes, a number or a date"),
        ('list "x"', 1, 6, '“"x"” is not expected here; expected a comparison such as = or >'),
        ('list = "x" andd', 1, 12, "expected “and”, “or” or the end"),
        ("country = BE", 1, 11, 'text stands in quotes: "BE"'),
        ('list = "x', 1, 8, "a quotation mark is not closed"),
        ("(a = 1", 1, 7, "expected a closing bracket"),
        ("a = 1)", 1, 6, "“)” is not expected here; expected the end"),
        ("a in (1", 1, 8, "expected a comma or a closing bracket"),
        ("a ? 3", 1, 3, "“?” means nothing here"),
        ("a = 1\n and and", 2, 6, "“and” is not expected here"),
        ("not", 1, 4, "expected a condition such as"),
        ("a is b", 1, 6, "expected “empty”"),
        ('has list "x"', 1, 5, "after “has” comes a tag"),
        ('country = "XX"', 1, 11, "is no country code"),
        ('language = "klingon"', 1, 12, "is not a language tag"),
        ('email = "nobody"', 1, 9, "@-sign"),
        ('domain = "no domain"', 1, 10, ""),
        ("created > 5", 1, 11, "compared with a date"),
        ('list < "a"', 1, 1, "“list” cannot be compared with “<”"),
        ('segment like "a"', 1, 1, "cannot be compared"),
        ("created is empty", 1, 1, "cannot be compared"),
        ('email > "a"', 1, 1, "cannot be compared"),
        ("city = 5", 1, 8, "put 5 in quotes"),
        ("tag = true", 1, 7, "put true in quotes"),
        ("a = 1234567890123456", 1, 5, "more than 15 digits"),
        ("created = 2026-02-31", 1, 11, "there is no day 2026-02-31"),
        ("a like 5", 1, 8, "a pattern in quotes"),
        ("a > true", 1, 5, "true and false have no order"),
        ("a = \x00", 1, 5, "control character"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, line, column, words):
    with pytest.raises(SegmentSyntaxError) as error:
        parse(text)
    assert (error.value.line, error.value.column) == (line, column)
    assert words in error.value.problem


def test_the_error_shows_the_place():
    with pytest.raises(SegmentSyntaxError) as error:
        parse("a = 1 and\ncountry = BE")
    assert error.value.pointer == "country = BE\n          ^"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1 or " * 500 + "a = 1", "4,000 characters"),
        (" or ".join(["a=1"] * 201), "200 conditions"),
        ("not (b=1 or " * 30 + "a=1" + ")" * 30, "30 levels"),
    ],
)
def test_an_expression_has_bounds(text, words):
    with pytest.raises(SegmentSyntaxError, match=words):
        parse(text)


def test_brackets_alone_may_nest_as_deep_as_they_like():
    assert parse("(" * 1900 + "a = 1" + ")" * 1900) == compared("a", "=", 1)


@given(st.text(alphabet=st.sampled_from("ab\"'()=<>,.*% 123-andortilkes\\\n\t“”é"), max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        reading = size(parse(text))
    except SegmentSyntaxError as error:
        reading = error.problem, error.pointer
    assert all(reading)
