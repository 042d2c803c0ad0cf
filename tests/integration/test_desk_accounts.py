"""The pages of accounts: what they show, what their forms do, and what they show once only."""

import csv
import io
import re

import pyotp
import pytest
from databases import url_of
from integration.desk import LOCALHOST, Browser, desk_client

from newsletter.accounts.models import Deed
from newsletter.accounts.operator import Role
from newsletter.accounts.tokens import Scope
from newsletter.bootstrap import build
from newsletter.database import open_engine
from newsletter.settings import DatabaseSettings, DeskSettings, Settings
from newsletter.web.app import create_app
from newsletter.web.desk.words import desk_words
from newsletter.web.rates import Rates
from subscribers.columns import Base

PASSWORD = "seven herons on the weir"
OTHER = "four otters under a bridge"
SCRIPT = "<script>alert(1)</script>"
DOCUMENT = {"Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    file = tmp_path_factory.mktemp("accounts") / "newsletter.sqlite"
    engine = open_engine(url_of(file))
    Base.metadata.create_all(engine)
    engine.dispose()
    settings = Settings(
        database=DatabaseSettings(url=url_of(file)),
        public_url=LOCALHOST,
        desk=DeskSettings(second_factor="officer"),
    )
    made = build(settings, migrated=False)
    made.operators.add("root", role=Role.ADMIN, password=PASSWORD)
    yield made
    made.parts.engine.dispose()


@pytest.fixture(scope="module")
def app(pipeline):
    return create_app(pipeline, rates=Rates(burst=10**9))


@pytest.fixture
def browser(app):
    opened = Browser(app, root=LOCALHOST)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def admin(pipeline, app):
    """An administrator with a device."""
    client = desk_client(pipeline, role=Role.ADMIN, name="boss", app=app)
    own, me = pipeline.operators.own, pipeline.operators.get("boss").operator.id
    own.begin_second(me)
    own.confirm_second(me, pyotp.TOTP(own.second_step(me).secret).now())
    return client


def viewer(pipeline, app, name):
    return desk_client(pipeline, role=Role.VIEWER, name=name, app=app)


def test_a_new_colleague_makes_an_account_by_a_link_and_is_in(browser, pipeline, admin):
    shown = admin.post("/desk/team/invite", {"email": "bela@rivers.example", "role": "viewer"}).text
    link = re.search(rf"{LOCALHOST}(/desk/setup/[\w-]+)", shown)[1]
    assert link not in admin.get("/desk/team").text
    assert "bela@rivers.example" in admin.get("/desk/team").text
    form = browser.get(link).text
    assert 'value="bela@rivers.example"' in form
    given = {"name": "bela", "full_name": "Béla", "email": "bela@rivers.example", "language": "fr"}
    given |= {"timezone": "Europe/Budapest", "password": "newsletter2026"}
    refused = browser.post(link, data=given)
    assert refused.status_code == 422
    assert "first that anybody tries" in refused.text
    assert "newsletter2026" not in refused.text
    made = browser.post(link, data=given | {"password": PASSWORD})
    assert (made.status_code, made.headers["location"]) == (303, "/desk")
    assert browser.get("/desk/account").headers["content-language"] == "fr"
    assert browser.get(link).status_code == 410
    assert browser.post(link, data=given).status_code == 410


def test_the_first_account_leads_to_the_first_newsletter(tmp_path):
    engine = open_engine(url_of(tmp_path / "newsletter.sqlite"))
    Base.metadata.create_all(engine)
    engine.dispose()
    empty = build(Settings(database=DatabaseSettings(url=url_of(tmp_path / "newsletter.sqlite"))), migrated=False)
    app = create_app(empty)
    browser, another = Browser(app, root=LOCALHOST), Browser(app, root=LOCALHOST)
    assert "no account yet" in browser.get("/desk/login").text
    token = empty.operators.setup.first()
    given = {"name": "anna", "full_name": "Anna", "language": "en", "timezone": "UTC", "password": PASSWORD}
    made = browser.post(f"/desk/setup/{token}", data=given)
    assert made.headers["location"] == "/desk/newsletters/new"
    assert browser.get("/desk/account").status_code == 200
    assert "no account yet" not in another.get("/desk/login").text
    browser.close()
    another.close()
    empty.parts.engine.dispose()


def test_a_role_that_needs_a_second_factor_gets_nowhere_without(pipeline, app):
    officer = desk_client(pipeline, role=Role.OFFICER, name="olga", app=app)
    for path in ("/desk", "/desk/account", "/desk/account/tokens", "/desk/people"):
        answer = officer.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/account/security"), path
    assert officer.post("/desk/account/tokens", {"label": "x", "scopes": "read"}).status_code == 303
    page = officer.get("/desk/account/security").text
    assert "has to sign in with a second factor" in page
    assert officer.post("/desk/account/second/begin").status_code == 303
    page = officer.get("/desk/account/security").text
    secret = re.search(r'class="key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    picture = officer.get("/desk/account/second.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert officer.post("/desk/account/second/confirm", {"code": "000000"}).status_code == 422
    codes = officer.post("/desk/account/second/confirm", {"code": pyotp.TOTP(secret).now()})
    assert len(re.findall(r"<code>[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</code>", codes.text)) == 10
    assert officer.get("/desk/account").status_code == 200
    assert officer.get("/desk/account/second.svg").status_code == 404
    removal = officer.post("/desk/account/second/remove", {"present": ""})
    assert removal.status_code == 422
    assert "Your role has to" in removal.text


def test_with_a_device_signing_in_takes_two_steps(browser, pipeline):
    pipeline.operators.add("cleo", role=Role.VIEWER, password=PASSWORD)
    own, me = pipeline.operators.own, pipeline.operators.get("cleo").operator.id
    own.begin_second(me)
    device = pyotp.TOTP(own.second_step(me).secret)
    codes = own.confirm_second(me, device.now())
    assert browser.get("/desk/login/code").headers["location"] == "/desk/login"
    first = browser.post("/desk/login?next=/desk/account", data={"name": "cleo", "password": PASSWORD})
    assert first.headers["location"] == "/desk/login/code?next=%2Fdesk%2Faccount"
    cookie = first.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/desk/login"} <= {part.strip() for part in cookie.split(";")}
    assert browser.get("/desk/account").status_code == 303
    wrong = browser.post("/desk/login/code?next=/desk/account", data={"code": "000000"})
    assert (wrong.status_code, "not right" in wrong.text) == (403, True)
    second = browser.post("/desk/login/code?next=/desk/account", data={"code": codes[0]})
    assert second.headers["location"] == "/desk/account"
    assert browser.get("/desk/account").status_code == 200
    browser.cookies.set("desk_ticket", "k1.forged.ticket", path="/desk/login")
    assert browser.post("/desk/login/code", data={"code": "1"}).headers["location"] == "/desk/login"


def test_too_many_wrong_passwords_are_answered_with_how_long_to_wait(browser):
    for _ in range(3):
        assert browser.post("/desk/login", data={"name": "nobody", "password": "x"}).status_code == 403
    answer = browser.post("/desk/login", data={"name": "nobody", "password": "x"}, headers={"Accept-Language": "fr"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 1
    assert "Trop de tentatives" in answer.text


def test_a_changed_password_keeps_this_browser_in_and_no_other(browser, pipeline, app):
    pipeline.operators.add("dora", role=Role.VIEWER, password=PASSWORD)
    elsewhere = viewer(pipeline, app, "dora")
    browser.post("/desk/login", data={"name": "dora", "password": PASSWORD})
    token = re.search(r'name="csrf" content="(\w+)"', browser.get("/desk/account/security").text)[1]
    given = {"csrf": token, "present": PASSWORD, "password": OTHER}
    wrong = browser.post("/desk/account/password", data=given | {"present": OTHER})
    assert (wrong.status_code, "not your present password" in wrong.text) == (422, True)
    assert browser.post("/desk/account/password", data=given).status_code == 303
    assert browser.get("/desk/account").status_code == 200
    assert elsewhere.get("/desk/account").status_code == 303


def test_ones_own_account_is_changed_and_stays_text(pipeline, app):
    client = viewer(pipeline, app, "emil")
    given = {"full_name": SCRIPT, "email": "emil@rivers.example", "language": "fr", "timezone": "Europe/Paris"}
    assert client.post("/desk/account", given).status_code == 303
    page = client.get("/desk/account")
    assert "&lt;script&gt;alert(1)" in page.text
    assert SCRIPT not in page.text
    assert page.headers["content-language"] == "fr"
    wrong = client.post("/desk/account", given | {"email": "nothing", "full_name": "Emil"})
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    assert 'value="Emil"' in wrong.text


def test_sessions_are_listed_by_their_browsers_and_ended(pipeline, app):
    client = viewer(pipeline, app, "fritz")
    others = [viewer(pipeline, app, "fritz") for _ in range(2)]
    mine = pipeline.operators.own.sessions(pipeline.operators.get("fritz").operator.id)
    assert client.get("/desk/account/sessions").text.count('action="/desk/account/sessions/') == len(mine)
    assert client.post(f"/desk/account/sessions/{mine[0].id}/end").status_code == 303
    assert client.post("/desk/account/sessions/end").status_code == 303
    assert client.get("/desk/account/sessions").status_code == 200
    assert [other.get("/desk").status_code for other in others] == [303, 303]


def test_a_token_is_shown_once_and_revoked(pipeline, app):
    client = viewer(pipeline, app, "greta")
    assert "scope-content" not in client.get("/desk/account/tokens").text
    assert client.post("/desk/account/tokens", {"label": "x", "scopes": "admin"}).status_code == 422
    made = client.post("/desk/account/tokens", {"label": SCRIPT, "scopes": ["read", "unheard"], "days": "30"})
    token = re.search(r"nl_[\w-]{43}", made.text)[0]
    assert SCRIPT not in made.text
    holder = pipeline.operators.tokens.find(token)
    assert (holder.operator.name, holder.scopes) == ("greta", {Scope.READ})
    page = client.get("/desk/account/tokens").text
    assert token not in page
    assert client.post(f"/desk/account/tokens/{holder.token_id}/revoke").status_code == 303
    assert pipeline.operators.tokens.find(token) is None
    assert client.post(f"/desk/account/tokens/{holder.token_id}/revoke").status_code == 404


def test_an_administrator_looks_after_the_team_but_not_over_themselves(pipeline, app, admin):
    hana = viewer(pipeline, app, "hana")
    assert admin.post("/desk/team/hana/role", {"role": "officer"}).headers["location"] == "/desk/team/hana"
    assert hana.get("/desk/account").status_code == 303
    link = admin.post("/desk/team/hana/link")
    assert re.search(rf"{LOCALHOST}/desk/setup/[\w-]+", link.text)
    assert admin.post("/desk/team/hana/second/remove").status_code == 303
    assert admin.post("/desk/team/hana/disable").status_code == 303
    assert "Let sign in again" in admin.get("/desk/team/hana").text
    assert admin.post("/desk/team/hana/enable").status_code == 303
    for path, data in (("role", {"role": "viewer"}), ("disable", {})):
        refused = admin.post(f"/desk/team/boss/{path}", data)
        assert refused.status_code == 422
        assert "your own account" in refused.text
    assert admin.post("/desk/team/hana/role", {"role": "king"}).status_code == 422
    assert admin.get("/desk/team/nobody").status_code == 404


def test_a_link_for_a_new_password_leads_to_the_form_that_signs_in(browser, pipeline):
    pipeline.operators.add("ines", role=Role.VIEWER)
    token = pipeline.operators.password_link("ines")
    assert "ines" in browser.get(f"/desk/setup/{token}").text
    assert browser.post(f"/desk/setup/{token}", data={"password": "short"}).status_code == 422
    assert browser.post(f"/desk/setup/{token}", data={"password": OTHER}).headers["location"] == "/desk/login"
    assert "Your password is set" in browser.get("/desk/login", headers=DOCUMENT).text
    assert browser.post("/desk/login", data={"name": "ines", "password": OTHER}).headers["location"] == "/desk"


def test_the_log_is_filtered_and_downloaded(pipeline, app, admin):
    pipeline.operators.add("jan", role=Role.VIEWER, full_name="=HYPERLINK(1)")
    pipeline.acting_as("=cmd").operators.change("jan", full_name="Jan")
    page = admin.get("/desk/audit?operator=%3Dcmd&deed=operator+changed&from=2020-01-01&to=nonsense").text
    assert "full name" in page
    assert page.count("<tr>") == 2
    assert "Nothing of that kind" in admin.get("/desk/audit?deed=erased").text
    assert "Nothing of that kind" in admin.get("/desk/audit?to=2020-01-01").text
    assert admin.get("/desk/audit?below=x&above=99999999999999999999").status_code == 200
    table = admin.get("/desk/audit.csv?operator=%3Dcmd")
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    heading, line = csv.reader(io.StringIO(table.text))
    assert heading == ["at", "operator", "deed", "about", "reason"]
    assert line[1:3] == ["'=cmd", "operator changed"]


def test_every_deed_has_words_in_every_language():
    for language in ("en", "fr"):
        words = desk_words(language)
        missing = [deed.value for deed in Deed if not words.knows(deed.value, context="deed")]
        assert missing == [], language
