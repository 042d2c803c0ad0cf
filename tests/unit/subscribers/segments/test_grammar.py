from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import SegmentSyntaxError
from subscribers.models import MembershipState
from subscribers.segments import And, Comparison, Everybody, Not, Operator, Or, Standing, parse
from subscribers.segments.expression import Ago, Unit, When, size

WEEK = When(Operator.WITHIN, Ago(1, Unit.WEEK))


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
        ("created = today", compared("created", "=", Ago(0))),
        ("created >= 2 weeks ago", compared("created", ">=", Ago(2, Unit.WEEK))),
        ("joined < 1 day ago", compared("joined", "<", Ago(1))),
        ("joined < 3 Months ago", compared("joined", "<", Ago(3, Unit.MONTH))),
        ("joined < 1 year ago", compared("joined", "<", Ago(1, Unit.YEAR))),
        ("joined < 1 dayſ ago", compared("joined", "<", Ago(1))),
        ("created before today", compared("created", "<", Ago(0))),
        ("created after 2026-01-31", compared("created", ">", date(2026, 1, 31))),
        ("created ſince 2026-01-31", compared("created", ">=", date(2026, 1, 31))),
        ("renewed on 2026-01-31", compared("renewed", "=", date(2026, 1, 31))),
        ("created in the last 30 days", compared("created", "in the last", Ago(30))),
        ("renewed in the  last month", compared("renewed", "in the last", Ago(1, Unit.MONTH))),
        ('list "x" is pending', Standing("x", MembershipState.PENDING)),
        ('list "x" is NOT removed', Not(Standing("x", MembershipState.REMOVED))),
        ('not list "x" is not left', Standing("x", MembershipState.LEFT)),
        ('joined "x" before 30 days ago', Standing("x", MembershipState.CONFIRMED, When(Operator.LESS, Ago(30)))),
        ('left "x" in the last week', Standing("x", MembershipState.LEFT, WEEK)),
        ("asked 'x' in the last 1 week", Standing("x", MembershipState.PENDING, WEEK)),
        ('received "2027-01"', compared("received", "=", "2027-01")),
        ('clicked in ("a", "b")', compared("clicked", "in", "a", "b")),
        ("not opened since today", Not(compared("opened", ">=", Ago(0)))),
        ("received in the last 90 days", compared("received", "in the last", Ago(90))),
        ("received is empty", compared("received", "is empty")),
        ("received >= 2026-01-31", compared("received", ">=", date(2026, 1, 31))),
        ("left = 1 and last = 2", And((compared("left", "=", 1), compared("last", "=", 2)))),
        ("before before today", compared("before", "<", Ago(0))),
        ("joined since today", compared("joined", ">=", Ago(0))),
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
        ('list "x"', 1, 6, 'write list = "…" or list "…" is pending'),
        ('tag "x"', 1, 5, 'write has tag "…"'),
        ('city "x"', 1, 6, 'write city = "x"'),
        ('joined "x"', 1, 8, "write a day behind it"),
        ('country "BE" since today', 1, 1, "only “joined”, “left”, “asked” can"),
        ('received "x" since today', 1, 1, "cannot be asked with a name and a day at once"),
        ('tag "x" is pending', 1, 1, "only a list can be stood to"),
        ('list "x" is member', 1, 13, "expected “pending”, “confirmed”, “left” or “removed”"),
        ('list "" is left', 1, 6, "the name of the list is missing"),
        ("country BE", 1, 9, "“BE” is not expected here; expected a comparison such as = or >"),
        ("country since today", 1, 1, "“country” holds no days"),
        ("created since 5", 1, 15, "expected a date like 2027-01-31"),
        ("created in the last 30", 1, 21, "expected a time such as 30 days"),
        ("created in the last 101 years", 1, 21, "more than a hundred years ago"),
        ("a = 0999-12-31", 1, 5, "out of reach"),
        ("received before today", 1, 1, "is asked about an issue or a time"),
        ("received on today", 1, 1, "is asked about an issue or a time"),
        ("received >= 5", 1, 13, "is asked about an issue or a time"),
        ("received = 5", 1, 12, "put 5 in quotes"),
        ('received != "x"', 1, 1, "is asked about an issue or a time"),
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
