"""Accounts in Chromium: from the first link to a device, a token, a colleague and the log, for every eye."""

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from serving import own_port, root_of, serving

from newsletter.bootstrap import build
from newsletter.database import migrate
from newsletter.settings import DatabaseSettings, DeskSettings, OidcSettings, Settings
from newsletter.web.app import create_app

SERIOUS = ("serious", "critical")
PASSWORD = "seven herons on the weir"
EXPECTED = ("422", "403")
"""Answers to forms that the test fills wrongly: the browser tells of each."""


@pytest.fixture
def house(tmp_path):
    """An installation without anybody, whose administrators need a device; yields its address and its verbs."""
    with own_port() as port:
        root = root_of(port)
        settings = Settings(
            database=DatabaseSettings(url=f"sqlite:///{tmp_path}/newsletter.sqlite"),
            public_url=root,
            desk=DeskSettings(second_factor="admin"),
            oidc=OidcSettings(issuer="https://id.example", client_id="desk", client_secret="secret", name="River ID"),
        )
        pipeline = build(settings, migrated=False)
        migrate(pipeline.parts.engine)
        with serving(create_app(pipeline), port):
            yield root, pipeline
        pipeline.parts.engine.dispose()


class Eye:
    """Looks at a page: nothing serious for axe, nothing wider than the window, nothing from elsewhere."""

    def __init__(self, page, root):
        self.page = page
        self.faults = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._hear)
        page.on("request", lambda asked: asked.url.startswith(root) or self.faults.append(asked.url))

    def _hear(self, said):
        if said.type == "error" and not any(status in said.text for status in EXPECTED):
            self.faults.append(said.text)

    def look(self, path=""):
        if path:
            self.page.goto(path)
        found = Axe().run(self.page).response["violations"]
        self.faults += [(self.page.url, each["id"]) for each in found if each["impact"] in SERIOUS]
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wider > 0:
            self.faults.append((self.page.url, "wider", wider))


def send(page, **fields):
    """Fill a form in, and send it by the key."""
    for name, value in fields.items():
        page.fill(f"#{name}", value)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def make_an_account(page, eye, link):
    eye.look(link)
    assert page.input_value("#timezone") == "Europe/Brussels"
    send(page, full_name="Anna Kovács", name="anna", password="password1234")
    assert page.is_visible("#password-problem")
    eye.look()
    assert page.input_value("#full_name") == "Anna Kovács"
    send(page, password=PASSWORD)
    assert page.url.endswith("/desk/account/security")


def set_up_a_device(page, eye):
    """Returns the code that set it up, and the recovery codes."""
    with page.expect_navigation():
        page.click("#second button")
    secret = page.inner_text(".key").replace(" ", "")
    assert page.evaluate("document.querySelector('.device img').naturalWidth") > 100
    eye.look()
    used = pyotp.TOTP(secret).now()
    send(page, code=used)
    eye.look()
    return used, page.locator(".codes code").all_inner_texts()


def make_a_token(page, eye):
    page.goto("/desk/account/tokens")
    send(page, label="Nightly export")
    assert page.inner_text("#shown").startswith("nl_")
    eye.look()
    page.click("[data-open]")
    eye.look()
    page.keyboard.press("Escape")


def invite_somebody(page, eye, root):
    page.goto("/desk/team")
    send(page, email="bela@rivers.example")
    assert page.inner_text("#shown").startswith(f"{root}/desk/setup/")
    eye.look()


def come_back(page, eye, *, used, code):
    eye.look("/desk/login")
    send(page, name="anna", password=PASSWORD)
    send(page, code=used)
    assert page.is_visible("#code-problem")
    eye.look()
    send(page, code=code)
    assert page.url.endswith("/desk")


@pytest.mark.parametrize(
    ("width", "scheme"), [(375, "dark"), pytest.param(1280, "light", marks=pytest.mark.long)], ids=["phone", "desk"]
)
def test_the_first_operator_sets_up_everything_and_comes_back_with_a_code(chromium, house, width, scheme):
    root, pipeline = house
    context = chromium.new_context(
        base_url=root, viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id="Europe/Brussels"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    eye = Eye(page, root)
    make_an_account(page, eye, f"/desk/setup/{pipeline.operators.setup.first()}")
    used, codes = set_up_a_device(page, eye)
    make_a_token(page, eye)
    invite_somebody(page, eye, root)
    for path in ("account", "account/security", "account/sessions", "team/anna", "audit", "audit?deed=erased"):
        eye.look(f"/desk/{path}")
    context.clear_cookies()
    come_back(page, eye, used=used, code=codes[0])
    assert eye.faults == []
    context.close()
