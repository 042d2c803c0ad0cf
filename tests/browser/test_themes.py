"""
Every theme of the program in Chromium: it fits, can be used with a thumb, and axe-core finds nothing serious in it.

An ordinary run looks at six of the 48 editions, in which every language, width, scheme and theme has its turn; `long`
looks at all of them.
"""

import io
from functools import cache
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from newsletter.assembly.composition import build_edition
from newsletter.compilation.compiler import compile_edition, sample_values
from newsletter.compilation.theme import theme_names
from newsletter.links import Links
from newsletter.pipeline.difficult import Case, difficult_issues
from newsletter.words import catalogue

LANGUAGES = ("en", "fr", "es", "de", "el", "ar")
VIEWS = [(width, scheme) for width in (600, 375) for scheme in ("light", "dark")]

TARGET = 44
"""Height in pixels of a link in a row on a telephone: Apple's Human Interface Guidelines; twice WCAG 2.2, 2.5.8."""

OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  const shown = getComputedStyle(element).display !== "none" && box.width > 1 && box.height > 1;
  return shown && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => element.outerHTML.slice(0, 120))"""

INDENTED = """(rtl) => [...document.querySelectorAll(".go, p.nav")].flatMap((row) => {
  const edge = (element) => { const box = element.getBoundingClientRect(); return rtl ? -box.right : box.left; };
  const lines = {};
  for (const link of row.querySelectorAll("a")) (lines[Math.round(link.getBoundingClientRect().top)] ??= []).push(link);
  const firsts = Object.values(lines).map((links) => links.sort((one, other) => edge(one) - edge(other))[0]);
  const away = (link) => Math.abs(edge(link) - edge(row)) > 1;
  const turned = getComputedStyle(row).textAlign === (rtl ? "left" : "right");
  return turned ? [] : firsts.filter(away).map((link) => link.outerHTML.slice(0, 120));
})"""

LOW = """(target) => [...document.querySelectorAll(".go a, .nav a, .bt")]
  .filter((link) => link.getBoundingClientRect().height < target)
  .map((link) => `${link.getBoundingClientRect().height} ${link.outerHTML.slice(0, 120)}`)"""

SPACING = """() => [...document.querySelectorAll("img.im")].map((image) => {
  const style = getComputedStyle(image);
  return parseFloat(style.lineHeight) / parseFloat(style.fontSize);
})"""


@cache
def drawn():
    """A picture that is larger than any column."""
    file = io.BytesIO()
    Image.new("RGB", (1200, 600), "#88aa88").save(file, "PNG")
    return file.getvalue()


@cache
def compiled(theme, case, language):
    links = Links("https://news.example")
    issue = difficult_issues(theme, [case])[case]
    edition = build_edition(issue, language=language, links=links, catalogue=catalogue(language))
    artifact = compile_edition(edition, links=links)
    return artifact.html_for(sample_values(artifact))


@pytest.fixture
def opened(chromium):
    """Open an edition in a window; its pictures are there, unless the case is that they are lost."""
    contexts = []

    def visit(theme, case, language, *, width, scheme):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
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


def turns(themes):
    """One edition a language: its theme, width and scheme are such that every one of them has its turn."""
    for turn, language in enumerate(LANGUAGES):
        yield themes[turn % len(themes)], language, *VIEWS[(turn + turn // 2) % len(VIEWS)]


SHORT = set(turns(theme_names()))
MATRIX = [
    pytest.param(*edition, marks=() if edition in SHORT else pytest.mark.long)
    for edition in (
        (theme, language, width, scheme) for theme in theme_names() for language in LANGUAGES for width, scheme in VIEWS
    )
]
OTHERS = [case for case in Case if case is not Case.EVERYTHING]


def on_telephones():
    """Every difficult case in the widest and in the other direction; an ordinary run sees each once, in turn."""
    for turn, case in enumerate(OTHERS):
        for number, theme in enumerate(theme_names()):
            due = turn % len(theme_names()) == number
            yield pytest.param(theme, case, "ar", marks=() if due else pytest.mark.long)
            yield pytest.param(theme, case, "de", marks=pytest.mark.long)


def test_in_an_ordinary_run_every_theme_language_width_and_scheme_has_its_turn():
    themes, languages, widths, schemes = (set(each) for each in zip(*SHORT, strict=True))
    assert themes == set(theme_names())
    assert languages == set(LANGUAGES)
    assert set(product(widths, schemes)) == set(VIEWS)


@pytest.mark.parametrize(("theme", "language", "width", "scheme"), MATRIX)
def test_an_edition_with_everything_fits_and_hinders_nobody(opened, theme, language, width, scheme):
    page = opened(theme, Case.EVERYTHING, language, width=width, scheme=scheme)
    assert fits(page, width)
    assert serious(page) == []
    assert page.evaluate(INDENTED, language == "ar") == []
    if width < 480:
        assert page.evaluate(LOW, TARGET) == []


@pytest.mark.parametrize(("theme", "case", "language"), list(on_telephones()))
def test_difficult_content_fits_a_telephone(opened, theme, case, language):
    page = opened(theme, case, language, width=375, scheme="light")
    assert fits(page, 375)
    assert page.evaluate(INDENTED, language == "ar") == []


@pytest.mark.parametrize("theme", theme_names())
def test_the_words_of_a_blocked_picture_can_be_read(opened, theme):
    page = opened(theme, Case.LOST_PICTURES, "ar", width=375, scheme="light")
    spacing = page.evaluate(SPACING)
    assert len(spacing) > 3
    assert min(spacing) > 1.3
    assert max(spacing) < 2


@pytest.mark.long
@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_difficult_content_hinders_nobody(opened, theme, case, language):
    assert serious(opened(theme, case, language, width=375, scheme="dark")) == []
