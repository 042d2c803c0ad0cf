"""Checking, approving and reviewing in Chromium: what stands in a text stays text, and the frame runs nothing."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from integration.checking import CHECK, DESK, Scene
from integration.desk import signed_in
from integration.test_correction import an_entry
from serving import serving

from newsletter.database import migrate, open_engine
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

pytestmark = pytest.mark.usefixtures("no_page_twice")

SCRIPT = "<script>window.canary = 1</script><img src=x onerror='window.canary = 1'>"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}


@pytest.fixture
def scene(tmp_path):
    """An issue whose texts are all hostile, and an officer who has signed in."""
    engine = open_engine(f"sqlite:///{tmp_path / 'newsletter.sqlite'}")
    migrate(engine)
    text = {"title": f"Quays {SCRIPT}", "body": f"News {SCRIPT}"}
    entries = [an_entry("quays", texts={"en": text, "fr": text}), an_entry("fair")]
    yield Scene(engine, tmp_path, *entries)
    engine.dispose()


def serious(page):
    """What axe finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}]


def test_an_issue_is_looked_at_reviewed_and_approved_and_no_script_in_it_runs(chromium, scene):
    token, elsewhere, bad = signed_in(scene.pipeline, name="bea"), [], []
    _, secret = scene.ask("en", reader=f"John {SCRIPT}")
    scene.pipeline.reviewing.suggest(secret, artifact="", place="quays", words=f"Change {SCRIPT}")
    with serving(create_app(scene.pipeline)) as root:
        context = chromium.new_context(viewport=WIDE, base_url=root)
        context.add_cookies([{"name": COOKIE, "value": token, "url": root}])
        page = context.new_page()
        page.on(
            "request", lambda request: request.url.startswith((root, "blob:", "data:")) or elsewhere.append(request.url)
        )
        page.on("pageerror", lambda error: bad.append(str(error)))

        page.goto(CHECK)  # waits by itself until the editions are made
        page.wait_for_selector("#edition")
        page.get_by_role("link", name="Français").click()
        page.wait_for_selector("iframe[src*='/fr/html']")
        page.get_by_role("link", name="Dark", exact=True).click()
        page.wait_for_selector("iframe[src*='scheme=dark']")
        frame = page.frame_locator("#edition")
        assert SCRIPT[:8] in frame.locator("body").inner_text()
        assert serious(page) == []
        canaries = [each.evaluate("window.canary ?? 0") for each in page.frames[:1]]

        scene.decide()
        for path in (f"{DESK}/approve", f"/review/{secret}?mark=quays"):
            page.goto(path)
            canaries.append(page.evaluate("window.canary ?? 0"))
            assert serious(page) == []
        page.get_by_text("Something else, or the whole").click()
        page.locator("#words-whole").fill("The second picture")
        page.locator("form:has(#words-whole) button").click()
        page.get_by_text("What you wrote is noted below").wait_for()

        page.set_viewport_size(PHONE)
        page.goto(f"{CHECK}?now=1&pane=checks")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.locator(".preview").is_hidden()
        page.get_by_text("The second picture").wait_for()
        page.goto(f"{DESK}/approve")
        page.get_by_role("button", name="Approve these editions").press("Enter")
        page.get_by_text("Approved by bea").wait_for()
        context.close()
    assert (set(canaries), elsewhere, bad) == ({0}, [], [])
    assert scene.look().stands
