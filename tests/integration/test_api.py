"""The API: who may call, what it answers, and that a request which comes twice is done once."""

import datetime as dt
import json
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core import NOT_SET
from schemathesis.core.transport import Response
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from subscribing import scene
from visitor import Visitor

from newsletter.accounts import replies, tokens
from newsletter.accounts.models import AuditRow, OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.tokens import Scope
from newsletter.errors import NewsletterError
from newsletter.web.api.problems import kind_of
from newsletter.web.app import create_app

ROOT = "http://localhost"
ISSUE = "/api/v1/newsletters/harbour/issues/one"
ENTRY = "/api/v1/newsletters/harbour/entries/crane"

CRANE = {
    "kind": "news",
    "section": "lead",
    "published": "2026-11-22",
    "texts": {"en": {"title": "The old crane turns again", "body": "On Sundays."}},
}


class Program:
    """A program with a token."""

    def __init__(self, app, token=""):
        self.visitor = Visitor(app, root=ROOT)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method, path, body=None, **headers):
        given = {"json": body} if body is not None else {}
        return self.visitor.ask(method, path, headers={**self.headers, **headers}, **given)

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, body, **headers)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with scene(tmp_path_factory.mktemp("api"), root=ROOT) as made:
        yield made


@pytest.fixture(scope="module")
def app(place):
    return create_app(place.pipeline)


def token_for(pipeline, name, role, scopes=tuple(Scope), expires=None):
    now = pipeline.parts.now()
    with pipeline.parts.sessions() as session:
        row = session.exec(select(OperatorRow).where(OperatorRow.name == name)).first()
        if row is None:
            row = OperatorRow(name=name, email=f"{name}@desk.example", role=role, created=now)
            session.add(row)
            session.flush()
        token = tokens.issue(session, OperatorId(row.id), name="tests", scopes=scopes, expires=expires, now=now)
        session.commit()
    return token


@pytest.fixture(scope="module")
def calling(place, app):
    """Makes a program whose operator has a role, with some scopes."""
    made = []

    def program(role=Role.ADMIN, scopes=tuple(Scope), **given):
        made.append(Program(app, token_for(place.pipeline, f"api-{role.value}", role, scopes, **given)))
        return made[-1]

    yield program
    for each in made:
        each.visitor.close()


@pytest.fixture(scope="module")
def admin(calling):
    return calling()


def kind(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    return told["type"].removeprefix("urn:newsletter:problem:")


def test_anybody_may_read_the_description_and_nothing_else(app):
    visitor = Visitor(app, root=ROOT)
    described = visitor.get("/api/v1/openapi.json").json()
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"HTTPBearer": []}], (method, path)
            assert operation["description"], (method, path)
    answer = visitor.get("/api/v1/newsletters")
    assert (answer.status_code, kind(answer)) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    visitor.close()


def test_a_token_that_has_ended_or_is_none_of_ours_is_none(place, app, calling):
    ended = calling(expires=place.pipeline.parts.now() - dt.timedelta(seconds=1))
    assert ended.get("/api/v1/newsletters").status_code == 401
    other = Program(app, "nl_" + "x" * 43)
    assert other.get("/api/v1/newsletters").status_code == 401
    other.visitor.close()


def test_a_token_does_what_its_scopes_and_its_operator_may(calling):
    reader = calling(Role.OFFICER, (Scope.READ,))
    assert reader.get("/api/v1/newsletters").json()[0]["slug"] == "harbour"
    answer = reader.ask("PUT", ENTRY, {"entry": CRANE})
    assert (answer.status_code, kind(answer)) == (403, "scope-missing")
    assert reader.get("/api/v1/subscribers").status_code == 403
    officer = calling(Role.OFFICER)
    assert officer.ask("PATCH", "/api/v1/newsletters/harbour", {"changes": {}}).status_code == 403
    assert calling(Role.VIEWER).post("/api/v1/halt").status_code == 403


def test_what_cannot_be_done_is_a_problem(admin):
    assert kind(admin.get("/api/v1/newsletters/nowhere")) == "not-found"
    assert kind(admin.get("/api/v1/nothing")) == "not-found"
    assert kind(admin.ask("DELETE", "/api/v1/newsletters")) == "method-not-allowed"
    answer = admin.post("/api/v1/lists", {"name": ""})
    assert kind(answer) == "invalid"
    assert answer.json()["errors"][0]["pointer"] == "/body/name"
    assert kind(admin.get("/api/v1/subscribers?after=%C3%A9")) == "invalid"
    assert kind(admin.get("/api/v1/subscribers?after=eA")) == "invalid"
    assert kind(admin.get("/api/v1/subscribers/nobody")) == "not-found"
    assert kind(admin.post(f"{ISSUE}/pause")) == "conflict"
    assert kind_of(NewsletterError()) == (500, "internal")


