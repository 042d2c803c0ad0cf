"""Every page of the desk that links lead to: it answers, stays on its own host, is light, and shows text as text."""

from collections import defaultdict
from urllib.parse import urlsplit

import lxml.html
import pytest
from desk_house import furnish, walk
from integration.desk import desk_client
from subscribing import scene

from newsletter.accounts.operator import Role
from newsletter.web.app import create_app
from newsletter.web.static_files import static_file

MOST_OCTETS = 250_000
"""Of a page with all that it loads, compressed."""

LOADED = (("script", "src"), ("link", "href"), ("img", "src"), ("source", "srcset"), ("video", "src"))


@pytest.fixture(scope="module")
def spicy(tmp_path_factory):
    """Every page of an installation whose texts are all hostile, opened as an administrator."""
    with scene(tmp_path_factory.mktemp("spicy"), root="http://localhost") as place:
        furnish(place, spice=True)
        app = create_app(place.pipeline)
        admin = desk_client(place.pipeline, role=Role.ADMIN, app=app)
        yield list(walk(app, admin.get, "/desk", "/desk/newsletters", "/desk/n/harbour/issues"))


@pytest.fixture(scope="module")
def pages(spicy):
    return [page for page in spicy if page.answer.headers.get("content-type", "").startswith("text/html")]


def test_every_page_answers(spicy):
    broken = [(page.path, page.answer.status_code) for page in spicy if page.answer.status_code >= 400]
    assert broken == []
    assert len({page.route for page in spicy}) > 55


def test_what_was_stored_stays_text(pages):
    wild = [(page.path, lxml.html.tostring(each)[:200]) for page in pages for each in awake(page)]
    assert wild == []
    shown = [page.path for page in pages if "canary(1)" in page.answer.text]
    assert len(shown) > 10


def awake(page):
    """Elements of a page that run what was stored."""
    for each in lxml.html.document_fromstring(page.answer.text).iter("*"):
        handlers = [value for name, value in each.attrib.items() if name.startswith("on")]
        runs = [each.text or ""] if each.tag == "script" else []
        if any("canary" in text for text in (*handlers, *runs)):
            yield each


def test_no_page_needs_another_host(pages):
    foreign = []
    for page in own(pages):
        document = lxml.html.document_fromstring(page.answer.text)
        addresses = [value for tag, attribute in LOADED for value in document.xpath(f"//{tag}/@{attribute}")]
        foreign += [(page.path, value) for value in addresses if urlsplit(value).netloc]
        assert "http" not in page.answer.headers["content-security-policy"]
    assert foreign == []


def own(pages):
    """Pages of the desk itself: an edition's preview may show pictures of the web, as its readers see them."""
    return [page for page in pages if "/editions/" not in page.path and "/block" not in page.path]


def test_every_page_is_light(pages):
    sizes = defaultdict(int)
    for page in pages:
        document = lxml.html.document_fromstring(page.answer.text)
        loaded = {
            value
            for tag in ("script", "link")
            for value in document.xpath(f"//{tag}/@*[name()='src' or name()='href']")
        }
        files = [static_file(urlsplit(value).path.removeprefix("/static/")) for value in loaded]
        sizes[page.path] = len(page.answer.content) + sum(len(file.compressed) for file in files if file)
    assert {path: size for path, size in sizes.items() if size > MOST_OCTETS} == {}


def test_no_page_runs_a_script_or_bears_a_style_that_stands_in_it(pages):
    inline = []
    for page in own(pages):
        document = lxml.html.document_fromstring(page.answer.text)
        found = document.xpath("//script[not(@src) and not(@type='application/json')] | //style | //*[@style]")
        found += [each for each in document.iter() if any(str(name).startswith("on") for name in each.attrib)]
        inline += [(page.path, lxml.html.tostring(each)[:120]) for each in found]
    assert inline == []
