"""
Officers' Markdown: CommonMark without raw HTML, pictures and code by indentation.

Takes the source of a text; yields safe HTML, text that reads aloud well, or its links. Promises that no input makes a
tag outside `TAGS` or a link outside `SAFE_SCHEMES`, that nothing that was written is lost, that what typists mean is
read as they mean it (`traps.py`), that the result is never nested deeper than the steps after it can bear, and that
marks of writing direction do not reach beyond their paragraph.

Slots in the officers' notation, `[[first_name|dear reader]]`, and the tokens that stand for them pass through as text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, link
from markdown_it.token import Token

from newsletter.content.bidi import Balance, balanced
from newsletter.content.fields import SAFE_SCHEMES
from newsletter.content.prose import Prose
from newsletter.content.traps import Trap, TrapKind, protected, traps
from newsletter.times import french_spaces

__all__ = ["TAGS", "Trap", "TrapKind", "links_in", "protected", "to_html", "to_inline_html", "to_text", "traps"]

TAGS: Final = frozenset({"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"})
"""Every tag that may come out."""

DEEPEST_BLOCKS: Final = 20
"""Lists and quotations inside each other; more are flattened. libxml2 drops the text of what is nested beyond 256."""

DEEPEST_EMPHASIS: Final = 8
"""Emphases inside each other; more change nothing that anybody could see."""

_WIDEST_INDENT: Final = 60
"""Columns of indentation that are read; with the bound on marks it bounds the parser's recursion."""

_MARKS: Final = re.compile(r"[ \t]*(?:(?:>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$))[ \t]*)*")
_MARK: Final = re.compile(r"([ \t]*)(>|[-+*]|\d{1,9}[.)])")
_SLOT: Final = re.compile(r"\[\[[^\[\]\r\n]*\]\]")
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Controls, halves of characters and noncharacters: nobody sees them, XML 1.0 and UTF-8 know most of them not."""

_STAND_IN: Final = "\ufdd0{}\ufdd1"
_STOOD_IN: Final = re.compile(r"(\ufdd0|%EF%B7%90)([0-9]+)(?:\ufdd1|%EF%B7%91)")
"""What stands for a slot while the text is parsed, in words and in addresses: to the parser a slot is one letter."""


def to_html(source: str, *, lang: str | None = None) -> str:
    """
    The text as HTML paragraphs, lists and quotations; "" for no text.

    Headings become bold paragraphs, since a text does not know which headings stand around it. `lang` is the language
    of the text: French keeps its punctuation from beginning a line.
    """
    return "".join(_blocks(_parsed(source, lang)))


def to_inline_html(source: str, *, lang: str | None = None) -> str:
    """The text as HTML for the inside of a paragraph: emphasis, code and links; everything else is text."""
    text, slots = _without_slots(_clean(source))
    (token,) = _common_mark().parseInline(" ".join(text.split("\n")))
    return _inline(_tidied(token.children or [], slots=slots, lang=lang))


def to_text(source: str, *, width: int = 72, lang: str | None = None) -> str:
    """
    The text as lines of at most `width` characters that read well aloud; "" for no text.

    Links stand as `label <address>`; neither an address nor a slot is broken, whatever its length. Quotations stand in
    the quotation marks of `lang` (English without one).
    """
    return Prose(width=width, lang=lang).write(_parsed(source, lang))


def links_in(source: str) -> tuple[tuple[str, str], ...]:
    """The links of a text in their order, as (label, address)."""
    return tuple(found for token in _parsed(source, None) for found in _links(token.children or []))


class _CommonMark(MarkdownIt):
    """CommonMark with our idea of a link that may be followed."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  the library's name
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        if parts.scheme in {"http", "https"}:
            return bool(parts.hostname) and "%" not in parts.netloc
        return parts.scheme in SAFE_SCHEMES


@cache
def _common_mark() -> MarkdownIt:
    # Blocks nest at most 50 levels after `_bounded`, two of the parser's each; the same figure bounds its recursion
    # through brackets.
    parser = _CommonMark("commonmark", {"html": False, "maxNesting": 110})
    parser.disable(["code", "lheading", "html_block", "html_inline"])
    parser.inline.ruler.at("image", _picture)
    parser.inline.ruler.before("emphasis", "star", _star)
    return parser


