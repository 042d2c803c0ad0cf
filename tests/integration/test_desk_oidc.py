"""Signing in by way of a provider: who is let in, and what is not believed."""

import datetime as dt
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from databases import url_of
from integration.desk import LOCALHOST, Browser
from integration.identity_provider import CLIENT, SECRET, IdentityProvider
from integration.signing import KEYS
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import delete
from sqlmodel import select

from newsletter.accounts.credentials import IdentityRow
from newsletter.accounts.models import AuditRow, OperatorRow
from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.database import open_engine, session_factory
from newsletter.links import Links
from newsletter.pipeline.login import Vouched
from newsletter.pipeline.parts import Parts
from newsletter.settings import DeskSettings, OidcSettings, Settings
from newsletter.web.app import create_app
from newsletter.web.desk import oidc
from newsletter.web.desk.guard import COOKIE
from newsletter.web.desk.provider import KEPT, PATIENCE, Provider, ProviderFault
from newsletter.web.rates import Rates
from subscribers.columns import Base

WEB = httpx.Client(verify=False)
"""The way to the provider; it has no certificate."""


class Clock:
    """The time of day, and as much later as a test wants."""

    def __init__(self):
        self.ahead = dt.timedelta()

    def __call__(self):
        return dt.datetime.now(dt.UTC) + self.ahead


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def provider(clock):
    started = IdentityProvider(lambda: clock().timestamp())
    yield started
    started.close()


@pytest.fixture(autouse=True)
def honest(provider):
    """What a test has changed about the provider holds for that test alone."""
    kept = {name: value for name, value in vars(provider).items() if name not in {"server", "codes", "asked"}}
    copies = {name: dict(value) if isinstance(value, dict) else value for name, value in kept.items()}
    yield
    vars(provider).update(copies)


@pytest.fixture(scope="module")
def installation(provider, clock, tmp_path_factory):
    """The verbs and the application, which all tests share."""
    engine = open_engine(url_of(tmp_path_factory.mktemp("oidc") / "newsletter.sqlite"))
    Base.metadata.create_all(engine)
    parts = Parts(
        settings=Settings(oidc=settings_for(provider), desk=DeskSettings(second_factor="admin")),
        engine=engine,
        sessions=session_factory(engine),
        keys=KEYS,
        links=Links(LOCALHOST),
        operator="system",
        now=clock,
    )
    pipeline = Pipeline(parts=parts)
    yield pipeline, create_app(pipeline, rates=Rates(burst=10**9))
    engine.dispose()


@pytest.fixture
def pipeline(installation, clock):
    """The verbs, with one operator; so much later that nothing is believed any more that a test before has heard."""
    made, _ = installation
    clock.ahead += 2 * KEPT
    with made.parts.sessions() as session:
        for table in (OperatorRow, AuditRow):
            session.execute(delete(table))
        session.commit()
    made.operators.add("anna", role=Role.OFFICER, email="anna@rivers.example")
    return made


@pytest.fixture
def browser(installation, pipeline):
    opened = Browser(installation[1], root=LOCALHOST)
    yield opened
    opened.close()


def settings_for(provider, **more):
    return OidcSettings(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET, name="River ID", **more)


def led_back(browser, **change):
    """Go to the provider and come back; `change` alters what is brought along."""
    begun = browser.get("/desk/oidc?next=/desk/account")
    assert begun.status_code == 303
    there = WEB.get(begun.headers["location"])
    brought = {name: values[-1] for name, values in parse_qs(urlsplit(there.headers["location"]).query).items()}
    assert there.headers["location"].startswith(f"{LOCALHOST}/desk/oidc/back?")
    return _back(browser, brought | change)


def _back(browser, brought):
    given = {name: value for name, value in brought.items() if value is not None}
    return browser.get("/desk/oidc/back", params=given, headers={"Sec-Fetch-Site": "cross-site"})


def is_in(browser):
    return browser.get("/desk/account").status_code == 200


