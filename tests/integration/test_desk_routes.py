"""
Every route of the desk, those that come later too: who gets in, who does not, and that a form is our own.

The routes are read off the application itself; one that asks for no seat fails here, unless it is among `OPEN`.
"""

import asyncio
import re
from collections.abc import Iterator

import pytest
from databases import url_of
from fastapi.routing import APIRoute
from integration.signing import a_newsletter
from visitor import Visitor

from newsletter.accounts import sessions
from newsletter.accounts.models import OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.tokens import Scope
from newsletter.bootstrap import build
from newsletter.database import open_engine
from newsletter.settings import DatabaseSettings, Settings
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE, SAFE, Needing, csrf_of
from newsletter.web.rates import Rates
from subscribers.columns import Base

LOCALHOST = "http://localhost"

OPEN = {
    "/desk/login",
    "/desk/login/code",
    "/desk/oidc",
    "/desk/oidc/back",
    "/desk/setup/{token}",
}
"""Of those who have not signed in: they check for themselves who comes."""

ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
OURS = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    file = tmp_path_factory.mktemp("routes") / "newsletter.sqlite"
    engine = open_engine(url_of(file))
    Base.metadata.create_all(engine)
    engine.dispose()
    made = build(Settings(database=DatabaseSettings(url=url_of(file))), migrated=False)
    a_newsletter(made)
    with made.parts.sessions() as session:
        session.add_all(
            OperatorRow(name=name, role=role, created=made.parts.now())
            for name, role in [*((role.value, role) for role in Role), ("another", Role.VIEWER), ("spare", Role.ADMIN)]
        )
        session.commit()
    yield made
    made.parts.engine.dispose()


@pytest.fixture(scope="module")
def app(pipeline):
    return create_app(pipeline, rates=Rates(burst=10**9))


@pytest.fixture(scope="module")
def visitor(app):
    opened = Visitor(app, root=LOCALHOST)
    yield opened
    opened.close()


