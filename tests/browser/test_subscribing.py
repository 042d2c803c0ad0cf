"""The pages of subscribers in Chromium: the whole way by keyboard alone, and every page for every eye."""

import contextlib
import re
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from serving import own_port, root_of, serving
from subscribing import scene

from newsletter.pipeline.signup import AskedFor
from newsletter.web.app import create_app
from newsletter.words import catalogue

SERIOUS = ("serious", "critical")
PHONE = 375
ANNE = "anne@towns.example"
PEOPLE = {"en": ANNE, "fr": "brigitte@towns.example"}
WAITING = "waiting@towns.example"
CONFIRMED = "confirmed@towns.example"
FOCUS = """selector => {
  const one = document.activeElement;
  return [getComputedStyle(one).outlineStyle, one.matches(selector), one.outerHTML.slice(0, 200)];
}"""
UNDO = "Undo: I want to keep receiving it"


@contextlib.contextmanager
def a_house(folder):
    """The installation of a scene, served to browsers."""
    with own_port() as port, scene(folder, root=root_of(port)) as house, serving(create_app(house.pipeline), port):
        yield house


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An installation with one subscriber, who has got the issue."""
    with a_house(tmp_path_factory.mktemp("house")) as opened:
        opened.pipeline.people.add(ANNE, list_name="monthly", given={"language": "en"})
        opened.send_issue()
        for address in (WAITING, CONFIRMED):
            offer = opened.pipeline.signup.offer("harbour", language="en")
            opened.forward(seconds=10)
            opened.pipeline.signup.ask(
                AskedFor(newsletter="harbour", address=address, lists=("monthly", "press"), stamp=offer.stamp)
            )
        opened.dispatch()
        opened.pipeline.signup.confirm(opened.link(CONFIRMED, "c").rpartition("/")[2], origin="")
        yield opened


@pytest.fixture
def visit(chromium):
    """Open an empty window; what the browser complains of is kept."""
    contexts = []

    def opened(*, width=PHONE, scheme="light", **given):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, **given)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        return page

    yield opened
    for context in contexts:
        context.close()


class Keyboard:
    """Uses a page as somebody does who has no mouse: every stop of the Tab key must be seen."""

    def __init__(self, page, say):
        self._page = page
        self._say = say

    def reach(self, selector):
        """Go on with Tab until the element has the focus."""
        for _ in range(60):
            self._page.keyboard.press("Tab")
            outline, is_there, element = self._page.evaluate(FOCUS, selector)
            assert outline != "none", element
            if is_there:
                return
        raise AssertionError(f"the Tab key does not come to {selector}")

    def write(self, field, text):
        self.reach(f"[name={field}]")
        self._page.keyboard.press("Control+a")
        self._page.keyboard.type(text)

    def choose(self, field, beginning):
        """Choose from a list by the first letters."""
        self.reach(f"select[name={field}]")
        self._page.keyboard.type(beginning)

    def tick(self, name, value):
        self.reach(f"[name={name}][value={value}]")
        self._page.keyboard.press("Space")

    def press(self, words):
        """Press the button with these words, and wait for the page that follows."""
        button = self._page.get_by_role("button", name=self._say(words), exact=True)
        button.evaluate("button => button.dataset.wanted = ''")
        self.reach("[data-wanted]")
        with self._page.expect_navigation():
            self._page.keyboard.press("Enter")

    def follow(self, words):
        link = self._page.get_by_role("link", name=self._say(words), exact=True)
        link.evaluate("link => link.dataset.wanted = ''")
        self.reach("[data-wanted]")
        with self._page.expect_navigation():
            self._page.keyboard.press("Enter")


@pytest.mark.usefixtures("no_page_twice")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_with_a_keyboard_alone_on_a_phone_from_the_form_to_the_undo(tmp_path, visit, language):
    with a_house(tmp_path) as house:
        page, address = visit(locale=language), PEOPLE[language]
        words = catalogue(language, "public")
        keyboard = Keyboard(page, words.say)
        name = {"en": "Harbour Post", "fr": "Courrier du port"}[language]

        def shown(message, **values):
            assert page.locator("h1").inner_text() == words.say(message, **values)
            assert page.locator("html").get_attribute("lang") == words.language
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE

        page.goto(f"{house.root}/subscribe")
        shown("Subscribe to {newsletter}", newsletter=name)
        house.forward(seconds=10)
        keyboard.write("address", address)
        keyboard.tick("list", "monthly")
        keyboard.press("Subscribe")
        shown("Look into your mailbox")
        house.dispatch()

        page.goto(house.link(address, "c"))
        shown("Confirm your subscription")
        keyboard.press("Confirm")
        shown("Your subscription is confirmed")
        keyboard.follow("Your preferences")
        shown("Your preferences")
        other = {"en": "fr", "fr": "en"}[language]
        keyboard.choose("language", {"fr": "Fra", "en": "Eng"}[other])
        keyboard.press("Save")
        words = catalogue(other, "public")
        keyboard = Keyboard(page, words.say)
        shown("Your preferences")
        assert page.get_by_role("status").inner_text() == words.say("Your preferences are saved.")

        house.send_issue()
        letter = house.letters(address)[-1]
        assert letter["Content-Language"] == other
        page.goto(house.link(address, "u"))
        name = {"en": "Harbour Post", "fr": "Courrier du port"}[other]
        shown("Unsubscribe from {newsletter}?", newsletter=name)
        keyboard.press("Unsubscribe")
        shown("You no longer receive {newsletter}", newsletter=name)
        assert house.pipeline.people.show(address).departures
        keyboard.press(UNDO)
        shown("You keep receiving {newsletter}", newsletter=name)
        assert not house.pipeline.people.show(address).departures
        assert page.complaints == []


def test_errors_take_the_focus_and_lead_to_their_fields(house, visit):
    page = visit()
    page.goto(f"{house.root}/subscribe/harbour?lang=en")
    page.get_by_role("button", name="Subscribe").click()
    page.wait_for_function("document.activeElement.getAttribute('role') === 'alert'")
    page.get_by_role("link", name=re.compile("^Email address")).click()
    page.wait_for_function("document.activeElement.id === 'address'")
    described = page.locator("#address").get_attribute("aria-describedby").split()
    assert "Enter your email address." in [page.locator(f"#{each}").inner_text() for each in described]


def test_the_trap_is_seen_by_nobody(house, visit):
    page = visit()
    page.goto(f"{house.root}/subscribe/harbour?lang=en")
    box = page.locator("[name=topic]").bounding_box()
    assert box is None or page.locator(".trap").evaluate("trap => trap.clientWidth * trap.clientHeight") <= 1
    assert page.get_by_label("Leave this field empty").get_attribute("tabindex") == "-1"
    assert page.get_by_role("textbox", name="Leave this field empty").count() == 0


def test_where_a_finger_goes_is_large_enough(house, visit):
    page = visit()
    for address in ("/subscribe/harbour?lang=en", _path(house.link(ANNE, "p"))):
        page.goto(house.root + address)
        small = page.evaluate(
            """() => [...document.querySelectorAll('a:not(.skip), button, input:not([type=hidden]), select')]
            .filter(one => !one.closest('.trap'))
            .map(one => one.type === 'checkbox' ? one.closest('.choice') : one)
            .filter(one => one.getBoundingClientRect().height < 43.5).map(one => one.outerHTML.slice(0, 90))"""
        )
        assert small == []


def _path(address):
    return re.sub(r"^https?://[^/]+", "", address)


def _pages(house):
    """Every page by name: where it is, and the buttons that are pressed to see it."""
    card, farewell = _path(house.link(ANNE, "p")), _path(house.link(ANNE, "u"))
    return {
        "form": ("/subscribe/harbour",),
        "errors": ("/subscribe/harbour", "Subscribe"),
        "asked": ("/subscribe/harbour/asked",),
        "embed": ("/subscribe/harbour/embed",),
        "confirm": (_path(house.link(WAITING, "c")),),
        "confirmed": (_path(house.link(CONFIRMED, "c")),),
        "preferences": (card,),
        "saved": (card, "Save"),
        "address": (f"{card}/address",),
        "data": (f"{card}/data",),
        "erase": (f"{card}/erase",),
        "wrong": (f"{card}/erase", "Erase everything"),
        "unsubscribe": (farewell,),
        "left": (farewell, "Unsubscribe"),
        "restored": (farewell, "Unsubscribe", UNDO),
        "nowhere": ("/p/nowhere",),
    }


NAMES = tuple(_pages(SimpleNamespace(link=lambda _address, _purpose: "")))


def _show(house, page, name, language):
    address, *buttons = _pages(house)[name]
    page.goto(f"{house.root}{address}?lang={language}", wait_until="load")
    for button in buttons:
        _press(page, button, language)


def _press(page, button, language):
    with page.expect_navigation():
        page.get_by_role("button", name=catalogue(language, "public").say(button), exact=True).first.click()


def _looks_right(house, page, name, language):
    _show(house, page, name, language)
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    for width in (1280, PHONE, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS] == []
    allowed = ["404"] if name == "nowhere" else ["422"] if name in {"errors", "wrong"} else []
    assert [said for said in page.complaints if not any(code in said for code in allowed)] == []
    if name == "left":  # the next one is to find the person as they were
        _press(page, UNDO, language)


@pytest.mark.parametrize(
    ("name", "language", "scheme"),
    [(name, *(("en", "light"), ("ar", "dark"))[number % 2]) for number, name in enumerate(NAMES)],
)
def test_axe_finds_nothing_serious_and_the_page_fits(house, visit, name, language, scheme):
    _looks_right(house, visit(scheme=scheme), name, language)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "el", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_language(house, visit, name, language, scheme):
    _looks_right(house, visit(scheme=scheme), name, language)


def test_on_paper_a_page_is_black_on_white_without_what_only_a_screen_has(house, visit):
    page = visit(width=800, scheme="dark")
    _show(house, page, "asked", "en")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not page.locator("nav").is_visible()
    assert page.locator("h1").is_visible()
