"""Every page of the desk for every eye: axe finds nothing serious, nothing is wider than the screen, nothing fails."""

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from desk_house import furnish, walk
from integration.desk import signed_in
from serving import own_port, root_of, serving
from subscribing import scene

from newsletter.accounts.operator import Role
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

SERIOUS = ("serious", "critical")

EVERY = slice(None)

SIGHTS = [  # in an ordinary run each page once, one way or another
    pytest.param((1280, "light"), "en", slice(0, None, 2), id="1280-light"),
    pytest.param((375, "dark"), "fr", slice(1, None, 2), id="375-dark"),
    *(
        pytest.param((width, scheme), language, EVERY, id=f"all-{width}-{scheme}-{language}", marks=pytest.mark.long)
        for width, scheme, language in [
            (1280, "light", "en"),
            (1280, "dark", "fr"),
            (375, "light", "fr"),
            (375, "dark", "en"),
        ]
    ),
]

QUIET = ("Failed to load resource", "Content Security Policy")
"""Said by the browser of pictures on other hosts in a preview, which are not loaded on purpose."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An installation with everything on it, served; `pages` are the paths of every page, one of each route."""
    with own_port() as port, scene(tmp_path_factory.mktemp("everybody"), root=root_of(port)) as place:
        furnish(place)
        app = create_app(place.pipeline)
        token = signed_in(place.pipeline, role=Role.ADMIN)
        starts = ("/desk", "/desk/n/river-cities/issues", "/desk/newsletters")
        with serving(app, port) as root, httpx.Client(base_url=root, cookies={COOKIE: token}, timeout=30) as client:
            place.pages = [page.path for page in walk(app, client.get, *starts, at_most=1) if is_shown(page)]
            yield place


def is_shown(page):
    """Whole pages: parts of pages are looked at where they stand, editions have tests of their own."""
    return page.answer.status_code == 200 and "<main" in page.answer.text


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("sight", "language", "some"), SIGHTS)
def test_every_page_is_for_everybody(chromium, house, sight, language, some):
    width, scheme = sight
    token = signed_in(house.pipeline, role=Role.ADMIN, name=f"eyes-{language}", language=language)
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    context.add_cookies([{"name": COOKIE, "value": token, "url": house.root}])
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append((page.url, message.text)) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append((page.url, str(error))))
    axe, wrong = Axe(), []
    assert len(house.pages) > 40
    for path in house.pages[some]:
        page.goto(house.root + path)
        widest = page.evaluate("document.documentElement.scrollWidth")
        if widest > width:
            wrong.append((path, f"{widest} pixels wide"))
        options = {"resultTypes": ["violations"], "iframes": False}
        found = axe.run(page, options=options).response["violations"]
        wrong += [(path, rule["id"], rule["nodes"][0]["html"][:160]) for rule in found if rule["impact"] in SERIOUS]
    context.close()
    assert wrong == []
    assert [(url, text) for url, text in said if not any(words in text for words in QUIET)] == []