def _picture(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the library calls it so
    # A text holds no pictures: of `![alt](address)` the link remains.
    del silent
    start = state.pos
    if not state.src.startswith("![", start):
        return False
    state.pos = start + 1
    is_link = link(state, True)  # noqa: FBT003  the library's signature
    state.pos = start + is_link
    return is_link


def _star(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the library calls it so
    # "Leser*innen" and "2*3*4" hold no emphasis.
    if not _is_plain_star(state.src, state.pos):
        return False
    if not silent:
        state.push("text", "", 0).content = "*"
    state.pos += 1
    return True


def _is_plain_star(text: str, at: int) -> bool:
    if text[at] != "*" or not (text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum()):
        return False
    if text[at - 1].isdigit() and text[at + 1].isdigit():
        return True
    left, right = at - 1, at + 1
    while left >= 0 and text[left].isalnum():
        left -= 1
    while right < len(text) and text[right].isalnum():
        right += 1
    return text[left : left + 1] not in _EMPHASIS and text[right : right + 1] not in _EMPHASIS


_EMPHASIS: Final = ("*", "_")


def _clean(source: str) -> str:
    return _UNSEEN.sub("", source.replace("\r\n", "\n").replace("\r", "\n"))


def _parsed(source: str, lang: str | None) -> list[Token]:
    text, slots = _without_slots(_clean(source))
    text = "\n".join(map(_bounded, protected(text).split("\n")))
    env: dict[str, Any] = {}
    tokens = _common_mark().parse(text, env)
    if lost := _unused(tokens, env):
        lines = text.split("\n")
        for number in lost:
            lines[number] = lines[number].replace("[", "\\[", 1) + "\n"
        tokens = _common_mark().parse("\n".join(lines))
    tokens = list(_flattened(tokens))
    for token in tokens:
        if token.type == "inline":
            token.children = _tidied(token.children or [], slots=slots, lang=lang)
        token.content = _with_slots(token.content, slots)
    return tokens


def _without_slots(text: str) -> tuple[str, list[str]]:
    slots: list[str] = []

    def stand_in(found: re.Match[str]) -> str:
        slots.append(found[0])
        return _STAND_IN.format(len(slots) - 1)

    return _SLOT.sub(stand_in, text), slots


def _with_slots(text: str, slots: Sequence[str]) -> str:
    def stood_in(found: re.Match[str]) -> str:
        slot = slots[int(found[2])]
        return slot if found[1] == "\ufdd0" else quote(slot)

    return _STOOD_IN.sub(stood_in, text) if slots else text


def _unused(tokens: Sequence[Token], env: Mapping[str, Any]) -> list[int]:
    # The lines of address definitions that no link uses: they would vanish, although somebody wrote them.
    used = {child.attrs["href"] for token in tokens for child in token.children or [] if child.type == "link_open"}
    unused = [reference for reference in env.get("references", {}).values() if reference["href"] not in used]
    return [reference["map"][0] for reference in (*unused, *env.get("duplicate_refs", []))]


def _bounded(line: str) -> str:
    found = _MARKS.match(line)
    marks = _MARK.findall(found[0]) if found else []
    if found is None or (len(found[0].expandtabs(4)) <= _WIDEST_INDENT and len(marks) <= DEEPEST_BLOCKS):
        return line
    room, prefix = _WIDEST_INDENT, ""
    for blank, mark in [*marks[:DEEPEST_BLOCKS], (found[0][len(found[0].rstrip()) :], "")]:
        kept = min(len(blank.expandtabs(4)), room)
        room -= kept
        prefix += " " * kept + mark
    return f"{prefix} {line[found.end() :]}"


def _flattened(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        if token.type.removesuffix("_open").removesuffix("_close") in _CONTAINERS:
            depth += token.nesting
            if depth + (token.nesting < 0) > DEEPEST_BLOCKS:
                continue
        elif token.type.startswith("list_item") and depth > DEEPEST_BLOCKS:
            continue
        elif depth > DEEPEST_BLOCKS:
            token.hidden = False
        yield token


_CONTAINERS: Final = frozenset({"blockquote", "bullet_list", "ordered_list"})


def _tidied(tokens: Sequence[Token], *, slots: Sequence[str], lang: str | None) -> list[Token]:
    balance = Balance()
    tidy: list[Token] = []
    depth = 0
    for token in tokens:
        if token.type.startswith(("em_", "strong_")):
            depth += token.nesting
            if depth + (token.nesting < 0) > DEEPEST_EMPHASIS:
                continue
        elif token.type == "link_close" and tidy[-1].type == "link_open":
            tidy.append(Token("text", "", 0, content=str(tidy[-1].attrs["href"])))
        elif token.type in {"text", "code_inline"}:
            spaced = french_spaces(token.content) if token.type == "text" and _is_french(lang) else token.content
            token.content = balance.feed(_with_slots(spaced, slots))
        elif token.type == "link_open":
            token.attrs["href"] = _with_slots(str(token.attrs["href"]), slots)
        tidy.append(token)
    return [*tidy, Token("text", "", 0, content=balance.close())]


def _is_french(lang: str | None) -> bool:
    return lang is not None and lang.partition("-")[0] == "fr"


_BLOCK_TAGS: Final = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
}


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        kind, _, side = token.type.rpartition("_")
        if token.type == "inline":
            yield _inline(token.children or [])
        elif token.type == "hr":
            yield "<hr />\n"
        elif token.type == "fence":
            yield f"<pre><code>{escape(balanced(token.content))}</code></pre>\n"
        elif token.hidden:
            yield "" if side == "open" else "\n"
        elif kind == "heading":
            yield "<p><strong>" if side == "open" else "</strong></p>\n"
        elif side == "open":
            start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
            yield f"<{_BLOCK_TAGS[kind]}{start}>"
        else:
            yield f"</{_BLOCK_TAGS[kind]}>\n"


def _inline(tokens: Sequence[Token]) -> str:
    return "".join(map(_inline_part, tokens))


def _inline_part(token: Token) -> str:
    match token.type:
        case "text":
            return escape(token.content)
        case "code_inline":
            return f"<code>{escape(token.content)}</code>"
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "<br />\n"
        case "link_open":
            return f'<a href="{escape(str(token.attrs["href"]))}">'
        case _:
            return f"</{token.tag}>" if token.nesting < 0 else f"<{token.tag}>"


def _links(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    label, address = "", ""
    for token in tokens:
        if token.type == "link_open":
            label, address = "", str(token.attrs["href"])
        elif token.type == "link_close":
            yield label, address
        else:
            label += token.content or (" " if token.type.endswith("break") else "")
