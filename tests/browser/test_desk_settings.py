"""Settings in Chromium: a theme and a cadence show what they would come to while they are chosen."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.officer import an_empty_house
from integration.desk import signed_in
from integration.signing import a_newsletter
from playwright.sync_api import expect

from newsletter.accounts.operator import Role
from newsletter.web.desk.guard import COOKIE

SETTINGS = "/desk/n/rivers/settings"


@pytest.fixture
def page(chromium, tmp_path: Path):
    with an_empty_house(tmp_path) as house:
        a_newsletter(house.pipeline)
        context = chromium.new_context(base_url=house.root, viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": COOKIE, "value": signed_in(house.pipeline, role=Role.ADMIN), "url": house.root}])
        opened = context.new_page()
        problems: list[str] = []
        opened.on("pageerror", lambda error: problems.append(str(error)))
        yield opened
        context.close()
    assert problems == []


def test_a_theme_and_a_cadence_show_what_they_would_come_to(page):
    page.goto(f"{SETTINGS}/theme")
    expect(page.frame_locator("iframe.sample").locator("body")).to_contain_text("River News")
    page.get_by_label("Bulletin").check()
    page.locator("#accent").fill("#ffcc00")
    expect(page.locator("#try .notice")).to_contain_text("On paper this colour is hard to read (contrast 1.4:1")
    expect(page.locator("iframe.sample")).to_have_attribute("src", re.compile(r"theme\.name=bulletin"))
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#said")).to_have_text("Saved.")

    page.goto(f"{SETTINGS}/cadence")
    page.get_by_label("every month, on this weekday:").check()
    page.get_by_label("Which of the month").select_option("2")
    expect(page.locator("#dates li")).to_have_count(3)
    expect(page.locator("#dates li").first).to_contain_text("Monday")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["impact"]) for each in found if each["impact"] in {"serious", "critical"}] == []
