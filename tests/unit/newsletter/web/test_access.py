"""The log of requests, and what becomes of errors."""

import json

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.requests import Request
from starlette.responses import StreamingResponse

from newsletter.logs import configure

TOKEN = "k1.c2VjcmV0.c2VjcmV0"
ADDRESS = "anna@lakes.example"


@pytest.fixture
def said(capsys):
    """The events logged so far, as text and as values."""
    configure(20)

    def read():
        text = capsys.readouterr().err
        return text, [json.loads(line) for line in text.splitlines()]

    yield read
    configure()


def raising(error):
    def route(token: str):
        raise error

    return route


def test_a_request_is_one_event_without_token_or_address(visit, routes, said):
    routes.add_api_route("/u/{token}", lambda token: "left", methods=["POST"])
    visit(address="203.0.113.77").post(f"/u/{TOKEN}?from={ADDRESS}", headers={"referer": TOKEN, "user-agent": ADDRESS})
    text, [event] = said()
    assert TOKEN not in text
    assert ADDRESS not in text
    assert "203.0.113.77" not in text
    named = {"method": "POST", "route": "/u/{token}", "status": 200, "network": "203.0.113.0/24", "event": "request"}
    assert named.items() <= event.items()
    assert event["ms"] >= 0


def test_a_request_for_nothing_has_no_route(visit, said):
    visit().get(f"/nothing/{TOKEN}")
    text, [event] = said()
    assert (event["status"], event["route"], TOKEN in text) == (404, "", False)


def test_an_unexpected_error_is_a_page_without_details_and_an_event_without_values(visit, routes, said):
    error = IntegrityError("INSERT INTO subscriber", {"address": ADDRESS}, ValueError(ADDRESS))
    routes.add_api_route("/p/{token}", raising(error))
    answer = visit().get(f"/p/{TOKEN}", headers={"accept-language": "fr"})
    assert answer.status_code == 500
    assert "chez nous" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    text, [failed, request] = said()
    assert ADDRESS not in text
    assert TOKEN not in text
    assert (failed["event"], failed["error"]) == ("request failed", "IntegrityError")
    assert failed["at"][-1].startswith("test_access.py:")
    assert request["status"] == 500


def test_a_database_that_is_away_is_asked_again_later(visit, routes):
    routes.add_api_route("/p/{token}", raising(OperationalError("SELECT 1", {}, ValueError("database is locked"))))
    answer = visit().get("/p/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "not available at the moment" in answer.text


def test_an_error_in_the_middle_of_an_answer_breaks_it_off(visit, routes, said):
    async def half():
        yield b"half"
        raise KeyError(ADDRESS)

    async def route(request: Request):
        return StreamingResponse(half())

    routes.add_api_route("/half", route)
    visit().get("/half")
    text, [failed, request] = said()
    assert (failed["error"], request["status"], ADDRESS in text) == ("KeyError", 200, False)
