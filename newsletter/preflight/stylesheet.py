"""
Style sheets, read as far as the checks need it.

Takes the text of a sheet or of a `style` attribute, yields `StyleRule`s and `Declaration`s in their order. Reads what
mail programs read (CSS Syntax Level 3, without its error recovery): an unclosed block ends with the sheet, what is no
declaration, or nested deeper than any sheet needs, is left out. Looks nothing up and follows no `@import`. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_MARK: Final = re.compile(r"""\\.|["'(){};,]""", re.DOTALL)
_IMPORTANT: Final = re.compile(r"!\s*important\s*$", re.IGNORECASE)
_NESTING: Final = re.compile(r"@(?:media|supports|layer|container|document|(?:-webkit-)?keyframes)\b", re.IGNORECASE)
"""At-rules that hold rules; the others hold declarations or nothing."""

DEEPEST: Final = 8
"""Rules inside rules: no sheet needs four, and what is deeper is left out."""

NESTED: Final = "&"
"""What stands in the context of a rule inside another (CSS Nesting)."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property with its value; `name` in small letters."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class StyleRule:
    """
    Declarations with the selectors they are for.

    `context` is the at-rules around it, outermost first, as they are written; `selectors` is empty for an at-rule
    without any (`@import`, `@font-face`).
    """

    context: tuple[str, ...]
    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]


def rules_in(css: str, context: tuple[str, ...] = ()) -> Iterator[StyleRule]:
    """The rules of a sheet."""
    if len(context) > DEEPEST:
        return
    text = _COMMENT.sub(" ", css)
    for prelude, body in _blocks(text):
        head = " ".join(prelude.split())
        if body is None:
            if head.startswith("@"):
                yield StyleRule((*context, head), (), ())
        elif _NESTING.match(head):
            yield from rules_in(body, (*context, head))
        elif head.startswith("@"):
            yield StyleRule((*context, head), (), declarations_in(body))
        else:
            yield StyleRule(context, split_outside(head, ","), declarations_in(body))
            if "{" in body:
                yield from rules_in(body, (*context, NESTED))


@lru_cache(maxsize=4096)
def declarations_in(style: str) -> tuple[Declaration, ...]:
    """The declarations of a block or a `style` attribute; rules nested among them are passed over."""
    outside = ";".join(prelude for prelude, body in _blocks(f"{style};") if body is None)
    found = []
    for part in split_outside(outside, ";"):
        name, colon, value = part.partition(":")
        if colon and name.strip() and value.strip():
            bare = _IMPORTANT.sub("", value).strip()
            found.append(Declaration(name.strip().lower(), bare, important=bare != value.strip()))
    return tuple(found)


def split_outside(text: str, separator: str) -> tuple[str, ...]:
    """The parts of `text` between separators that stand outside strings and brackets; empty ones are left out."""
    parts, start = [], 0
    for mark, position, depth in _marks(text):
        if mark == separator and not depth:
            parts.append(text[start:position])
            start = position + 1
    return tuple(part.strip() for part in (*parts, text[start:]) if part.strip())


def _blocks(text: str) -> Iterator[tuple[str, str | None]]:
    """Each prelude with the content of its braces, or None where a semicolon ends it."""
    start, opened, depth = 0, 0, 0
    for mark, position, inside in _marks(text):
        if inside:
            continue
        if mark == "{":
            opened = position if not depth else opened
            depth += 1
        elif mark == "}" and depth:
            depth -= 1
            if not depth:
                yield text[start:opened], text[opened + 1 : position]
                start = position + 1
        elif mark == ";" and not depth:
            yield text[start:position], None
            start = position + 1
    if depth:
        yield text[start:opened], text[opened + 1 :]


def _marks(text: str) -> Iterator[tuple[str, int, int]]:
    """The marks of the syntax outside strings, with the number of round brackets around them."""
    quote, depth = "", 0
    for found in _MARK.finditer(text):
        mark = found[0]
        if quote:
            quote = "" if mark == quote else quote
        elif mark in {'"', "'"}:
            quote = mark
        elif mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(depth - 1, 0)
        else:
            yield mark, found.start(), depth
