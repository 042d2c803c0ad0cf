"""
A finished HTML part as a tree, with its style sheets.

Takes HTML, yields `Document`, and the elements that a selector means. Comments are no part of the tree, and with them
what is for Outlook for Windows alone. Pure; the only module that knows lxml and cssselect.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cssselect import HTMLTranslator, SelectorError, parse
from lxml import etree
from lxml.etree import _Element

from newsletter.preflight.stylesheet import StyleRule, rules_in

Element = _Element
"""An element of the tree; lxml has no public name for it."""

_EMPTY: Final = "<html></html>"

Specificity = tuple[int, int, int]
"""Ids, classes and the like, elements (Selectors Level 4 §17)."""


@dataclass(frozen=True, slots=True)
class Document:
    """The root element, and the rules of all sheets in their order; a sheet's `media` attribute is a context."""

    root: Element
    rules: tuple[StyleRule, ...]

    def elements(self) -> Iterator[Element]:
        """Every element, in order."""
        return self.root.iter(etree.Element)

    def matching(self, selector: str) -> tuple[Iterable[Element], Specificity]:
        """The elements that a selector means, with its specificity; none for one that no element can meet."""
        compiled = _compiled(selector)
        if compiled is None:
            return (), (0, 0, 0)
        path, specificity = compiled
        return path(self.root), specificity


def document_of(html: str) -> Document:
    """Read a document."""
    # Bytes with a named encoding: a `meta` element inside is not asked, and odd characters are no error.
    data = (html or _EMPTY).encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # Where there is no element at all, lxml gives None, whatever its types say.
    found: Element | None = etree.fromstring(data, parser)
    root = etree.fromstring(_EMPTY, parser) if found is None else found
    rules = tuple(rule for sheet in root.iter("style") for rule in _rules(sheet))
    return Document(root=root, rules=rules)


def _rules(sheet: Element) -> Iterator[StyleRule]:
    media = sheet.get("media")
    return rules_in(sheet.text or "", (f"@media {media}",) if media else ())


@lru_cache(maxsize=1024)
def _compiled(selector: str) -> tuple[etree.XPath, Specificity] | None:
    """What finds the elements of a selector; None for a part of an element, and for what is no selector."""
    try:
        (parsed,) = parse(selector)
        if parsed.pseudo_element is not None:
            return None
        return etree.XPath(HTMLTranslator().selector_to_xpath(parsed)), parsed.specificity()
    except (SelectorError, ValueError):
        return None
