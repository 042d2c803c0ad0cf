"""The editor in Chromium: two officers at once, a server that is killed, every language by the keyboard alone."""

import contextlib
import re
import signal
import time

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from integration.desk import desk_client
from integration.writing import an_entry, rivers
from playwright.sync_api import expect

from newsletter.accounts.operator import Role
from newsletter.bootstrap import build
from newsletter.database import migrate, open_engine
from newsletter.settings import load
from newsletter.web.desk.guard import COOKIE

QUAY = "/desk/n/rivers/entries/quay"
SERIOUS = ("serious", "critical")
PATIENCE = 60.0


class House:
    """An installation whose pages a process of their own serves, always on the same port."""

    def __init__(self, folder, zygote):
        self._folder, self._zygote = folder, zygote
        self._port = 0
        self._url = f"sqlite:///{folder / 'newsletter.sqlite'}"
        self._engine = open_engine(self._url)
        migrate(self._engine)
        rivers(self._engine, folder, an_entry(), an_entry("lock"))
        self.root = ""

    def sign_in(self, name):
        """Begin a session, by the clock of those who serve; returns its cookie."""
        own = build(load(database={"url": self._url}), migrated=False)
        client = desk_client(own, role=Role.OFFICER, name=name)
        own.parts.engine.dispose()
        return client.web.cookies[COOKIE]

    def serve(self):
        """Start to serve, and wait until somebody answers."""
        environment = {"NEWSLETTER_DATABASE__URL": self._url, "NEWSLETTER_PUBLIC_URL": "http://localhost:8000"}
        self.process = self._zygote.start(
            ["web", "--port", str(self._port)], environment=environment, folder=self._folder
        )
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(r"served at http://[^:]+:(\d+)", self.process.error)):
            assert self.process.poll() is None, self.process.error
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self._port = int(found[1])
        self.root = f"http://127.0.0.1:{self._port}"
        assert httpx.get(f"{self.root}/health").status_code == 200

    def kill(self):
        """Kill who serves, as the machine does that runs out of memory."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.process.kill()
        self._engine.dispose()


@pytest.fixture(scope="module")
def house(tmp_path_factory, zygote):
    house = House(tmp_path_factory.mktemp("desk"), zygote)
    house.serve()
    yield house
    house.close()


@pytest.fixture
def sits(chromium, house):
    """Sit an officer down before a window of their own."""
    with contextlib.ExitStack() as opened:

        def down(name, *, width=1280):
            context = chromium.new_context(base_url=house.root, viewport={"width": width, "height": 900})
            opened.enter_context(contextlib.closing(context))
            context.add_cookies([{"name": COOKIE, "value": house.sign_in(name), "url": house.root}])
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.errors = []
            page.on("pageerror", lambda error: page.errors.append(str(error)))
            return page

        yield down


def kept(page):
    expect(page.locator("#kept")).to_have_text("Kept, not yet saved", timeout=20_000)


def test_two_officers_write_in_one_entry_and_nobody_loses_a_word(sits):
    anna, bruno = sits("anna"), sits("bruno")
    anna.goto(QUAY)
    bruno.goto(QUAY)
    anna.locator("#title-en").fill("Anna’s quay")
    anna.locator("#body-en").fill("1. Dezember war ein Tag.")
    kept(anna)
    expect(anna.locator("#notes-en")).to_contain_text("Line 1")
    anna.keyboard.press("Control+s")
    expect(anna.locator("#said")).to_contain_text("Saved.")

    bruno.locator("#title-en").fill("Bruno’s quay")
    bruno.locator('[data-pick="fr"]').click()
    bruno.locator("#title-fr").fill("Le quai de Bruno")
    kept(bruno)
    expect(bruno.locator("#newer")).to_contain_text("Anna has saved this entry meanwhile")
    bruno.keyboard.press("Control+s")
    expect(bruno.locator("h1")).to_have_text("Two people have changed this entry")
    expect(bruno.locator(".clash")).to_have_count(1)
    bruno.get_by_label("Both, as I write it here").check()
    bruno.get_by_label("Your words for Title (en)").fill("The quay of Anna and Bruno")
    bruno.get_by_role("button", name="Save this").click()
    expect(bruno.locator("#said")).to_contain_text("Saved.")

    anna.goto(f"{QUAY}?show=en,fr")
    expect(anna.locator("#title-en")).to_have_value("The quay of Anna and Bruno")
    expect(anna.locator("#title-fr")).to_have_value("Le quai de Bruno")
    expect(anna.locator("#body-en")).to_have_value("1. Dezember war ein Tag.")
    anna.goto(f"{QUAY}/history")
    anna.locator("li", has_text="Not taken").get_by_role("link").click()
    expect(anna.locator("main")).to_contain_text("Bruno’s")
    assert (anna.errors, bruno.errors) == ([], [])


def test_a_killed_server_loses_nothing_but_the_last_two_seconds(sits, house):
    page = sits("claire")
    page.goto("/desk/n/rivers/entries/lock")
    page.locator("#body-en").fill("A page of words that nobody has saved.")
    page.locator('[name="tags"]').fill("locks, gates")
    kept(page)
    page.locator("#body-en").press_sequentially(" And more")
    house.kill()
    expect(page.locator("#kept")).to_have_text(re.compile("Not kept"), timeout=20_000)

    house.serve()
    other = sits("claire")
    other.goto("/desk/n/rivers/entries/lock")
    expect(other.locator(".restored")).to_contain_text("which you have not saved yet")
    found = other.locator("#body-en").input_value()
    assert found.startswith("A page of words that nobody has saved.")
    expect(other.locator('[name="tags"]')).to_have_value("locks, gates")
    # The page that is still open goes on by itself, and nothing at all is lost.
    kept(page)
    other.reload()
    expect(other.locator("#body-en")).to_have_value(re.compile("saved. And more$"))


@pytest.mark.long
@pytest.mark.parametrize("width", [375, 1280])
def test_every_page_of_entries_is_for_every_eye_and_the_editor_for_every_hand(sits, width):
    page = sits(f"dora-{width}", width=width)
    for address in ("", "/new", "/quay", "/quay/history", "/quay?show=en,fr,es", "?q=nothing-like-it"):
        page.goto(f"/desk/n/rivers/entries{address}")
        found = Axe().run(page).response["violations"]
        assert [(one["id"], address) for one in found if one["impact"] in SERIOUS] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{QUAY}?show=en")
    page.locator('[data-pick="es"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-column="es"]')).to_be_visible()
    page.locator("#title-es").focus()
    page.keyboard.type("El muelle")
    page.locator('[data-links="es"] .link-row input[name$=".url"]').fill("https://a.example/es")
    page.locator('[data-links="es"] .add-link').focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-links="es"] .link-row')).to_have_count(2)
    page.keyboard.press("Control+s")
    expect(page.locator(".notice.err")).to_contain_text("A link has an address")
    assert page.errors == []
