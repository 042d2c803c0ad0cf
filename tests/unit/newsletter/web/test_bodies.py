"""Bodies of requests within limits."""

import asyncio

import pytest
from starlette.requests import Request

from newsletter.links import Links
from newsletter.web.bodies import MOST_OCTETS, Bodies
from newsletter.web.errors import ErrorPages
from newsletter.web.page import Pages

ERRORS = ErrorPages(Pages(Links("https://news.example")))


@pytest.fixture
def visitor(visit, routes):
    async def count(request: Request):
        parts = [part async for part in request.stream()]
        return [len(b"".join(parts)), len([part for part in parts if part])]

    routes.add_api_route("/p/{token}", count, methods=["POST"])
    return visit()


async def pieces(*sizes):
    for size in sizes:
        yield b"x" * size


def test_a_body_arrives_whole_and_in_one_piece(visitor):
    assert visitor.post("/p/a", content=pieces(3, 4, 5)).json() == [12, 1]
    assert visitor.post("/p/a").json() == [0, 0]
    assert visitor.post("/p/a", content=b"x" * MOST_OCTETS).json() == [MOST_OCTETS, 1]


@pytest.mark.parametrize("announced", [str(MOST_OCTETS + 1), "9" * 5000])
def test_a_body_that_says_it_is_too_large_is_not_read(visitor, announced):
    answer = visitor.post("/p/a", content=pieces(1), headers={"content-length": announced})
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert "could not be received" in answer.text


def test_a_body_that_turns_out_too_large_is_not_read_to_its_end(visitor):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield b"x" * 100_000

    assert visitor.post("/p/a", content=endless()).status_code == 413
    assert read <= 12


@pytest.mark.parametrize("announced", ["-5", "x", "²"])
def test_a_length_that_is_no_number_counts_for_nothing(visitor, announced):
    answer = visitor.post("/p/a", content=pieces(7), headers={"content-length": announced.encode()})
    assert answer.json() == [7, 1]


def asked(receive, *, patience=20.0):
    """The messages that are sent for a request whose body comes from `receive`; the application answers 204."""
    sent = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(Bodies(app, errors=ERRORS, patience=patience)(scope, receive, send))
    return sent


def test_a_body_that_does_not_come_is_given_up():
    async def never():
        await asyncio.Event().wait()

    assert asked(never, patience=0.01)[0]["status"] == 408


def test_nobody_is_answered_who_has_gone():
    async def gone():
        return {"type": "http.disconnect"}

    assert asked(gone) == []


def test_what_comes_after_the_body_is_passed_on():
    messages = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]
    heard = []

    async def receive():
        return messages.pop(0)

    async def app(scope, receive, send):
        heard.extend([await receive(), await receive()])

    scope = {"type": "http", "headers": []}
    asyncio.run(Bodies(app, errors=ERRORS)(scope, receive, None))
    assert heard == [{"type": "http.request", "body": b"x", "more_body": False}, {"type": "http.disconnect"}]
