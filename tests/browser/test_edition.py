"""Each golden edition fits a computer's and a telephone's window, in light and in dark, and asks nobody for anything."""

import io
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

GOLDEN = Path(__file__).parents[1] / "golden"

PICTURES = "www.orchardtowns.example"
"""The host of the golden pack's pictures."""

OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const hidden = style.display === "none" || style.visibility === "hidden" || parseFloat(style.opacity) === 0;
  const away = style.position === "absolute" || style.overflow === "hidden" || box.width <= 1 || box.height <= 1;
  return !hidden && !away && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => element.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def picture():
    drawn = io.BytesIO()
    Image.new("RGB", (1200, 600), "#88aa88").save(drawn, "PNG")
    return drawn.getvalue()


class Visit:
    """An edition as it was opened: the page, and what it asked for and complained of."""

    def __init__(self, chromium, picture, *, language, width, scheme):
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.asked, self.complaints = [], []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.route(re.compile("^(?!file:)"), lambda route: self._answer(route, picture))
        self.page.goto((GOLDEN / f"{language}.html").as_uri(), wait_until="load")

    def _answer(self, route, picture):
        self.asked.append((route.request.resource_type, urlsplit(route.request.url).hostname))
        route.fulfill(body=picture, content_type="image/png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 375])
@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_an_edition_fits_the_window_and_asks_only_for_its_pictures(chromium, picture, language, width, scheme):
    visit = Visit(chromium, picture, language=language, width=width, scheme=scheme)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.page.evaluate(OVERFLOWING) == []
    assert set(visit.asked) == {("image", PICTURES)}
    assert visit.complaints == []
    assert visit.page.evaluate("getComputedStyle(document.body).direction") == ("rtl" if language == "ar" else "ltr")
    visit.context.close()


def test_the_dark_edition_is_dark_and_the_light_one_is_light(chromium, picture):
    lightness = {}
    for scheme in ("light", "dark"):
        visit = Visit(chromium, picture, language="en", width=375, scheme=scheme)
        shot = Image.open(io.BytesIO(visit.page.screenshot(full_page=True))).convert("L")
        histogram = shot.histogram()
        lightness[scheme] = sum(level * count for level, count in enumerate(histogram)) / sum(histogram)
        visit.context.close()
    assert lightness["dark"] < 90
    assert lightness["light"] > 190
