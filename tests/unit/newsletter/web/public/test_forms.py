"""What is wrong with a form, and the way on after one."""

import pytest
from starlette.requests import Request

from newsletter.errors import NothingChosen
from newsletter.web.public.forms import (
    BAD_ADDRESS,
    BAD_TEXT,
    NO_ADDRESS,
    NONE_CHOSEN,
    NOT_OFFERED,
    onward,
    origin_of,
    problem_of_address,
    problems_of,
)
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue, UnknownList


def request(query="", client=("203.0.113.9", 50000)):
    return Request({"type": "http", "query_string": query.encode(), "headers": [], "client": client})


@pytest.mark.parametrize(
    ("error", "problems"),
    [
        (InvalidAddress("no"), {"address": BAD_ADDRESS}),
        (InvalidLanguage("q1"), {"language": NOT_OFFERED}),
        (InvalidValue("first_name", "too long"), {"first_name": BAD_TEXT}),
        (InvalidValue("timezone", "unknown"), {"timezone": NOT_OFFERED}),
        (UnknownList("secret"), {"list": NOT_OFFERED}),
        (NothingChosen(), {"list": NONE_CHOSEN}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_stands_beside_its_field(error, problems):
    assert problems_of(error) == problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", NO_ADDRESS), ("   ", NO_ADDRESS), ("anne@", BAD_ADDRESS), ("anne@towns.example", None)],
)
def test_an_address_is_looked_at_before_anything_is_asked(text, problem):
    assert problem_of_address(text) == problem


def test_the_way_on_is_relative_and_keeps_the_language_that_was_chosen():
    answer = onward(request("lang=fr&list=press"), "rivers/asked")
    assert (answer.status_code, answer.headers["location"]) == (303, "rivers/asked?lang=fr")


def test_the_way_on_may_say_more_and_drop_the_language():
    assert onward(request("lang=fr"), "token", keep=False, saved="1").headers["location"] == "token?saved=1"
    assert onward(request(), "token").headers["location"] == "token"


def test_where_a_request_comes_from_may_be_unknown():
    assert origin_of(request()) == "203.0.113.9"
    assert origin_of(request(client=None)) == ""
