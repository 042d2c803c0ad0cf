"""
An officer at the desk in a real browser: with a mouse, or with nothing but a keyboard.

`Mouse` and `Keyboard` do the same things to the same elements; where the keyboard cannot reach one by Tab, the test
fails. `an_empty_house` gives them an installation, from nothing.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page
from serving import own_port, root_of, serving
from subscribing import Scene, bare

from newsletter.web.app import create_app
from newsletter.web.desk.words import desk_words

FARTHEST = 400
"""Presses of Tab after which something counts as out of reach."""

HERE = "element => element === document.activeElement"
VISIBLE = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  return style.outlineStyle !== "none" || one.matches("input, textarea, select, iframe, summary, main");
}"""


@contextlib.contextmanager
def an_empty_house(folder: Path) -> Iterator[Scene]:
    """An installation with nothing in it, served to browsers; `root` is its address."""
    with own_port() as port, bare(folder, root=root_of(port)) as house, serving(create_app(house.pipeline), port):
        yield house


class Mouse:
    """Points and clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        """Press a button, follow a link."""
        target.click()

    def write(self, target: Locator, text: str) -> None:
        """Put a text into a field, in place of what is there."""
        target.fill(text)

    def choose(self, target: Locator, label: str) -> None:
        """Choose an option by its words."""
        target.select_option(label=label)

    def tick(self, target: Locator) -> None:
        """Tick a box that is not ticked yet, or choose among several."""
        target.check()

    def moment(self, target: Locator, value: str) -> None:
        """Put a day, a time or both into a field of its kind; `value` is as the field has it (ISO 8601)."""
        target.fill(value)

    def file(self, target: Locator, path: Path) -> None:
        """Choose a file."""
        with self.page.expect_file_chooser() as chooser:
            target.click()
        chooser.value.set_files(path)


class Keyboard:
    """Presses keys: whatever cannot be reached by Tab, or does not show that it is reached, fails."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._keys = page.keyboard

    def _reach(self, target: Locator) -> None:
        target.wait_for()
        element = target.element_handle()
        for _ in range(FARTHEST):
            if element.evaluate(HERE):
                assert self.page.evaluate(VISIBLE), f"nothing shows that {target} has the focus"
                return
            self._keys.press("Tab")
        raise AssertionError(f"{target} cannot be reached by keyboard")

    def press(self, target: Locator) -> None:
        """Press a button, follow a link."""
        self._reach(target)
        self._keys.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        """Put a text into a field, in place of what is there."""
        self._reach(target)
        self._keys.press("Control+a")
        self._keys.press("Delete")
        self._keys.insert_text(text)

    def choose(self, target: Locator, label: str) -> None:
        """Choose an option by typing its words."""
        self._reach(target)
        # A letter that the driver's keyboard does not have would be put in as text, where no text is taken.
        self._keys.type(re.split(r"[^ -~]", label)[0], delay=5)
        for _ in range(FARTHEST):
            if target.evaluate("one => one.selectedOptions[0].label") == label:
                return
            self._keys.press("ArrowDown")
        raise AssertionError(f"{label!r} cannot be chosen")

    def tick(self, target: Locator) -> None:
        """Tick a box; of several, go to the one by its arrows."""
        if target.get_attribute("type") == "radio":
            self._pick(target)
            return
        self._reach(target)
        if not target.is_checked():
            self._keys.press("Space")

    def _pick(self, target: Locator) -> None:
        name = target.get_attribute("name")
        for _ in range(FARTHEST):
            if self.page.evaluate("() => document.activeElement.name") == name:
                break
            self._keys.press("Tab")
        for _ in range(20):
            if target.is_checked():
                return
            self._keys.press("ArrowDown")
        self._keys.press("Space")
        assert target.is_checked()

    def moment(self, target: Locator, value: str) -> None:
        """Type the digits of a day, a time or both, in the order in which this browser asks for them."""
        self._reach(target)
        day, _, time = value.rpartition("T") if "-" not in value[-5:] and ":" in value else (value, "", "")
        if day:
            year, month, date = day.split("-")
            self._keys.type(f"{month}{date}{year}", delay=5)
        if day and time:
            self._keys.press("Tab")
        if time:
            clock = dt.time.fromisoformat(time)
            self._keys.type(f"{clock:%I%M%p}", delay=5)
        assert target.input_value() == value, (value, target.input_value())

    def file(self, target: Locator, path: Path) -> None:
        """Choose a file."""
        self._reach(target)
        with self.page.expect_file_chooser() as chooser:
            self._keys.press("Space")
        chooser.value.set_files(path)


class Officer:
    """Somebody at the desk, with a hand and a language; `find` and `button` look for things on the page."""

    def __init__(self, page: Page, hand: Any, *, root: str, language: str) -> None:
        self.page = page
        self.hand = hand(page)
        self.root = root
        self.language = language
        self._words = desk_words(language)

    def say(self, message: str, *, context: str = "", **values: object) -> str:
        """The words of the desk in the officer's language."""
        return self._words.say(message, context=context, **values)

    def open(self, path: str) -> None:
        """Go to a page by its address."""
        self.page.goto(self.root + path)

    def named(self, name: str) -> Locator:
        """The field of a name."""
        return self.page.locator(f'main [name="{name}"]:visible').first

    def button(self, message: str, *, context: str = "") -> Locator:
        """The button with these words."""
        words = self.say(message, context=context)
        return self.page.locator("main button:visible, dialog button:visible").filter(has_text=words).last

    def link(self, message: str, *, context: str = "") -> Locator:
        """The link with these words."""
        return self.page.locator("main a:visible").filter(has_text=self.say(message, context=context)).first

    def write(self, **fields: str) -> None:
        """Fill in fields by name; two underscores stand for a hyphen."""
        for name, text in fields.items():
            self.hand.write(self.named(name.replace("__", "-")), text)

    def press(self, message: str, *, context: str = "") -> None:
        """Press a button that leads to a page, and wait for that."""
        with self.page.expect_navigation():
            self.hand.press(self.button(message, context=context))

    def follow(self, message: str, *, context: str = "") -> None:
        """Follow a link."""
        with self.page.expect_navigation():
            self.hand.press(self.link(message, context=context))