def test_what_is_ours_to_mend_is_a_problem_too(place, admin, monkeypatch):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(type(place.pipeline.people.lists), "all", fails)
    error = ZeroDivisionError("secret")
    answer = admin.get("/api/v1/lists")
    assert (answer.status_code, kind(answer)) == (500, "internal")
    assert "secret" not in answer.text
    error = OperationalError("SELECT", {}, Exception("locked"))
    answer = admin.get("/api/v1/lists")
    assert (answer.status_code, kind(answer), answer.headers["retry-after"]) == (503, "unavailable", "30")


def test_entries_are_stored_read_and_deleted(admin, place):
    made = admin.ask("PUT", ENTRY, {"entry": CRANE})
    assert (made.status_code, made.json()["key"]) == (201, "crane")
    again = admin.ask("PUT", ENTRY, {"entry": CRANE})
    assert (again.status_code, again.json()["changes"]) == (200, [])
    read = admin.get(ENTRY).json()
    assert read["entry"]["texts"]["en"]["title"] == "The old crane turns again"
    changed = {**CRANE, "texts": {"en": {"title": "The crane turns", "body": "On Sundays."}}}
    stale = admin.ask("PUT", ENTRY, {"entry": changed, "revision": read["revision"] + 7})
    assert kind(stale) == "conflict"
    stored = admin.ask("PUT", ENTRY, {"entry": changed, "revision": read["revision"]}).json()
    assert stored["revision"] == read["revision"] + 1
    wrong = admin.ask("PUT", ENTRY, {"entry": {**CRANE, "section": "nowhere"}})
    assert "there is no section" in wrong.json()["detail"]
    broken = admin.ask("PUT", ENTRY, {"entry": {**CRANE, "kind": "poem"}})
    assert broken.json()["errors"][0]["pointer"] == "/kind"
    assert admin.ask("DELETE", ENTRY).status_code == 204
    assert admin.get(ENTRY).status_code == 404
    with place.pipeline.parts.sessions() as session:
        deeds = [row.action for row in session.exec(select(AuditRow).where(AuditRow.operator == "api-admin"))]
    assert {"entry made", "entry changed", "entry deleted"} <= set(deeds)


