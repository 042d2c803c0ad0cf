"""
The signs of HTML and CSS features in a document.

Takes a document, yields signs: short strings that say what is used, whatever it is used for. Pure.

    display             a property                  display:flex        with one word of its value
    var()               a function in a value       background:url()    in the value of one property
    1vw                 a unit                      !important          an important declaration
    @media              an at-rule                  (hover)             a media feature
    :hover  ::before    pseudo-classes, -elements   [attr]  a>b  *      other selectors
    &                   a rule inside another       <video>             an element
    usemap=             an attribute                type=checkbox       with its value, of inputs and buttons
    href=mailto:        a kind of address           .webp  data:        a format of pictures
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from newsletter.preflight.document import Document, Element
from newsletter.preflight.stylesheet import NESTED, Declaration, StyleRule, declarations_in

_STRING: Final = re.compile(r"""(?:url\(\s*[^"')\s][^)]*\))|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
_ADDRESS: Final = re.compile(r"""url\(\s*["']?([^"')\s]+)""", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"([a-z-]+)\(", re.IGNORECASE)
_UNIT: Final = re.compile(r"(?<![\w#-])[+-]?[\d.]+([a-z]{1,4})\b", re.IGNORECASE)
_WORD: Final = re.compile(r"(?<![\w#.-])[a-z][a-z-]*(?![\w(.-])", re.IGNORECASE)
_AT_RULE: Final = re.compile(r"@[\w-]+")
_MEDIA_FEATURE: Final = re.compile(r"\(\s*([a-z-]+)", re.IGNORECASE)
_PSEUDO: Final = re.compile(r"(?<!\\)(::?)([a-z-]+)", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"\[[^\]]*\]")
_COMBINATOR: Final = re.compile(r"[>+~]")

_OLD_ELEMENTS: Final = frozenset({"before", "after", "first-letter", "first-line"})
"""Pseudo-elements that may be written with one colon (Selectors Level 3 §7)."""


def signs_in(document: Document) -> frozenset[str]:
    """Every sign of a document, in its sheets, its elements and their `style` attributes."""
    return frozenset(_signs(document))


def _signs(document: Document) -> Iterator[str]:
    for rule in document.rules:
        yield from _of_rule(rule)
    for element in document.elements():
        yield from _of_element(element)


def _of_rule(rule: StyleRule) -> Iterator[str]:
    for context in rule.context:
        if context == NESTED:
            yield NESTED
            continue
        yield from _AT_RULE.findall(context.lower())
        yield from (f"({name.lower()})" for name in _MEDIA_FEATURE.findall(context))
    for selector in rule.selectors:
        yield from _of_selector(selector)
    yield from _of_declarations(rule.declarations)


def _of_selector(selector: str) -> Iterator[str]:
    bare = _ATTRIBUTE.sub("[attr]", selector)
    if bare != selector:
        yield "[attr]"
    for colons, name in _PSEUDO.findall(bare):
        word = name.lower()
        yield f"::{word}" if colons == "::" or word in _OLD_ELEMENTS else f":{word}"
    yield from (f"a{sign}b" for sign in _COMBINATOR.findall(bare))
    if "*" in bare:
        yield "*"


def _of_declarations(declarations: Iterable[Declaration]) -> Iterator[str]:
    for declaration in declarations:
        name = declaration.name
        # What begins with mso- is for Outlook for Windows, which knows it; the others pass it over.
        if name.startswith("mso-"):
            continue
        yield name
        if declaration.important:
            yield "!important"
        for address in _ADDRESS.findall(declaration.value):
            yield f"{name}:url()"
            yield from _of_picture(address)
        yield from _of_value(name, _STRING.sub(" ", declaration.value))


def _of_value(name: str, value: str) -> Iterator[str]:
    for function in _FUNCTION.findall(value):
        yield f"{function.lower()}()"
    for unit in _UNIT.findall(value):
        yield f"1{unit.lower()}"
    for word in _WORD.findall(value):
        yield f"{name}:{word.lower()}"


def _of_element(element: Element) -> Iterator[str]:
    tag = str(element.tag)
    yield f"<{tag}>"
    for name, value in element.items():
        text = str(value)
        yield f"{name}="
        if name == "style":
            yield from _of_declarations(declarations_in(text))
        elif name == "type" and tag in {"input", "button"}:
            yield f"type={text.lower()}"
        elif name == "href" and text.startswith("#"):
            yield "href=#"
        elif name == "href":
            yield f"href={text.partition(':')[0].lower()}:"
        elif name in {"src", "background"}:
            yield from _of_picture(text)


def _of_picture(address: str) -> Iterator[str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    if parts.scheme.lower() == "data":
        yield "data:"
    elif ending := PurePosixPath(parts.path).suffix.lower():
        yield ending