def routes_of(router) -> Iterator[APIRoute]:
    """The routes of an application, those of routers within it too."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_of(inner)
        elif isinstance(route, APIRoute) and re.match(r"/desk(/|$)", route.path):
            yield route


def guards_of(route: APIRoute) -> list[Role]:
    """What each seat that a route asks for may do at least."""

    def within(dependant) -> Iterator[Role]:
        for each in dependant.dependencies:
            if isinstance(each.call, Needing):
                yield each.call.role
            yield from within(each)

    return list(within(route.dependant))


def guarded(app) -> list[tuple[str, str, Role]]:
    """Method, address and least role of every route that needs somebody."""
    return [
        (method, re.sub(r"\{newsletter(:\w+)?\}", "rivers", route.path), guards_of(route)[0])
        for route in routes_of(app)
        if route.path not in OPEN
        for method in sorted(route.methods - {"HEAD", "OPTIONS"})
    ]


def filled(path: str) -> str:
    """An address of a thing that is not there."""
    return re.sub(r"\{\w+(:\w+)?\}", "1", path)


def operator_id(pipeline, name):
    return pipeline.operators.get(name).operator.id


def session_of(pipeline, name: str) -> tuple[str, int]:
    """A session of an operator: its token, and its number."""
    now = pipeline.parts.now()
    with pipeline.parts.sessions() as session:
        token = sessions.begin(session, OperatorId(operator_id(pipeline, name)), agent="", now=now)
        held = sessions.find(session, token, now=now)
        session.commit()
    return token, held.session_id


def ask(visitor, method, path, *, token="", csrf="", headers=OURS):
    """A request as a browser sends it for somebody who has signed in, or has not."""
    cookie = {"Cookie": f"{COOKIE}={token}"} if token else {}
    data = {"csrf": csrf} if csrf and method not in SAFE else None
    return visitor.ask(method, filled(path), data=data, headers={**headers, **cookie})


async def begun(app, path, token):
    """The status of an answer that may never end: how it begins."""
    started = asyncio.get_running_loop().create_future()
    headers = [(b"host", b"localhost"), (b"cookie", f"{COOKIE}={token}".encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in OURS.items()]
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": headers, "scheme": "http", "server": ("localhost", 80)}
    scope |= {"client": ("203.0.113.7", 49152), "root_path": "", "asgi": {"version": "3.0"}}
    bodies = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if bodies:
            return bodies.pop()
        return await asyncio.get_running_loop().create_future()  # the browser stays

    async def send(message):
        if message["type"] == "http.response.start" and not started.done():
            started.set_result(message["status"])

    answering = asyncio.create_task(app(scope, receive, send))
    status = await asyncio.wait_for(started, 20)
    answering.cancel()
    await asyncio.wait([answering])
    return status


def test_every_route_asks_for_one_seat(app):
    found = list(routes_of(app))
    assert {route.path for route in found} >= OPEN | {"/desk", "/desk/account", "/desk/team", "/desk/audit"}
    unguarded = {route.path for route in found if len(guards_of(route)) != 1}
    assert unguarded == OPEN


def test_nobody_gets_in_without_signing_in(app, visitor):
    wrong = []
    for method, path, _ in guarded(app):
        answer = ask(visitor, method, path)
        if answer.status_code != 303 or not answer.headers["location"].startswith("/desk/login"):
            wrong.append((method, path, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", Role)
def test_a_role_gets_as_far_as_it_reaches(app, visitor, pipeline, role):
    token, _ = session_of(pipeline, role.value)
    wrong = []
    for method, path, least in guarded(app):
        if role.covers(least):
            continue
        answer = ask(visitor, method, path, token=token, csrf=csrf_of(token))
        if answer.status_code != 403:
            wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_whoever_may_is_let_in_and_an_empty_form_is_no_error_of_ours(app, visitor, pipeline):
    wrong = []
    for method, path, least in guarded(app):
        token, _ = session_of(pipeline, least.value)
        if path.endswith("/events"):
            status = asyncio.run(begun(app, filled(path), token))
        else:
            status = ask(visitor, method, path, token=token, csrf=csrf_of(token)).status_code
        if status in {401, 403} or status >= 500:
            wrong.append((method, path, status))
    assert wrong == []


def test_a_form_without_the_token_of_its_session_is_refused(app, visitor, pipeline):
    mine, _ = session_of(pipeline, "spare")
    other, _ = session_of(pipeline, "admin")
    wrong = []
    for method, path, _ in guarded(app):
        if method in SAFE:
            continue
        for csrf in ("", csrf_of(other)):
            answer = ask(visitor, method, path, token=mine, csrf=csrf)
            if answer.status_code != 403:
                wrong.append((method, path, csrf, answer.status_code))
    assert wrong == []


def test_a_form_of_another_site_is_refused_even_with_the_token(app, visitor, pipeline):
    token, _ = session_of(pipeline, "spare")
    wrong = []
    for method, path, _ in guarded(app):
        if method in SAFE:
            continue
        answer = ask(visitor, method, path, token=token, csrf=csrf_of(token), headers=ELSEWHERE)
        if answer.status_code != 403:
            wrong.append((method, path, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("path", sorted(OPEN))
def test_a_form_before_signing_in_is_of_our_pages_too(app, visitor, path):
    methods = {method for route in routes_of(app) if route.path == path for method in route.methods}
    if "POST" in methods:
        assert ask(visitor, "POST", path, headers=ELSEWHERE).status_code == 403
    else:
        assert ask(visitor, "POST", path).status_code == 405


def test_what_belongs_to_somebody_is_theirs_alone(visitor, pipeline):
    mine, _ = session_of(pipeline, "another")
    _, theirs = session_of(pipeline, "officer")
    owner = OperatorId(operator_id(pipeline, "officer"))
    pipeline.operators.tokens.make(owner, "nightly", scopes={Scope.READ}, expires=None)
    [held] = pipeline.operators.tokens.all(owner)
    for path in (f"/desk/account/sessions/{theirs}/end", f"/desk/account/tokens/{held.id}/revoke"):
        assert ask(visitor, "POST", path, token=mine, csrf=csrf_of(mine)).status_code == 404
    assert [each.id for each in pipeline.operators.tokens.all(owner)] == [held.id]
    assert theirs in {each.id for each in pipeline.operators.own.sessions(owner)}
    owned, _ = session_of(pipeline, "officer")
    for path in (f"/desk/account/sessions/{theirs}/end", f"/desk/account/tokens/{held.id}/revoke"):
        assert ask(visitor, "POST", path, token=owned, csrf=csrf_of(owned)).status_code == 303
    assert pipeline.operators.tokens.all(owner) == []
    assert theirs not in {each.id for each in pipeline.operators.own.sessions(owner)}
