"""
How the words of a document look: their colour, what they stand on, and how large they are.

Takes a document and the view it is seen in (colour scheme, width), yields `Seen` words in their order. A cascade of six
properties (CSS Cascading Level 4 §6, with the defaults of browsers): what is not known (a picture under the words, a
colour that cannot be told) is None rather than a guess. Words that nobody sees are left out. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from newsletter.preflight.document import Document, Element, Specificity
from newsletter.preflight.paint import CLEAR, Paint, ground_of, paint_of
from newsletter.preflight.stylesheet import Declaration, declarations_in, split_outside

_PROPERTIES: Final = frozenset(
    {"color", "background", "background-color", "background-image", "font-size", "font-weight", "font", "display"}
)
_CONDITION: Final = re.compile(r"\(\s*([a-z-]+)\s*:\s*([^)]+?)\s*\)", re.IGNORECASE)
_LENGTH: Final = re.compile(r"([\d.]+)\s*(px|pt|em|rem|%)?", re.IGNORECASE)
_FONT_SIZE: Final = re.compile(r"(?:^|\s)([\d.]+(?:px|pt|em|rem|%))", re.IGNORECASE)
_EVERYWHERE: Final = frozenset({"@media screen", "@media only screen", "@media all", "@media only all"})
_LETTER: Final = re.compile(r"[^\W_]")
_BOLD_FROM: Final = 600

_SIZES: Final = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83, "sub": 0.83, "sup": 0.83}
"""Sizes that browsers give, as parts of what is around (HTML Standard §15.3)."""

_BOLD: Final = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN: Final = frozenset({"head", "title", "style", "script", "template", "noscript"})
_WORDS: Final = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0, "xx-large": 32.0,
}  # fmt: skip
_STEPS: Final = {"smaller": 5 / 6, "larger": 6 / 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a document is seen: in the dark or light scheme, on so many pixels of width."""

    dark: bool = False
    width: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    How an element shows its words.

    `colour` and `ground` are `#rrggbb`, None where they cannot be told; `size` is in pixels. `link` says that the words
    lead somewhere.
    """

    colour: str | None
    ground: str | None
    size: float
    bold: bool = False
    link: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """Words with their look."""

    words: str
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Weight:
    """What decides between two declarations, in this order."""

    important: bool = False
    inline: bool = False
    specificity: Specificity = (0, 0, 0)
    position: int = 0


_Won = dict[str, tuple[_Weight, str]]


def seen_in(document: Document, view: View) -> Iterator[Seen]:
    """The words of a document as they look in a view; letters and digits only, no signs between them."""
    won = _won(document, view)
    ink, paper = ("#ffffff", "#121212") if view.dark else ("#000000", "#ffffff")
    yield from _seen(document.root, Look(colour=ink, ground=paper, size=16.0), won, view=view)


def _seen(element: Element, around: Look, won: Mapping[Element, _Won], *, view: View) -> Iterator[Seen]:
    """The words inside an element; its tail belongs to what is around."""
    stack = [(element, around, True)]
    while stack:
        current, outer, opening = stack.pop()
        if not opening:
            yield from _words(current.tail, outer)
            continue
        look = _look(current, outer, won.get(current, {}), view=view)
        stack.append((current, outer, False))
        if look.shown:
            yield from _words(current.get("alt") if current.tag == "img" else current.text, look)
            stack.extend((child, look, True) for child in reversed(current))


def _words(text: object, look: Look) -> Iterator[Seen]:
    words = " ".join(str(text or "").split())
    if _LETTER.search(words):
        yield Seen(words, look)


def _look(element: Element, around: Look, won: _Won, *, view: View) -> Look:
    values = {name: value for name, (_, value) in won.items()}
    tag = str(element.tag)
    link = around.link or (tag == "a" and element.get("href") is not None)
    default = ("#9e9eff" if view.dark else "#0000ee") if link and not around.link else around.colour
    ground = _ground(values, element.get("bgcolor"), around.ground)
    paint = paint_of(values["color"]) if "color" in values else None
    keeps = values.get("color", "inherit").lower() in {"inherit", "currentcolor"}
    colour = (default if "color" not in values else around.colour) if keeps else _laid(paint, ground)
    return replace(
        around,
        colour=colour,
        ground=ground,
        size=_size(values.get("font-size"), around.size, tag),
        bold=_is_bold(values.get("font-weight"), tag, around=around.bold),
        link=link,
        shown=tag not in _UNSEEN and values.get("display") != "none" and element.get("hidden") is None,
    )


def _ground(values: Mapping[str, str], attribute: str | None, around: str | None) -> str | None:
    if values.get("background-image", "none") != "none":
        return None
    named = values.get("background-color", attribute)
    paint = ground_of(named) if named else CLEAR
    return _laid(paint, around)


def _laid(paint: Paint | None, ground: str | None) -> str | None:
    if paint is None or (ground is None and paint.opacity < 1):
        return None
    return paint.colour if ground is None else paint.over(ground)


def _size(value: str | None, around: float, tag: str) -> float:
    if value is None:
        return around * _SIZES.get(tag, 1.0)
    word = value.lower()
    if word in _STEPS:
        return around * _STEPS[word]
    found = _LENGTH.fullmatch(word)
    if found is None or found[1].count(".") > 1:
        return _WORDS.get(word, around)
    number, unit = float(found[1].rstrip(".") or 0), found[2] or "px"
    return number * {"px": 1.0, "pt": 4 / 3, "em": around, "rem": 16.0, "%": around / 100}[unit]


def _is_bold(value: str | None, tag: str, *, around: bool) -> bool:
    if value is None:
        return around or tag in _BOLD
    if value.isdecimal():
        return int(value) >= _BOLD_FROM
    return value in {"bold", "bolder"} or (value == "inherit" and around)


def _won(document: Document, view: View) -> dict[Element, _Won]:
    """The declarations that win, for each element that has any."""
    won: dict[Element, _Won] = {}
    for position, rule in enumerate(document.rules):
        listed = [each for each in rule.declarations if each.name in _PROPERTIES]
        if not listed or not all(_holds(context, view) for context in rule.context):
            continue
        for selector in rule.selectors:
            elements, specificity = document.matching(selector)
            for element in elements:
                _compete(won.setdefault(element, {}), listed, _Weight(specificity=specificity, position=position))
    for element in document.elements():
        if style := element.get("style"):
            listed = [each for each in declarations_in(str(style)) if each.name in _PROPERTIES]
            _compete(won.setdefault(element, {}), listed, _Weight(inline=True))
    return won


def _compete(won: _Won, declarations: list[Declaration], weight: _Weight) -> None:
    for declaration in declarations:
        mine = replace(weight, important=declaration.important)
        for name, value in _longhands(declaration):
            if name not in won or mine >= won[name][0]:
                won[name] = (mine, value)


def _longhands(declaration: Declaration) -> Iterator[tuple[str, str]]:
    name, value = declaration.name, declaration.value
    if name == "background":
        is_picture = ground_of(value) is None
        yield "background-image", "picture" if is_picture else "none"
        yield "background-color", "transparent" if is_picture else value
    elif name == "font":
        yield "font-weight", "bold" if "bold" in value.lower().split() else "normal"
        if found := _FONT_SIZE.search(value):
            yield "font-size", found[1]
    else:
        yield name, value.lower()


def _holds(context: str, view: View) -> bool:
    """Whether what stands inside an at-rule counts in a view; of what is not known nothing does."""
    head = context.lower()
    if not head.startswith("@media"):
        return head.startswith(("@supports", "@layer"))
    queries = split_outside(head.removeprefix("@media"), ",")
    return any(all(_met(part.strip(), view) for part in query.split(" and ")) for query in queries)


def _met(condition: str, view: View) -> bool:
    if f"@media {condition}" in _EVERYWHERE:
        return True
    found = _CONDITION.fullmatch(condition)
    if found is None:
        return False
    name, value = found[1], found[2]
    if name == "prefers-color-scheme":
        return value == ("dark" if view.dark else "light")
    size = _LENGTH.fullmatch(value)
    limit = _size(value, 16.0, "") if size else 0.0
    return (name == "min-width" and view.width >= limit) or (name == "max-width" and view.width <= limit)
