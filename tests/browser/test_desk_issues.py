"""An issue put in order in Chromium: by dragging, and by the keyboard alone; words that save themselves."""

import contextlib
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from integration.building_scene import DECEMBER, RIVERS, filled, settled
from integration.desk import desk_client
from playwright.sync_api import expect
from serving import serving

from newsletter.accounts.operator import Role
from newsletter.database import migrate, open_engine
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

PAGE = f"/desk/n/{RIVERS}/issues/{DECEMBER}"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """An installation with a draft issue, served; yields its address, its verbs and the cookie of an officer."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'newsletter.sqlite'}")
    migrate(engine)
    pipeline = filled(settled(engine))
    app = create_app(pipeline)
    token = desk_client(pipeline, role=Role.OFFICER, app=app).web.cookies[COOKIE]
    with serving(app) as address:
        yield address, pipeline, token
    engine.dispose()


@pytest.fixture
def window(chromium, root):
    """A window of the officer's; what the browser complains of fails the test."""
    complaints = []
    with contextlib.closing(
        chromium.new_context(base_url=root[0], viewport={"width": 1280, "height": 1000})
    ) as context:
        context.add_cookies([{"name": COOKIE, "value": root[2], "url": root[0]}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        yield page
        assert complaints == []


def order(page, section):
    return page.locator(f'ol[data-section="{section}"] > .item').evaluate_all("all => all.map(one => one.dataset.key)")


def test_an_issue_is_ordered_by_dragging_and_the_words_save_themselves(window, root):
    window.goto(PAGE)
    grip = window.locator("#grip-bats-block")
    grip.drag_to(window.locator('.item[data-key="silt"]'), target_position={"x": 60, "y": 3})
    expect(window.locator("#said")).to_contain_text("“Title of bats” is now at place 1 of 3")
    assert order(window, "projects") == ["bats", "silt", "lamps"]
    window.locator("#grip-bats-block").drag_to(
        window.locator('ol[data-section="lead"]'), target_position={"x": 60, "y": 8}
    )
    expect(window.locator("#said")).to_contain_text("place 1 of 2 in Lead")
    window.get_by_role("button", name="Undo").click()
    expect(window.locator("#said")).to_contain_text("undone")
    assert order(window, "projects") == ["bats", "silt", "lamps"]
    window.get_by_role("button", name="Add “Title of old”").click()
    expect(window.locator("#said")).to_contain_text("was added to Our projects")
    found = Axe().run(window).response["violations"]
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == []

    window.get_by_role("link", name="Go on to the words").click()
    subject = window.locator("#subject-fr")
    subject.fill("Ce que le fleuve a pris, ")
    window.locator('[data-slot="subject-fr"]').click()
    window.locator("#slot-default").fill("chers lecteurs")
    window.get_by_role("button", name="Insert", exact=True).click()
    expect(subject).to_have_value("Ce que le fleuve a pris, [[first_name|chers lecteurs]]")
    expect(window.locator('.phone [data-shows="subject"]').nth(1)).to_have_text(
        "Ce que le fleuve a pris, chers lecteurs"
    )
    expect(window.locator("#saved")).to_contain_text("Saved")
    # "Saved" is only said of what stands there.
    words = root[1].building.words.read(DECEMBER, newsletter=RIVERS)
    assert words.texts["fr"].subject == "Ce que le fleuve a pris, [[first_name|chers lecteurs]]"


def test_an_issue_is_ordered_by_the_keyboard_alone_and_every_move_is_heard(window):
    window.goto(PAGE)
    one, other, *_ = order(window, "projects")
    grip = window.locator(f"#grip-{other}-block")
    grip.focus()
    window.keyboard.press("Alt+ArrowUp")
    expect(window.locator('ol[data-section="projects"] > .item').first).to_have_attribute("data-key", other)
    expect(window.locator("#said")).to_contain_text("is now at place 1")
    expect(grip).to_be_focused()
    # Faster than the answers come: each step is made, from the order before it.
    for way in ("Up", "Up", "Down", "Down", "Down"):
        window.keyboard.press(f"Alt+Arrow{way}")
    expect(window.locator("#said")).to_contain_text(re.compile(r"is now at place 2 of \d in Our projects"))
    expect(window.locator('ol[data-section="projects"] > .item').nth(1)).to_have_attribute("data-key", other)
    assert order(window, "projects")[:2] == [one, other]
    expect(grip).to_be_focused()
    for _ in range(4):
        window.keyboard.press("Tab")
    expect(window.locator(f"#out-{other}-block")).to_be_focused()
    window.keyboard.press("Enter")
    expect(window.locator("#said")).to_contain_text("was taken out")
    assert other not in order(window, "projects")
    # What was pressed is gone: the next item has the focus, not the top of the page.
    third = order(window, "projects")[1]
    expect(window.locator(f"#item-{third}-block button.grip")).to_be_focused()
    assert window.locator("#said").get_attribute("aria-live") == "polite"
