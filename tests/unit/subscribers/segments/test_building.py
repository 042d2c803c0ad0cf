"""An expression as rows of a form: both ways, for every expression that rows can show, and honest about the others."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.subscribers.segments.trees import EXPRESSIONS

from subscribers.errors import SegmentSyntaxError
from subscribers.segments import parse
from subscribers.segments.building import (
    MAX_ROWS,
    Group,
    Row,
    Shape,
    row_of,
    row_text,
    shape_of,
    span_of,
    to_text,
)
from subscribers.segments.expression import KINDS
from subscribers.segments.relations import Form, Relation, relations_of

FIELDS = [*KINDS, "population", "renews"]
ONE = {
    "language": ["fr", "fr-BE"],
    "country": ["BE", "FR"],
    "timezone": ["Europe/Brussels"],
    "email": ["anne@liege.example"],
    "domain": ["liege.example"],
    "population": ["5", "-0.5", "true", "2027-01-31", "five", 'say "hi"', "a\\b"],
}
ANY = ["members", "Liège", "100%", "a\\b", 'say "hi"', "'", "and", "in the last 3 days"]
DAYS = st.dates(min_value=dt.date(1990, 1, 1), max_value=dt.date(2100, 1, 1)).map(str)
SPANS = st.tuples(st.integers(1, 90), st.sampled_from(["day", "week", "month", "year"])).map(
    lambda span: f"{span[0]} {span[1]}{'' if span[0] == 1 else 's'}"
)


@st.composite
def filled(draw):
    """A row as somebody fills it in."""
    field = draw(st.sampled_from(FIELDS))
    relation = draw(st.sampled_from(relations_of(field)))
    row = Row(field=field, relation=relation, negated=draw(st.booleans()))
    values = st.sampled_from(ONE.get(field, ANY))
    if row.is_standing:
        when = {Form.NONE: st.just(""), Form.DAY: DAYS, Form.SPAN: SPANS}[row.form]
        return Row(
            field=field, relation=relation, negated=row.negated, value=draw(st.sampled_from(ANY)), when=draw(when)
        )
    numbers = st.sampled_from(["5", "-0.5", "five"])
    ordered = relation in {Relation.LESS, Relation.AT_MOST, Relation.MORE, Relation.AT_LEAST}
    value = {
        Form.NONE: st.just(""),
        Form.ONE: numbers if ordered else values,
        Form.SEVERAL: st.lists(values, min_size=1, max_size=3).map(", ".join),
        Form.DAY: DAYS,
        Form.SPAN: SPANS,
    }[row.form]
    return Row(field=field, relation=relation, negated=row.negated, value=draw(value))


SHAPES = st.builds(
    Shape,
    groups=st.lists(
        st.builds(Group, rows=st.lists(filled(), min_size=1, max_size=3).map(tuple), any_of=st.booleans()), max_size=3
    ).map(tuple),
    any_of=st.booleans(),
)


@given(SHAPES)
def test_what_is_filled_in_comes_back_as_rows_that_mean_the_same(shape):
    expression = parse(to_text(shape))
    again = shape_of(expression)
    assert again is not None
    assert parse(to_text(again)) == expression
    assert shape_of(parse(to_text(again))) == again


@given(EXPRESSIONS)
def test_whatever_is_shown_as_rows_means_the_expression_itself(expression):
    from subscribers.segments import to_text as text_of

    expression = parse(text_of(expression))
    shape = shape_of(expression)
    assert shape is None or parse(to_text(shape)) == expression


@pytest.mark.parametrize(
    "text",
    [
        "all",
        'list = "members" and language = "fr"',
        '(list = "a" or tag = "b") and not country in ("BE", "FR")',
        'joined "members" since 2027-01-31',
        'left "members" in the last 30 days',
        'list "members" is pending',
        'received "2027-01" or clicked in the last 3 months or received is empty',
        "created before 30 days ago",
        'population > 500 and x like "5*"',
        "(a = 1 and b = 2) or c = 3 or d = 4",
    ],
)
def test_these_can_be_shown(text):
    assert to_text(shape_of(parse(text))) == text


@pytest.mark.parametrize(
    "text",
    [
        'not (list = "a" or list = "b")',
        'list = "a" and (tag = "b" or (tag = "c" and tag = "d"))',
        'population = "5"',
        "created = 3 days ago",
        'organisation < "M"',
        'city in ("a, b", "c")',
        'language = "fr" and all',
        " and ".join(f"a{n} = 1" for n in range(MAX_ROWS + 1)),
    ],
)
def test_these_stay_text(text):
    assert shape_of(parse(text)) is None


def test_each_field_offers_what_the_grammar_takes():
    for field in FIELDS:
        for relation in relations_of(field):
            row = Row(field=field, relation=relation)
            value = {
                Form.NONE: "members" if row.is_standing else "",
                Form.DAY: "2027-01-31",
                Form.SPAN: "3 days",
            }.get(row.form, ONE.get(field, ["members"])[0])
            asked = (
                Row(field=field, relation=relation, value="members", when=value)
                if row.is_standing
                else Row(field=field, relation=relation, value=value)
            )
            assert parse(row_text(asked))
    assert Relation.PENDING in relations_of("list")
    assert Relation.PENDING not in relations_of("tag")


@pytest.mark.parametrize("when", ["soon", "", '30 days or list = "x"', "2027-13-01 or all"])
def test_a_day_or_time_that_is_none_is_refused_and_asks_for_nothing_else(when):
    for row in (
        Row(field="created", relation=Relation.WITHIN, value=when),
        Row(field="created", relation=Relation.ON, value=when),
        Row(field="list", relation=Relation.JOINED_SINCE, value="members", when=when),
        Row(field="list", relation=Relation.JOINED_WITHIN, value="members", when=when),
    ):
        with pytest.raises(SegmentSyntaxError):
            parse(row_text(row))


def test_a_form_that_says_nonsense_becomes_a_row_that_can_be():
    assert row_of("no such; field", "is").field == "language"
    assert row_of("created", "like").relation is Relation.ON
    assert row_of(" Population ", "more", value=" 5 ") == Row(
        field="population", relation=Relation.MORE, value="5", when=""
    )


def test_a_time_is_divided_into_number_and_unit():
    assert span_of("2 weeks") == ("2", "week")
    assert span_of("whenever") == ("30", "day")


def test_groups_without_rows_do_not_count():
    assert (
        to_text(Shape(groups=(Group(), Group(rows=(Row(field="city", relation=Relation.EMPTY),))))) == "city is empty"
    )
