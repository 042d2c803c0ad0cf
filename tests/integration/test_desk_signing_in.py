"""Coming in at the desk: by name and password, from our own pages, as far as a role reaches."""

import datetime as dt
from pathlib import Path

import pytest
from databases import url_of
from fastapi import APIRouter
from integration.desk import LOCALHOST, Browser, desk_client
from sqlmodel import col, select

from newsletter.accounts import sessions
from newsletter.accounts.models import OperatorRow, OperatorSessionRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.accounts.passwords import hashed
from newsletter.bootstrap import build
from newsletter.database import migrate
from newsletter.errors import NotFound, WrongState
from newsletter.settings import DatabaseSettings, Settings
from newsletter.web.app import create_app
from newsletter.web.desk.forms import Sent, SentJson
from newsletter.web.desk.guard import COOKIE, Admin, Officer, Viewer, csrf_of

PASSWORD = "seven herons on the weir"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    file: Path = tmp_path_factory.mktemp("desk") / "newsletter.sqlite"
    settings = Settings(database=DatabaseSettings(url=url_of(file)), public_url="http://news.example")
    made = build(settings, migrated=False)
    migrate(made.parts.engine)
    with made.parts.sessions() as session:
        for role in Role:
            session.add(OperatorRow(name=role.value, role=role, password=hashed(PASSWORD), created=made.parts.now()))
        session.commit()
    yield made
    made.parts.engine.dispose()


@pytest.fixture(scope="module")
def app(pipeline):
    made, routes = create_app(pipeline), APIRouter()

    @routes.get("/desk/tests/viewer")
    def look(seat: Viewer):
        return {"name": seat.operator.name, "newsletter": seat.newsletter}

    @routes.post("/desk/tests/officer")
    def write(seat: Officer, form: Sent):
        return {
            "fields": form.fields,
            "files": {name: file.content.decode() for name, file in form.files.items()},
            "acts": seat.pipeline.parts.operator,
        }

    @routes.post("/desk/tests/json")
    def write_json(seat: Officer, body: SentJson):
        return {"said": body, "acts": seat.operator.name}

    @routes.post("/desk/tests/admin")
    def decide(seat: Admin):
        raise WrongState("it has begun already") if seat.may("admin") else NotFound("entry", "x")

    made.include_router(routes)
    return made


@pytest.fixture
def browser(app):
    visitor = Browser(app, root=LOCALHOST)
    yield visitor
    visitor.close()


def signed_in(browser, role=Role.OFFICER, **more):
    answer = browser.post("/desk/login", data={"name": role.value, "password": PASSWORD, **more})
    assert answer.status_code == 303
    return answer


def token_of(browser):
    return csrf_of(browser.cookies[COOKIE])


def test_who_has_not_signed_in_is_led_to_the_form_and_back(browser):
    answer = browser.get("/desk/tests/viewer?page=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login?next=/desk/tests/viewer%3Fpage%3D2")
    answer = browser.post(
        "/desk/login?next=/desk/tests/viewer%3Fpage%3D2", data={"name": "viewer", "password": PASSWORD}
    )
    assert answer.headers["location"] == "/desk/tests/viewer?page=2"
    assert browser.get("/desk/tests/viewer").json()["name"] == "viewer"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/desk/x", "//evil.example/desk/x", "/u/token", "desk/x"])
def test_signing_in_leads_nowhere_but_to_the_desk(browser, elsewhere):
    answer = browser.post(f"/desk/login?next={elsewhere}", data={"name": "viewer", "password": PASSWORD})
    assert answer.headers["location"] == "/desk"


