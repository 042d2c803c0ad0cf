"""
All routes of the application, those that come later too: looking changes nothing, and no request is an error of ours.

The routes are those that the application itself describes, filled with links that work and with what does not.
"""

import itertools
import json
import re
import time
from contextlib import closing

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.signing import BOTH, KEYS, bare_pipeline
from integration.test_correction import a_fair, a_pack, an_entry, approve, come_to
from schemathesis.core import NOT_SET
from sqlmodel import select
from stored import digests
from visitor import Visitor

from newsletter.assembly.facts import IssueState
from newsletter.content.images import StoredPicture
from newsletter.content.store import put_picture
from newsletter.pipeline import readiness
from newsletter.pipeline.signup import AskedFor
from newsletter.web.app import create_app
from newsletter.web.rates import Rates
from subscribers.models import ConfirmationRequest, Subscriber
from subscribers.tokens import sign

pytestmark = [
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID"),  # of routes that answer HEAD by themselves
]

MAILING = "issue:small/one"
CLOSED = {"/metrics"}
"""Not for everybody: see `test_metrics`."""

COUNTED = frozenset({"/r/{token}", "/o/{token}.gif"})
"""Routes whose answer is counted, without anything about a person: their own tests say what they change."""

GARBAGE = ("x", "k1.e30.AAAA", "é", "a" * 3000)
PATHS = ("small", "small/", "small/one/en/", "small/one/fr/issue.ics", "small/feed.en.xml", "small/two/en/", "x")
QUERIES = ("", "?lang=fr", "?lang=xx&list=members&list=none")
FIELDS = (
    *("address", "first_name", "last_name", "language", "timezone", "list", "leave", "List-Unsubscribe"),
    *("stamp", "topic", "confirm", "erase", "agreed", "rejoin", "artifact", "place", "words", "right"),
)


@pytest.fixture
def pipeline(chosen_engine, clock, tmp_path, monkeypatch):
    """An installation with an issue that was sent, a draft, and people of all kinds."""
    monkeypatch.setattr(readiness, "ensure_current", lambda _engine: None)  # these tables were made without migrations
    made = bare_pipeline(chosen_engine, clock)
    (tmp_path / "pack.yaml").write_text(json.dumps(a_pack(an_entry("quays"), a_fair())), encoding="utf-8")
    made.entries.import_pack(tmp_path / "pack.yaml")
    made.editorial.assemble("one", newsletter=None)
    approve(made, "one")
    come_to(made, IssueState.SENT)
    with made.parts.sessions() as session:
        put_picture(session, StoredPicture(name="quay.png", media_type="image/png", width=1, height=1, data=b"quay"))
        session.commit()
    made.people.lists.create("members", public=True)
    for name in ("ada", "bob", "cleo", "dora"):
        made.people.add(f"{name}@t.example", list_name="members", given={"language": "fr"})
    stamp = made.signup.offer("small", language="en").stamp
    clock.forward(seconds=10)
    made.signup.ask(AskedFor(newsletter="small", address="emil@t.example", stamp=stamp, origin="192.0.2.7"))
    assert made.signup.answer() == 1
    return made


@pytest.fixture
def tokens(pipeline):
    """A token of every kind, by purpose, some of them for people who are gone."""
    with pipeline.parts.sessions() as session:
        uids = [uid for (uid,) in session.execute(select(Subscriber.uid).order_by(Subscriber.id))]
        [key] = session.scalars(select(ConfirmationRequest.key)).all()
    left = pipeline.own.leave(sign(KEYS, "unsubscribe", f"{uids[3]}/{MAILING}"), one_click=False, origin="")
    assert left.undo
    pipeline.editorial.assemble("two", newsletter=None)
    review = pipeline.reviewing.ask("two", newsletter="small", edition="fr", reader="Ada", days=7)
    return [
        *(
            sign(KEYS, "unsubscribe", f"{uid}/{mailing}")
            for uid in (uids[0], "test")
            for mailing in (MAILING, "issue:x/y")
        ),
        *(sign(KEYS, "preferences", uid) for uid in (*uids[1:3], "test", "gone")),
        sign(KEYS, "confirm", key),
        sign(KEYS, "confirm", "0" * 32),
        left.undo,
        review.link.rpartition("/")[2],
    ]


@pytest.fixture
def app(pipeline):
    return create_app(pipeline, rates=Rates(burst=10**9))


@pytest.fixture
def visitor(app):
    with closing(Visitor(app)) as opened:
        yield opened


def described(app):
    """What the application says of its routes for readers; none has parameters that are not text."""
    return {path: methods for path, methods in app.openapi()["paths"].items() if not path.startswith("/desk")}


def addresses(path, tokens):
    """Addresses of a route: with links that work, and with what does not."""
    known = {"newsletter": ("small", "none"), "path": PATHS, "name": ("public.css", "quay.png")}
    names = re.findall(r"\{(\w+)\}", path)
    every = itertools.product(*((*known.get(name, tokens), *GARBAGE) for name in names))
    for place, values in enumerate(every):
        for query in QUERIES if place == 0 else QUERIES[:1]:
            yield path.format(**dict(zip(names, values, strict=True))) + query


