"""The parts of an entry's form in Chromium: dates with their words, a picture, the toolbar, pasting, the live block."""

import contextlib
import io
import re
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from integration.desk import signed_in
from integration.writing import an_entry, rivers
from PIL import Image
from playwright.sync_api import expect
from serving import serving

from newsletter.database import migrate, open_engine
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

SERIOUS = ("serious", "critical")
WALK = "/desk/n/rivers/entries/walk"
PASTE = """([selector, html]) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/html", html);
  clipboardData.setData("text/plain", "plain");
  document.querySelector(selector).dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""
DROP = """([selector, bytes]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], "quay.webp", { type: "image/webp" }));
  for (const kind of ["dragover", "drop"])
    document.querySelector(selector).dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    engine = open_engine(f"sqlite:///{folder / 'newsletter.sqlite'}")
    migrate(engine)
    sittings = [{"key": "walk", "start": "2026-12-01T14:00"}]
    walk = an_entry("walk", kind="agenda", section="agenda", sittings=sittings)
    pipeline = rivers(engine, folder, an_entry(topic="silt"), walk)
    app = create_app(pipeline)
    with serving(app) as root:
        yield SimpleNamespace(root=root, pipeline=pipeline, token=signed_in(pipeline))
    engine.dispose()


@contextlib.contextmanager
def sitting(chromium, house, *, width=1280, scheme="light"):
    """A page of somebody who sits at the desk; nothing may be asked of another host, and no script may fail."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.add_cookies([{"name": COOKIE, "value": house.token, "url": house.root}])
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda request: request.url.startswith((house.root, "data:", "blob:")) or wrong.append(request.url)
    )
    yield page
    assert wrong == []
    context.close()


def serious(page):
    found = Axe().run(page).response["violations"]
    return [(each["id"], node["html"][:120]) for each in found if each["impact"] in SERIOUS for node in each["nodes"]]


def webp():
    target = io.BytesIO()
    Image.linear_gradient("L").resize((1400, 700)).convert("RGB").save(target, "WEBP")
    return list(target.getvalue())


def select(page, start, end):
    page.locator("#body-en").focus()
    page.evaluate("([from, to]) => document.querySelector('#body-en').setSelectionRange(from, to)", [start, end])


def test_dates_a_picture_and_a_text_are_entered_and_saved(chromium, house):
    with sitting(chromium, house) as page:
        page.goto(f"{house.root}{WALK}")
        block = page.frame_locator("#block-view iframe:not(.coming)")
        expect(block.locator("body")).to_contain_text("The quay")
        went = page.evaluate("history.length")

        page.fill("#sitting-0-start", "2027-03-28T02:30")
        expect(page.locator("#sitting-0-words")).to_contain_text("dimanche 28 mars 2027, 03:00 CEST")
        expect(page.locator("#sitting-0-words .notice")).to_contain_text("There is no 02:30 on that night")
        page.get_by_role("button", name="Add a sitting").press("Enter")
        expect(page.locator("#sitting-1-start")).to_be_focused()
        page.locator("#sitting-1").get_by_label("Whole days").check()
        page.fill("#sitting-1-first", "2027-04-01")
        expect(page.locator("#sitting-1-words")).to_contain_text("jeudi 1er avril 2027")
        expect(block.locator("body")).to_contain_text("April 1, 2027")

        area = page.locator("#body-en")
        area.fill("one two three")
        select(page, 4, 7)
        page.keyboard.press("Control+b")
        expect(area).to_have_value("one **two** three")
        page.keyboard.press("Control+b")
        page.keyboard.press("Control+i")
        expect(area).to_have_value("one *two* three")
        page.keyboard.press("Control+z")
        expect(area).to_have_value("one two three")
        select(page, 4, 7)
        page.keyboard.press("Control+k")
        page.get_by_role("dialog").get_by_label("Where it leads").fill("rivers.example")
        page.keyboard.press("Enter")
        expect(area).to_have_value("one [two](https://rivers.example) three")
        page.evaluate(PASTE, ["#body-en", "<p>, <b>old</b></p><ul><li>é</li></ul>"])
        expect(area).to_have_value("one [two](https://rivers.example), **old**\n\n- é three")

        page.evaluate(DROP, ["#picture", webp()])
        expect(page.locator("#picture img")).to_have_attribute("src", re.compile(r"/media/[0-9a-f]{16}\.jpg"))
        page.locator("#picture-alt-en").fill("A quay")
        assert page.evaluate("history.length") == went

        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#said")).to_contain_text("Saved")
    entry = house.pipeline.entries.entry("walk", newsletter="rivers").entry
    assert [each.key for each in entry.sittings] == ["walk", "2027-04-01"]
    assert (entry.image.alt, len(entry.image.file)) == ({"en": "A quay"}, 1)
    assert entry.texts["en"].body.startswith("one [two]")


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.long
def test_every_page_of_the_parts_is_for_every_eye(chromium, house, width, scheme):
    with sitting(chromium, house, width=width, scheme=scheme) as page:
        for path in (
            WALK,
            "/desk/n/rivers/topics",
            "/desk/n/rivers/topics/new",
            "/desk/n/rivers/topics/silt/edit",
            "/desk/n/rivers/translations",
        ):
            page.goto(f"{house.root}{path}")
            for summary in page.locator("summary").all():
                if summary.is_visible():
                    summary.click()
            assert (path, serious(page)) == (path, [])
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
