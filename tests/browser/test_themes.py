"""Every theme of the program under difficult content: it fits, and axe-core finds nothing serious in it."""

import io
from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import need
from PIL import Image
from playwright.sync_api import sync_playwright

from newsletter.assembly.composition import build_edition
from newsletter.compilation.compiler import compile_edition, sample_values
from newsletter.compilation.theme import theme_names
from newsletter.links import Links
from newsletter.pipeline.difficult import Case, difficult_issues
from newsletter.words import catalogue

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
LANGUAGES = ("en", "fr", "es", "de", "el", "ar")
VIEWS = [(width, scheme) for width in (600, 375) for scheme in ("light", "dark")]

OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  const shown = getComputedStyle(element).display !== "none" && box.width > 1 && box.height > 1;
  return shown && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => element.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser():
    program = need("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@cache
def drawn():
    """A picture that is larger than any column."""
    file = io.BytesIO()
    Image.new("RGB", (1200, 600), "#88aa88").save(file, "PNG")
    return file.getvalue()


@cache
def compiled(theme, case, language):
    links = Links("https://news.example")
    edition = build_edition(
        difficult_issues(theme)[case], language=language, links=links, catalogue=catalogue(language)
    )
    artifact = compile_edition(edition, links=links)
    return artifact.html_for(sample_values(artifact))


@pytest.fixture
def opened(browser):
    """Open an edition in a window; its pictures are there, unless the case is that they are lost."""
    contexts = []

    def visit(theme, case, language, *, width, scheme):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        lost = case is Case.LOST_PICTURES
        page.route(
            "**/*",
            lambda route: route.abort() if lost else route.fulfill(body=drawn(), content_type="image/png"),
        )
        page.set_content(compiled(theme, case, language), wait_until="load")
        return page

    yield visit
    for context in contexts:
        context.close()


def serious(page):
    """What axe-core finds that hinders somebody: (rule, first element)."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in {"serious", "critical"}]


def fits(page, width):
    """Nothing reaches beyond the window."""
    return page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(OVERFLOWING) == []


def subset(language, width, scheme):
    """What is looked at in every run; the rest takes a minute."""
    return language in {"en", "ar"} and (width, scheme) in {(375, "dark"), (600, "light")}


MATRIX = [
    pytest.param(theme, language, width, scheme, marks=() if subset(language, width, scheme) else pytest.mark.long)
    for theme in theme_names()
    for language in LANGUAGES
    for width, scheme in VIEWS
]


@pytest.mark.parametrize(("theme", "language", "width", "scheme"), MATRIX)
def test_an_edition_with_everything_fits_and_hinders_nobody(opened, theme, language, width, scheme):
    page = opened(theme, Case.EVERYTHING, language, width=width, scheme=scheme)
    assert fits(page, width)
    assert serious(page) == []


@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize("case", [case for case in Case if case is not Case.EVERYTHING])
@pytest.mark.parametrize("language", ["ar", pytest.param("de", marks=pytest.mark.long)])
def test_difficult_content_fits_a_telephone(opened, theme, case, language):
    assert fits(opened(theme, case, language, width=375, scheme="light"), 375)


@pytest.mark.long
@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize("case", [case for case in Case if case is not Case.EVERYTHING])
@pytest.mark.parametrize("language", LANGUAGES)
def test_difficult_content_hinders_nobody(opened, theme, case, language):
    assert serious(opened(theme, case, language, width=375, scheme="dark")) == []