def test_a_script_is_told_instead_of_led(browser):
    assert browser.get("/desk/tests/viewer", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401
    answer = browser.get("/desk/tests/viewer", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/desk/login")


@pytest.mark.parametrize(
    ("name", "password"), [("officer", "wrong words entirely"), ("nobody", PASSWORD), ("officer", ""), ("", PASSWORD)]
)
def test_a_wrong_name_and_a_wrong_password_look_alike(browser, name, password):
    answer = browser.post("/desk/login", data={"name": name, "password": password})
    assert answer.status_code == 403
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    cookie = signed_in(browser).headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie


def test_on_https_the_cookie_is_bound_to_the_host(app):
    browser = Browser(app, root="https://localhost")
    cookie = signed_in(browser).headers["set-cookie"]
    assert cookie.startswith("__Host-desk=")
    assert "Secure" in cookie
    assert browser.get("/desk/tests/viewer").status_code == 200
    kept = browser.cookies["__Host-desk"]
    browser.cookies.clear()
    browser.cookies.set("desk", kept)  # as another host of the domain could set it
    assert browser.get("/desk/tests/viewer").status_code == 303
    browser.close()


def test_signing_out_ends_the_session(browser):
    signed_in(browser)
    kept = browser.cookies["desk"]
    answer = browser.post("/desk/logout", data={"csrf": token_of(browser)})
    assert answer.headers["location"] == "/desk/login"
    browser.cookies.set("desk", kept)
    assert browser.get("/desk/tests/viewer").status_code == 303


def test_a_role_reaches_as_far_as_it_reaches(browser):
    signed_in(browser, Role.VIEWER)
    answer = browser.post("/desk/tests/officer", data={"csrf": token_of(browser)})
    assert answer.status_code == 403
    assert "may not" in answer.text


def test_a_form_without_its_token_changes_nothing(browser):
    signed_in(browser)
    token = token_of(browser)
    assert browser.post("/desk/tests/officer", data={"title": "x"}).status_code == 403
    assert browser.post("/desk/tests/officer", data={"csrf": token[:-1]}).status_code == 403
    assert browser.post("/desk/tests/officer", data={"csrf": token}).status_code == 200
    assert browser.post("/desk/tests/officer", headers={"X-CSRF-Token": token}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_a_form_of_another_site_changes_nothing_even_with_the_token(browser, headers):
    signed_in(browser)
    given = {"csrf": token_of(browser)}
    assert browser.post("/desk/tests/officer", data=given, headers=headers).status_code == 403
    credentials = {"name": "officer", "password": PASSWORD}
    assert browser.post("/desk/login", data=credentials, headers=headers).status_code == 403


def test_fields_and_files_come_as_they_were_sent_in_the_name_of_the_operator(browser):
    signed_in(browser)
    data = {"csrf": token_of(browser), "title": "Høje\r\nvand", "tag": ["a", "b"]}
    answer = browser.post("/desk/tests/officer", data=data, files={"picture": ("p.png", b"bytes", "image/png")}).json()
    assert answer["fields"]["title"] == ["Høje\nvand"]
    assert answer["fields"]["tag"] == ["a", "b"]
    assert answer["files"] == {"picture": "bytes"}
    assert answer["acts"] == "officer"


def test_a_field_with_control_characters_is_refused(browser):
    signed_in(browser)
    data = {"csrf": token_of(browser), "title": "a\x00b"}
    assert browser.post("/desk/tests/officer", data=data).status_code == 422


def test_json_bears_its_token_in_a_header(browser):
    signed_in(browser)
    token = {"X-CSRF-Token": token_of(browser)}
    assert browser.post("/desk/tests/json", json={"a": 1}).status_code == 403
    assert browser.post("/desk/tests/json", json={"a": 1}, headers=token).json()["said"] == {"a": 1}
    assert browser.post("/desk/tests/json", json=[1], headers=token).status_code == 400
    broken = {**token, "Content-Type": "application/json"}
    assert browser.post("/desk/tests/json", content=b"{", headers=broken).status_code == 400


def test_what_a_verb_refuses_is_said_on_a_page(pipeline, app):
    admin = desk_client(pipeline, role=Role.ADMIN, app=app)
    answer = admin.post("/desk/tests/admin")
    assert answer.status_code == 409
    assert "it has begun already" in answer.text


def test_a_page_that_does_not_exist_says_so_in_the_language_of_the_operator(pipeline, app):
    french = desk_client(pipeline, name="claire", language="fr", app=app)
    answer = french.get("/desk/nowhere")
    assert answer.status_code == 404
    assert "Cette page n’existe pas" in answer.text


def test_a_session_ends_after_half_a_day_without_use_and_after_two_weeks(pipeline):
    now = pipeline.parts.now()
    with pipeline.parts.sessions() as session:
        row = session.exec(select(OperatorRow).where(col(OperatorRow.name) == "viewer")).one()
        token = sessions.begin(session, OperatorId(row.id), agent="x" * 300, now=now)
        assert sessions.find(session, token, now=now + sessions.IDLE - dt.timedelta(seconds=1))
        assert sessions.find(session, token, now=now + sessions.IDLE) is None
        held = session.exec(select(OperatorSessionRow).order_by(col(OperatorSessionRow.id).desc())).first()
        sessions.touch(session, held.id, newsletter="rivers", now=now + sessions.LASTING - dt.timedelta(hours=1))
        session.expire_all()
        last = sessions.find(session, token, now=now + sessions.LASTING - dt.timedelta(seconds=1))
        assert last.newsletter == "rivers"
        assert sessions.find(session, token, now=now + sessions.LASTING) is None
        assert sessions.drop_ended(session, now + sessions.LASTING) >= 1
        assert sessions.find(session, token, now=now) is None
        session.rollback()


def test_a_disabled_operator_sits_nowhere(pipeline, app):
    gone = desk_client(pipeline, name="gone", app=app)
    assert gone.get("/desk/tests/viewer").status_code == 200
    with pipeline.parts.sessions() as session:
        row = session.exec(select(OperatorRow).where(col(OperatorRow.name) == "gone")).one()
        row.disabled = pipeline.parts.now()
        session.add(row)
        session.commit()
    assert gone.get("/desk/tests/viewer").status_code == 303


def test_all_other_sessions_can_be_ended_at_once(pipeline):
    now = pipeline.parts.now()
    with pipeline.parts.sessions() as session:
        row = session.exec(select(OperatorRow).where(col(OperatorRow.name) == "admin")).one()
        first, second = (sessions.begin(session, OperatorId(row.id), agent="", now=now) for _ in range(2))
        mine = sessions.find(session, second, now=now)
        assert sessions.end_all(session, OperatorId(row.id), but=mine.session_id) >= 1
        assert sessions.find(session, first, now=now) is None
        assert sessions.find(session, second, now=now) == mine
        session.rollback()


def test_files_of_pages_are_kept_for_ever_by_their_version_and_come_compressed(browser):
    page = browser.get("/desk/login").text
    for name in ("desk.css", "htmx.js"):
        address = next(part for part in page.split('"') if part.startswith(f"/static/{name}?v="))
        answer = browser.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert browser.get(address, headers={"Accept-Encoding": "identity"}).content == answer.content
    assert "immutable" not in browser.get("/static/desk.css?v=older").headers["cache-control"]
    assert browser.get("/static/nothing.css").status_code == 404


def test_a_module_that_others_import_is_asked_for_again_each_time(browser):
    first = browser.get("/static/desk.js")
    assert first.headers["cache-control"] == "no-cache"
    assert browser.get("/static/desk.js", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
