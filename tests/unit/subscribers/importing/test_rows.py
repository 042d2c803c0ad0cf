import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.errors import SubscribersError
from subscribers.importing import Problem, Reason, Row, read_rows


def test_a_row_says_what_stands_in_it_and_nothing_else(people):
    (row,) = read_rows(
        people(
            "email,first_name,city,country,language,timezone,tags,population,vip,code,empty\n"
            'A@X.example, Anne ,"Lie\u0300ge",be,fr_be,europe/brussels,press; vip ;press;,5,TRUE,007,\n'
        )
    )
    assert isinstance(row, Row)
    assert (row.line, row.address.key) == (2, "a@x.example")
    assert row.values == {
        "first_name": "Anne",
        "city": "Liège",
        "country": "BE",
        "language": "fr-BE",
        "timezone": "Europe/Brussels",
    }
    assert row.attributes == {"population": 5, "vip": True, "code": "007"}
    assert row.tags == ("press", "vip")


@pytest.mark.parametrize(
    ("line", "column", "words", "reason"),
    [
        ("nobody,,,,,", "email", "@-sign", Reason.ADDRESS),
        (",Anne,,,,", "email", "empty", Reason.ADDRESS),
        ("a@x.example,,XX,,,", "country", "no country code", Reason.COUNTRY),
        ("a@x.example,,,klingon,,", "language", "not a language tag", Reason.LANGUAGE),
        ("a@x.example,,,,Brussels,", "timezone", "no time zone", Reason.TIMEZONE),
        ("a@x.example,An\x01ne,,,,", "first_name", "control character", Reason.TEXT),
        ("a@x.example,An\0ne,,,,", "first_name", "control character", Reason.TEXT),
        ("a@x.example,,,,," + "x" * 101, "tags", "longer than 100", Reason.TAGS),
        ("a@x.example,Anne", "", "2 fields, the headings are 6", Reason.WIDTH),
        ("a@x.example,Anne,,,,,x", "", "7 fields", Reason.WIDTH),
    ],
)
def test_a_row_with_a_mistake_is_a_problem_with_its_place(people, line, column, words, reason):
    (problem,) = read_rows(people(f"email,first_name,country,language,timezone,tags\n{line}\n"))
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.reason) == (2, column, reason)
    assert words in problem.words


def test_empty_fields_too_many_are_no_mistake(people):
    (row,) = read_rows(people("email,city\na@x.example,x,,\n"))
    assert row.values == {"city": "x"}


def test_a_mapping_is_followed(people):
    (row,) = read_rows(people("who,x\na@x.example,5\n"), {"who": "email", "x": "size"})
    assert row.attributes == {"size": 5}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused_in_words(people, octets):
    try:
        rows = list(read_rows(people(b"email,city,tags\n" + octets)))
    except SubscribersError as error:
        rows = [Problem(1, "", error.message, Reason.TEXT)]
    assert all(row.words if isinstance(row, Problem) else row.address.key for row in rows)