def test_a_list_ends_on_every_page_where_the_next_begins(admin):
    for number in range(5):
        admin.ask("PUT", f"{ENTRY}-{number}", {"entry": CRANE})
    seen, after = [], ""
    while after is not None:
        page = admin.get(f"/api/v1/newsletters/harbour/entries?limit=2&after={after}").json()
        assert len(page["items"]) <= 2
        seen += [row["key"] for row in page["items"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    assert {f"crane-{number}" for number in range(5)} <= set(seen)
    french = admin.get("/api/v1/newsletters/harbour/entries?language=fr&kind=news&status=published").json()
    assert [row["key"] for row in french["items"]] == ["ferry"]
    for number in range(5):
        admin.ask("DELETE", f"{ENTRY}-{number}")


def test_people_join_are_found_changed_and_leave(admin):
    joined = admin.post(
        "/api/v1/subscribers",
        {"address": "ada@pier.example", "list": "monthly", "values": {"first_name": "Ada", "berth": "7"}},
    )
    assert (joined.status_code, joined.json()["verdict"]) == (201, "new")
    one = f"/api/v1/subscribers/{joined.json()['id']}"
    found = admin.post("/api/v1/subscribers/find", {"address": "ADA@pier.example"}).json()
    assert found["memberships"][0]["list"] == "monthly"
    assert admin.get(one).json() == found
    assert admin.ask("PATCH", one, {"values": {"last_name": "Lund", "tags": "crew;night"}}).json()["changed"]
    assert admin.get(one).json()["tags"] == ["crew", "night"]
    admin.post("/api/v1/subscribers", {"address": "bo@pier.example", "list": "monthly"})
    first = admin.get("/api/v1/subscribers?limit=1&list=monthly").json()
    second = admin.get(f"/api/v1/subscribers?limit=1&list=monthly&after={first['next']}").json()
    assert [row["address"] for row in (*first["items"], *second["items"])] == ["ada@pier.example", "bo@pier.example"]
    assert second["next"] is None
    assert admin.post(f"{one}/suppress", {"reason": "asked by telephone"}).json()["changed"]
    assert admin.get(one).json()["suppressed"] == "manual"
    assert admin.post(f"{one}/unsuppress", {"reason": "asked again"}).json()["changed"]
    assert admin.post(f"{one}/leave", {"list": "monthly"}).json()["changed"]
    assert admin.ask("DELETE", one).json()["changed"]
    assert admin.get(one).status_code == 404


def test_lists_and_segments_are_made_counted_and_deleted(admin):
    assert admin.post("/api/v1/lists", {"name": "friends", "public": True}).json()["double_opt_in"]
    assert {each["name"] for each in admin.get("/api/v1/lists").json()} == {"monthly", "press", "friends"}
    saved = admin.ask("PUT", "/api/v1/segments/near", {"expression": 'list = "friends"'}).json()
    assert saved["words"]
    changed = admin.ask("PUT", "/api/v1/segments/near", {"expression": 'list = "monthly"'}).json()
    assert changed["expression"] == 'list = "monthly"'
    assert admin.get("/api/v1/segments").json() == [admin.get("/api/v1/segments/near").json()]
    counted = admin.get("/api/v1/segments/near/count?newsletter=harbour").json()
    assert counted["matching"] == counted["audience"]
    wrong = admin.ask("PUT", "/api/v1/segments/near", {"expression": "list = "})
    assert kind(wrong) == "invalid"
    assert admin.ask("DELETE", "/api/v1/segments/near").status_code == 204
    assert admin.ask("DELETE", "/api/v1/lists/friends").status_code == 204


def test_an_issue_goes_from_its_entries_to_its_audit(place, calling, admin):
    officer = calling(Role.OFFICER)
    for name in ("bo", "cy"):
        admin.post("/api/v1/subscribers", {"address": f"{name}@pier.example", "list": "monthly"})
    admin.ask("PUT", "/api/v1/segments/readers", {"expression": 'list = "monthly"'})
    assert officer.post(f"{ISSUE}/assemble", {}).status_code == 200
    shown = officer.get(ISSUE).json()
    assert [item["key"] for item in shown["items"]] == ["ferry"]
    assert officer.get(f"{ISSUE}/findings?segment=readers").json()["verdict"] in {0, 4}
    edition = officer.get(f"{ISSUE}/editions/fr").json()
    assert "Le ferry de nuit" in edition["html"]
    assert "Le ferry de nuit" in edition["text"]
    for finding in officer.get(f"{ISSUE}/findings?segment=readers").json()["findings"]:
        if finding["severity"] == "warning" and not finding["waived"]:
            given = {"code": finding["code"], "reason": "for the test", "segment": "readers"}
            assert officer.post(f"{ISSUE}/waivers", given).status_code == 201
    approved = officer.post(f"{ISSUE}/approve").json()
    assert approved["pinned"]
    queued = officer.post(f"{ISSUE}/queue", {"segment": "readers", "at": "2999-01-01 09:00"})
    assert queued.status_code == 201
    assert queued.json()["audience"] == 2
    assert officer.get(f"{ISSUE}/status").json()["state"] == "queued"
    assert officer.post(f"{ISSUE}/cancel").json()["state"] in {"approved", "cancelled"}
    assert officer.post(f"{ISSUE}/queue", {"segment": "readers"}).status_code == 201
    place.dispatch()
    standing = officer.get(f"{ISSUE}/status").json()
    assert (standing["state"], standing["deliveries"]["accepted"]) == ("sent", 2)
    assert officer.get(f"{ISSUE}/audit").json()["holds"]
    told = officer.post(f"{ISSUE}/explain", {"address": "cy@pier.example"}).json()
    assert told["state"] == "accepted"
    assert officer.post(f"{ISSUE}/tests", {"address": "cy@pier.example", "language": "fr"}).status_code == 202
    copied = officer.post(f"{ISSUE}/copy", {"slug": "two"})
    assert copied.status_code == 201, copied.text
    assert copied.json()["state"] == "draft"
    listed = officer.get("/api/v1/newsletters/harbour/issues?limit=1").json()
    assert listed["items"][0]["slug"] == "two"
    rest = officer.get(f"/api/v1/newsletters/harbour/issues?limit=1&after={listed['next']}").json()
    assert ([row["slug"] for row in rest["items"]], rest["next"]) == (["one"], None)
    assert officer.post("/api/v1/halt").json() == {"issues": []}


def test_webhooks_are_added_tried_and_removed(admin):
    made = admin.post("/api/v1/webhooks", {"url": "https://crm.example/hooks", "events": ["subscriber.left"]})
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    one = f"/api/v1/webhooks/{made.json()['id']}"
    assert admin.get("/api/v1/webhooks").json() == [admin.get(one).json()]
    assert "secret" not in admin.get(one).json()
    assert admin.post(f"{one}/test").status_code == 202
    assert [call["event"] for call in admin.get(f"{one}/calls").json()] == ["webhook.test"]
    assert admin.post(f"{one}/enable").json()["disabled"] is None
    assert (
        kind(admin.post("/api/v1/webhooks", {"url": "mailto:x@crm.example", "events": ["run.finished"]})) == "invalid"
    )
    assert admin.ask("DELETE", one).status_code == 204
    assert kind(admin.get(one)) == "not-found"


def test_a_request_that_comes_twice_is_done_once(admin, place):
    body = {"name": "once", "public": False}
    first = admin.post("/api/v1/lists", body, **{"Idempotency-Key": "k-1"})
    again = admin.post("/api/v1/lists", body, **{"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = admin.post("/api/v1/lists", {"name": "other"}, **{"Idempotency-Key": "k-1"})
    assert kind(other) == "idempotency-key-reused"
    assert kind(admin.post("/api/v1/lists", body, **{"Idempotency-Key": "x" * 256})) == "invalid"
    refused = admin.post("/api/v1/lists", body, **{"Idempotency-Key": "k-2"})
    assert kind(refused) == "conflict"
    assert admin.post("/api/v1/lists", body, **{"Idempotency-Key": "k-2"}).headers["idempotency-replayed"]


def test_of_many_at_once_one_is_done(place, app, calling):
    barrier, answers = threading.Barrier(6), []
    programs = [calling() for _ in range(6)]
    key = programs[0].headers

    def ask(program):
        program.headers = key
        barrier.wait()
        answers.append(program.post("/api/v1/lists", {"name": "race"}, **{"Idempotency-Key": "race"}))

    threads = [threading.Thread(target=ask, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    done = [answer for answer in answers if answer.status_code == 201 and "idempotency-replayed" not in answer.headers]
    assert len(done) == 1
    assert {kind(answer) for answer in answers if answer.status_code == 409} <= {"in-progress"}


def test_what_nobody_could_do_may_be_tried_again(calling):
    reader = calling(Role.OFFICER, (Scope.READ,))
    refused = reader.post("/api/v1/lists", {"name": "later"}, **{"Idempotency-Key": "k-3"})
    assert refused.status_code == 403
    again = reader.post("/api/v1/lists", {"name": "later"}, **{"Idempotency-Key": "k-3"})
    assert "idempotency-replayed" not in again.headers


def test_a_claim_whose_process_died_is_free_after_a_while_and_answers_are_forgotten(place):
    now = place.pipeline.parts.now()
    mine = {"caller": "c" * 64, "key": "dead", "fingerprint": "f" * 64}
    with place.pipeline.parts.sessions() as session:
        assert replies.claim(session, **mine, now=now) is None
        assert replies.claim(session, **mine, now=now).status == 0
        assert replies.claim(session, **mine, now=now + replies.STALE) is None
        reply = replies.Reply(fingerprint="f" * 64, status=204, media_type="", body=b"")
        replies.answer(session, reply, caller=mine["caller"], key="dead")
        assert replies.claim(session, **mine, now=now + replies.STALE).status == 204
        assert replies.claim(session, **mine, now=now + replies.STALE + replies.KEPT) is None
        session.rollback()


def sent_as(case):
    query = dict(case.query or {})
    given = {"params": query} if query else {}
    if case.body is not NOT_SET:
        given["content"] = json.dumps(case.body, default=str).encode()
        given["headers"] = {"Content-Type": "application/json"}
    return given


@pytest.mark.parametrize("examples", [150, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.timeout(3600)
@pytest.mark.unwatched
def test_every_answer_is_as_its_schema_says(app, admin, examples):
    described = admin.get("/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict({**described, "servers": [{"url": f"{ROOT}/api/v1"}]})
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 35
    statuses = set()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy()))
    def ask(case):
        given = sent_as(case)
        headers = {**admin.headers, **given.pop("headers", {})}
        answer = admin.visitor.ask(case.method, f"/api/v1{case.formatted_path}", headers=headers, **given)
        statuses.add(answer.status_code)
        assert answer.status_code < 500, (case.method, case.path, answer.text)
        case.operation.validate_response(Response.from_any(answer))

    ask()
    assert {200, 404, 422} <= statuses
