"""HEAD for every page."""

import pytest
from starlette.requests import Request


@pytest.fixture
def visitor(visit, routes):
    routes.add_api_route("/p", lambda: "a page", methods=["GET"])
    routes.add_api_route("/only", lambda: "done", methods=["POST"])
    return visit()


def test_head_answers_as_get_does_without_the_body(visitor):
    get, head = visitor.get("/p"), visitor.head("/p")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers


def test_a_route_that_knows_head_is_asked_by_head(visit, routes):
    seen = []

    def count(request: Request):
        seen.append(request.method)

    routes.add_api_route("/r", count, methods=["GET", "HEAD"])
    visitor = visit()
    assert visitor.head("/r").content == b""
    assert visitor.get("/r").status_code == 200
    assert seen == ["HEAD", "GET"]


def test_what_cannot_be_looked_at_cannot_be_asked_by_head_either(visitor):
    answer = visitor.head("/only")
    assert (answer.status_code, answer.content, answer.headers["allow"]) == (405, b"", "POST")
    assert visitor.head("/nothing").status_code == 404
