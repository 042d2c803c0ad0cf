"""The editor of a segment in Chromium, by the keyboard alone: conditions, text, and whom they mean."""

import contextlib

import pytest
from axe_playwright_python.sync_playwright import Axe
from integration.desk import signed_in
from integration.desk_people import people_pipeline
from playwright.sync_api import expect
from serving import own_port, root_of, serving

from newsletter.accounts.operator import Role
from newsletter.database import open_engine
from newsletter.tables import METADATA
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """People at an address of their own, and the token of an officer."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'newsletter.sqlite'}")
    METADATA.create_all(engine)
    with own_port() as port:
        pipeline = people_pipeline(engine, public_url=root_of(port))
        with serving(create_app(pipeline), port) as root:
            yield root, signed_in(pipeline, role=Role.ADMIN), pipeline
    engine.dispose()


@pytest.fixture
def page(chromium, desk):
    root, token, _ = desk
    problems = []
    with contextlib.closing(chromium.new_context(base_url=root, viewport={"width": 1280, "height": 900})) as context:
        context.add_cookies([{"name": COOKIE, "value": token, "url": root}])
        opened = context.new_page()
        opened.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        opened.on("pageerror", lambda error: problems.append(str(error)))
        yield opened
    assert problems == []


def test_a_segment_is_built_and_saved_by_the_keyboard_alone(page, desk):
    page.goto("/desk/segments/new")
    expect(page.locator("#glance .figure")).to_have_text("4")
    page.locator("#name").focus()
    page.keyboard.type("fr of the board")
    reach(page, "Add a condition")
    page.keyboard.press("Enter")
    expect(page.locator("#field-0\\.0")).to_be_focused()
    page.keyboard.type("Lang")  # a choice by its first letters
    expect(page.locator("#field-0\\.0")).to_have_value("language")
    expect(page.locator("input#value-0\\.0")).to_be_visible()  # drawn anew, with a field for text
    expect(page.locator("#field-0\\.0")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#value-0\\.0")).to_be_focused()
    page.keyboard.type("fr")
    expect(page.locator("#text")).to_have_value('language = "fr"')
    expect(page.locator("#glance .figure")).to_have_text("2")
    page.locator("#text").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(' and tag = "board"')
    expect(page.locator(".condition")).to_have_count(2)
    expect(page.locator("#glance .figure")).to_have_text("1")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type(" and")
    expect(page.locator("#text-problem")).to_contain_text("the expression ends too early")
    for _ in range(4):
        page.keyboard.press("Backspace")
    expect(page.locator("#text-problem .problem")).to_have_count(0)
    assert [each for each in Axe().run(page).response["violations"] if each["impact"] in SERIOUS] == []
    reach(page, "Save the segment")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("fr of the board")
    assert desk[2].people.segments.get("fr of the board").expression == 'language = "fr" and tag = "board"'


def reach(page, name):
    """Press the tabulator until a button of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    pytest.fail(f"{name} cannot be reached by the keyboard")


@pytest.mark.long
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_about_people_is_accessible_and_as_wide_as_the_screen(page, desk, width, scheme):
    pipeline = desk[2]
    uid = pipeline.people.show("ada@town.example").person.uid
    key = pipeline.uploads.stage(b"email;city\nx@town.example;Ghent\n", name="people.csv", list_name="members")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    places = ["people", "people/new", f"people/{uid}", "lists", "lists/new", "lists/edit?name=members", "tags"]
    places += ["tags/edit?name=board", "segments", "segments/edit?name=in+French", "imports", "imports/new"]
    for place in (*places, f"imports/{key}"):
        page.goto(f"/desk/{place}")
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == [], place
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
