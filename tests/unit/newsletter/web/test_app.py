"""What every answer has, whatever it is."""

import pytest
from fastapi import HTTPException
from visitor import ROOT

from newsletter.web.errors import _WORDS
from newsletter.web.page import WORDS
from newsletter.words import catalogue, languages


@pytest.fixture
def visitor(visit, routes):
    def fail(status: int):
        raise HTTPException(status, detail="secret detail")

    def page():
        return "x"

    routes.add_api_route("/p", page, methods=["GET", "POST"])
    routes.add_api_route("/fail/{status}", fail)
    return visit()


@pytest.mark.parametrize("status", [200, *sorted(_WORDS), 500])
def test_every_answer_has_the_headers_that_keep_it_safe(visitor, status):
    answer = visitor.get("/p" if status == 200 else f"/fail/{status}")
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert "server" not in answer.headers
    assert "secret detail" not in answer.text


def test_only_https_is_told_to_stay_https(visit, routes):
    routes.add_api_route("/p", lambda: "x")
    assert "strict-transport-security" not in visit(root="http://news.example").get("/p").headers


@pytest.mark.parametrize("language", languages(WORDS))
@pytest.mark.parametrize("status", [*sorted(_WORDS), 500])
def test_every_error_is_a_page_in_the_readers_language(visitor, language, status):
    answer = visitor.get(f"/fail/{status}?lang={language}")
    heading, advice = _WORDS.get(
        status, ("Something went wrong here", "It is not your fault. Try again in a few minutes.")
    )
    words = catalogue(language, WORDS)
    assert words.knows(heading)
    assert words.knows(advice)
    assert f"<h1>{words.say(heading)}</h1>" in answer.text
    assert f'lang="{language}"' in answer.text


def test_what_is_not_there_and_what_is_not_allowed_are_pages(visitor):
    assert "This page does not exist" in visitor.get("/nothing").text
    answer = visitor.ask("DELETE", "/p")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert "cannot be used in this way" in answer.text


def test_a_parameter_that_cannot_be_read_is_a_page(visitor):
    answer = visitor.get("/fail/x")
    assert answer.status_code == 422
    assert "Something in the form is missing" in answer.text


def test_nothing_describes_the_pages_to_programs(visitor):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert visitor.get(path).status_code == 404


def test_a_slash_too_many_is_no_redirect(visitor):
    assert visitor.get("/p/").status_code == 404
    assert visitor.get(f"{ROOT}//p").status_code == 404