@BOTH
def test_looking_at_any_address_changes_nothing(pipeline, app, visitor, tokens):
    routes = {path for path, methods in described(app).items() if "get" in methods} - COUNTED - CLOSED
    assert {"/u/{token}", "/p/{token}", "/c/{token}", "/archive/{path}", "/subscribe/{newsletter}"} <= routes
    visitor.get("/archive/small/")
    before, answered = digests(pipeline.parts.engine), {path: set() for path in routes}
    assert len(before) > 20
    for path in sorted(routes):
        for address in addresses(path, tokens):
            answer, head = visitor.get(address), visitor.head(address)
            assert answer.status_code < 500, address
            assert (head.status_code, head.content) == (answer.status_code, b""), address
            assert "set-cookie" not in answer.headers
            answered[path].add(answer.status_code)
    assert digests(pipeline.parts.engine) == before
    assert {path: statuses for path, statuses in answered.items() if not statuses & {200, 301, 302, 303}} == {}


def test_no_address_of_one_click_leads_elsewhere_or_asks_for_more(visitor, tokens, app):
    for token in tokens:
        for method in ("GET", "HEAD", "POST"):
            answer = visitor.ask(method, f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code in {200, 404}
            assert "www-authenticate" not in answer.headers


def enriched(app, tokens):
    """The description of the routes with what a form says and what a link has in it, for the generator."""
    text = {"type": "string", "maxLength": 120}
    some = {
        "token": [*tokens, "x"],
        "newsletter": ["small", "none"],
        "path": list(PATHS),
        "name": ["public.css"],
        "lang": ["fr", "xx"],
        "list": ["members"],
    }
    raw = json.loads(json.dumps({**app.openapi(), "paths": described(app)}))
    optional = [("query", "lang"), ("query", "list"), ("header", "Accept-Language"), ("header", "If-None-Match")]
    values = {"type": "string", "enum": ["members", "small", "en", "One-Click", "1", "ada@t.example", "Europe/Paris"]}
    form = {"type": "object", "properties": {name: {"anyOf": [values, text]} for name in FIELDS}}
    body = {
        "content": {
            f"{kind}": {"schema": form} for kind in ("application/x-www-form-urlencoded", "multipart/form-data")
        }
    }
    for operations in raw["paths"].values():
        for method, operation in operations.items():
            given = [{"in": place, "name": name, "required": False} for place, name in optional]
            operation["parameters"] = [
                {**each, "schema": {"anyOf": [{"type": "string", "enum": some.get(each["name"], ["en"])}, text]}}
                for each in [*operation.get("parameters", []), *given]
            ]
            if method == "post":
                operation["requestBody"] = body
    return raw


def sent_as(case):
    """A generated case in httpx's words."""
    given = {"params": dict(case.query or {}), "headers": {k: v.encode() for k, v in (case.headers or {}).items()}}
    if case.body is NOT_SET or not isinstance(case.body, dict):
        return given if case.body is NOT_SET else {**given, "content": str(case.body).encode()}
    fields = {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in case.body.items()}
    if case.media_type == "multipart/form-data":
        return {**given, "files": [(name, (None, value)) for name, value in fields.items()]}
    return {**given, "data": fields}


@pytest.mark.parametrize("examples", [200, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.timeout(1800)
@pytest.mark.unwatched
def test_no_request_is_an_error_of_ours(app, visitor, tokens, examples):
    operations = [found.ok() for found in schemathesis.openapi.from_dict(enriched(app, tokens)).get_all_operations()]
    assert len(operations) > 15
    slowest, statuses = 0.0, set()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy()))
    def ask(case):
        nonlocal slowest
        began = time.monotonic()
        answer = visitor.ask(case.method, case.formatted_path, **sent_as(case))
        slowest = max(slowest, time.monotonic() - began)
        statuses.add(answer.status_code)
        assert answer.status_code < 500, (case.method, case.path)
        assert "set-cookie" not in answer.headers
        assert not (case.path.startswith("/u/") and answer.is_redirect)

    ask()
    assert {200, 404} <= statuses
    assert slowest < 10


@pytest.mark.parametrize("examples", [40, pytest.param(5_000, marks=pytest.mark.long)])
@pytest.mark.timeout(1800)
@pytest.mark.unwatched
def test_no_body_is_an_error_of_ours(app, visitor, tokens, examples):
    paths = [path for path, methods in described(app).items() if "post" in methods]
    kinds = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/form-data", "a/b", "ø"]

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(paths), st.sampled_from(tokens), st.sampled_from(kinds), st.binary(max_size=300))
    def post(path, token, kind, body):
        address = path.format(token=token, newsletter="small", provider="x", key="x")
        framed = b'--b\r\nContent-Disposition: form-data; name="address"\r\n\r\n' + body + b"\r\n--b--\r\n"
        for content in (body, framed, b"address=" + body):
            answer = visitor.post(address, content=content, headers={"content-type": kind.encode("latin-1")})
            assert answer.status_code < 500, path

    post()
