"""The exported web view in Chromium, from a web server with a strict policy: it fits, it is accessible, it prints."""

import functools
import http.server
import re
import threading
import urllib.parse

import pytest
from axe_playwright_python.sync_playwright import Axe

from newsletter.bootstrap import build
from newsletter.cli.pictures import draw_pictures
from newsletter.database import migrate
from newsletter.paths import sample
from newsletter.pipeline.export import Export
from newsletter.settings import load

POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' https:"
PAGES = {"en": "2026-12/en", "fr": "2026-12/fr", "ar": "2026-12/ar", "list": ""}
SERIOUS = ("serious", "critical")


class Server(http.server.SimpleHTTPRequestHandler):
    """Hands out a folder as any web server does, with a content security policy."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The sample issue, exported."""
    base = tmp_path_factory.mktemp("web")
    pipeline = build(load(database={"url": f"sqlite:///{base / 'newsletter.sqlite'}"}), migrated=False)
    migrate(pipeline.parts.engine)
    (base / "pack.yaml").write_bytes((sample() / "pack.yaml").read_bytes())
    draw_pictures(base / "images")
    pipeline.entries.import_pack(base / "pack.yaml")
    pipeline.editorial.assemble("2026-12", newsletter=None)
    Export(pipeline.parts, approval=pipeline.approval).export("2026-12", base / "site")
    return base / "site"


@pytest.fixture(scope="module")
def archive(folder):
    """The address of the newsletter's page on a web server of our own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/archive/night-platform/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(chromium):
    """Open a page; requests to other hosts get nothing, what the browser complains of is kept."""
    contexts = []

    def open_(address, *, width=1280, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
        page.route(re.compile(r"^https:"), lambda route: route.fulfill(body="", content_type="image/svg+xml"))
        page.goto(address, wait_until="load")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_the_window_and_keeps_to_its_policy(archive, visit, name, width, scheme):
    page = visit(archive + PAGES[name], width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []
    assert (
        page.evaluate("[...document.images].filter((one) => one.src.startsWith(location.origin) && !one.naturalWidth)")
        == []
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(archive, visit, name, scheme):
    page = visit(archive + PAGES[name], width=375, scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS] == []


def test_opened_at_print_the_page_prints_itself_and_so_does_its_link(archive, visit):
    page = visit(f"{archive}2026-12/en#print")
    assert urllib.parse.urlsplit(page.url).path.endswith("/2026-12/en/")
    assert page.evaluate("window.printed") == 1
    page = visit(f"{archive}2026-12/en")
    assert page.evaluate("window.printed") == 0
    page.get_by_text("Print", exact=True).click()
    assert page.evaluate("window.printed") == 1
    assert page.complaints == []


def test_the_languages_of_a_page_are_one_click_apart(archive, visit):
    page = visit(f"{archive}2026-12/en")
    page.get_by_text("Français", exact=True).click()
    assert page.locator("html").get_attribute("lang") == "fr"
    page.get_by_text("العربية", exact=True).click()
    assert page.locator("html").get_attribute("dir") == "rtl"


def test_the_page_works_from_a_disk(folder, visit):
    page = visit((folder / "archive/night-platform/index.html").as_uri())
    page.get_by_text("December 2026", exact=True).click()
    assert page.title() == "The Night Platform · December 2026"
    assert page.evaluate("[...document.images].filter((one) => one.src.startsWith('file:') && !one.naturalWidth)") == []
    page.get_by_text("Print", exact=True).click()
    assert page.evaluate("window.printed") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_the_page_is_black_on_white_and_can_be_broken_anywhere(archive, visit, scheme):
    page = visit(f"{archive}2026-12/en", width=672, scheme=scheme)
    page.emulate_media(media="print", color_scheme=scheme)
    ground = "getComputedStyle(document.querySelector('[role=main]')).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    columns = "[...document.querySelectorAll('[class*=mj-column]')].map((one) => getComputedStyle(one).display)"
    assert set(page.evaluate(columns)) == {"block"}
    assert not page.get_by_text("Print", exact=True).is_visible()
    sheets = page.pdf(prefer_css_page_size=True, print_background=True)
    [(width, height)] = set(re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", sheets))
    assert (round(float(width)), round(float(height))) == (595, 842)
    assert len(re.findall(rb"/Type /Page\b(?!s)", sheets)) <= 9
