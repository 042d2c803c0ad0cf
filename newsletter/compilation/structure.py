"""
What every HTML step must leave whole.

Takes HTML, yields `Shape`: how deep it is, its conditional comments, the links it has, what it fetches. A step that
changes the conditional comments, or leaves a style sheet from another host or markup so deep that the next library
drops text, is refused. Pure.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote

from newsletter.compilation.mjml_rules import DEEPEST
from newsletter.errors import CompilationFailed

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
"""Elements without an end tag (HTML Living Standard, §13.1.2)."""

_CONDITIONAL: Final = re.compile(r"<!--(\[if [^\]]*\]>)(.*?)<!\[endif\]-->", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    What can be told of a document without rendering it.

    `outlook` is all that stands in conditional comments, each part after its condition; `unbalanced` the number of
    those that open and do not close (or the reverse); `links` the targets of links in order; `sheets` style sheets that
    would be fetched; `words` all text of title and body with single blanks.
    """

    depth: int
    outlook: str
    unbalanced: int
    links: tuple[str, ...]
    sheets: tuple[str, ...]
    words: str


def shape_of(html: str) -> Shape:
    """Read the shape of a document."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    opened = len(re.findall(r"<!--\[if ", html))
    closed = len(re.findall(r"<!\[endif\]-->", html))
    return Shape(
        depth=reader.deepest,
        outlook=_outlook(html),
        unbalanced=opened - closed,
        links=tuple(dict.fromkeys(reader.links)),
        sheets=tuple(reader.sheets),
        words=" ".join("".join(reader.words).split()),
    )


def check_shape(step: str, html: str, *, before: Shape | None = None) -> Shape:
    """
    The shape of the HTML that a step brought out.

    Raises CompilationFailed where the next step, or a mail program, would make something else of it.
    """
    shape = shape_of(html)
    if shape.depth > DEEPEST:
        raise CompilationFailed(f"after the step {step!r} the HTML is nested {shape.depth} deep, more than {DEEPEST}")
    if shape.unbalanced:
        raise CompilationFailed(f"after the step {step!r} a conditional comment for Outlook is not closed")
    if shape.sheets:
        raise CompilationFailed(f"after the step {step!r} the HTML fetches a style sheet: {', '.join(shape.sheets)}")
    if before is not None and shape.words != before.words:
        raise CompilationFailed(f"the step {step!r} changed the text near {_difference(before.words, shape.words)!r}")
    if before is not None and shape.outlook != before.outlook:
        raise CompilationFailed(f"the step {step!r} changed the conditional comments for Outlook")
    if before is not None and (changed := _decoded(shape) ^ _decoded(before)):
        raise CompilationFailed(f"the step {step!r} changed links: {', '.join(sorted(changed)[:5])}")
    return shape


def _outlook(html: str) -> str:
    last, parts = "", []
    for condition, content in _CONDITIONAL.findall(html):
        parts += [condition] * (condition != last) + content.split()
        last = condition
    return "".join(parts)


def _difference(before: str, after: str) -> str:
    same = next((index for index, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), len(after))
    return before[max(same - 20, 0) : same + 20]


def _decoded(shape: Shape) -> frozenset[str]:
    # libxml2 percent-encodes what is not ASCII in an address; that is the same address.
    return frozenset(unquote(link) for link in shape.links)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.deepest = 0
        self.links: list[str] = []
        self.sheets: list[str] = []
        self.words: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        href = values.get("href")
        if tag == "a" and href:
            self.links.append(href)
        if tag == "link" and "stylesheet" in (values.get("rel") or "").lower():
            self.sheets.append(href or "?")
        if tag not in _VOID:
            self._depth += 1
            self.deepest = max(self.deepest, self._depth)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._depth -= 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.sheets += re.findall(r"@import[^;]*", data, re.IGNORECASE)
        else:
            self.words.append(data)