def test_whoever_has_a_verified_address_of_the_team_is_let_in_to_the_page_they_wanted(browser, pipeline):
    assert "Sign in with River ID" in browser.get("/desk/login").text
    answer = led_back(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/account")
    assert is_in(browser)
    own = pipeline.operators.own
    [seat] = own.sessions(pipeline.operators.get("anna").operator.id)
    assert seat.provider == "127.0.0.1"
    with pipeline.parts.sessions() as session:
        deeds = [row.action for row in session.exec(select(AuditRow).order_by(AuditRow.id))]
    assert deeds == ["operator added", "identity tied", "signed in"]


def test_afterwards_the_subject_counts_and_no_longer_the_address(browser, provider, pipeline):
    led_back(browser)
    provider.person["email"] = "elsewhere@rivers.example"
    browser.cookies.clear()
    led_back(browser)
    assert is_in(browser)
    browser.cookies.clear()
    provider.person |= {"sub": "somebody-else", "email": "anna@rivers.example"}
    assert led_back(browser).headers["location"] == "/desk/login?provider=unknown"
    with pipeline.parts.sessions() as session:
        assert [row.subject for row in session.exec(select(IdentityRow))] == ["person-7"]


@pytest.mark.parametrize(
    "change", [{"email_verified": False}, {"email_verified": None}, {"email": "zoe@rivers.example"}]
)
def test_nobody_is_let_in_without_a_verified_address_that_the_team_knows(browser, provider, change):
    provider.person |= change
    assert led_back(browser).headers["location"] == "/desk/login?provider=unknown"
    assert not is_in(browser)
    assert "no account at this desk" in browser.get("/desk/login?provider=unknown").text


def test_somebody_new_gets_the_role_that_is_set_and_a_name_that_is_free(pipeline, provider):
    said = Vouched(
        issuer=provider.issuer, subject="new", email="anna@weirs.example", full_name="Anna Nagy", host="id.example"
    )
    assert pipeline.operators.login.enter_by(said, agent="", create=None) is None
    entered = pipeline.operators.login.enter_by(said, agent="", create="admin")
    made = pipeline.operators.get("anna-2").operator
    assert (made.role, made.email, made.full_name) == (Role.ADMIN, "anna@weirs.example", "Anna Nagy")
    seated = pipeline.seats.find(entered.token)
    assert not pipeline.operators.login.needs_device(seated)  # the second factor is the provider's own concern
    assert pipeline.operators.login.needs_device(replace(seated, provider=""))


def test_a_disabled_operator_is_not_let_in(browser, pipeline):
    led_back(browser)
    pipeline.operators.disable("anna")
    browser.cookies.clear()
    assert led_back(browser).headers["location"] == "/desk/login?provider=unknown"


def test_what_the_token_does_not_say_is_asked_for(browser, provider):
    provider.in_token = False
    led_back(browser)
    assert is_in(browser)
    assert provider.asked[-1] == "/realm/userinfo"


def test_a_provider_that_takes_the_secret_in_the_form_only_gets_it_there(browser, provider):
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    led_back(browser)
    assert is_in(browser)


UNBELIEVABLE = {
    "another nonce": {"claims": {"nonce": "of another attempt"}},
    "no nonce": {"claims": {"nonce": None}},
    "another audience": {"claims": {"aud": "another desk"}},
    "several audiences, meant for another": {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
    "another issuer": {"claims": {"iss": "https://id.example"}},
    "over": {"claims": {"exp": 1}},
    "no end": {"claims": {"exp": None}},
    "nobody": {"claims": {"sub": None}},
    "not signed": {"header": {"alg": "none"}},
    "signed by another": {"signed_by": RSAKey.generate_key(2048, {"kid": "first"})},
    "signed with what both know": {
        "signed_by": OctKey.import_key(SECRET.ljust(32, "x")),
        "header": {"alg": "HS256"},
    },
}


@pytest.mark.parametrize("twist", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_a_token_that_does_not_hold_lets_nobody_in(browser, provider, twist):
    vars(provider).update(twist)
    assert led_back(browser).headers["location"] == "/desk/login?provider=failed"
    assert not is_in(browser)
    assert "did not work" in browser.get("/desk/login?provider=failed").text


@pytest.mark.parametrize(
    "change",
    [{"state": "of-another-attempt"}, {"state": None}, {"code": "guessed"}, {"iss": "https://id.example"}],
)
def test_an_answer_to_another_attempt_lets_nobody_in(browser, change):
    assert led_back(browser, **change).headers["location"] == "/desk/login?provider=failed"
    assert not is_in(browser)


def test_what_the_provider_refuses_is_said_without_its_words(browser):
    answer = led_back(browser, code=None, error="access_denied<script>")
    assert answer.headers["location"] == "/desk/login?provider=failed"


def test_an_attempt_belongs_to_the_browser_that_began_it_and_ends(browser, pipeline):
    begun = browser.get("/desk/oidc")
    there = WEB.get(begun.headers["location"])
    brought = {name: values[-1] for name, values in parse_qs(urlsplit(there.headers["location"]).query).items()}
    kept = browser.cookies[oidc.COOKIE]
    browser.cookies.clear()
    assert _back(browser, brought).headers["location"] == "/desk/login?provider=failed"
    browser.cookies.set(oidc.COOKIE, kept, path=oidc.PATH)
    pipeline.parts.now.ahead += dt.timedelta(seconds=oidc.LASTING + 1)
    assert _back(browser, brought).headers["location"] == "/desk/login?provider=failed"
    assert COOKIE not in browser.cookies


def test_new_keys_of_the_provider_are_found(browser, provider, pipeline):
    led_back(browser)
    browser.cookies.clear()
    provider.key = RSAKey.generate_key(2048, {"kid": "second", "use": "sig", "alg": "RS256"})
    assert led_back(browser).headers["location"] == "/desk/login?provider=failed"  # not asked for again so soon
    browser.cookies.clear()
    pipeline.parts.now.ahead += PATIENCE
    led_back(browser)
    assert is_in(browser)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"issuer": "https://id.example"}, "another address"),
        ({"authorization_endpoint": "ftp://id.example"}, "authorization_endpoint"),
        ({"authorization_endpoint": None}, "authorization_endpoint"),
    ],
)
def test_a_provider_that_says_strange_things_about_itself_is_not_used(provider, about, words):
    provider.metadata = about
    with pytest.raises(ProviderFault, match=words):
        Provider(settings_for(provider), back=f"{LOCALHOST}/desk/oidc/back", now=Clock()).begin()


def test_a_provider_that_is_away_leads_back_to_the_form(browser, provider):
    provider.metadata = {"issuer": "away"}
    assert browser.get("/desk/oidc").headers["location"] == "/desk/login?provider=failed"
