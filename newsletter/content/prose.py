"""
Markdown as plain text that reads well aloud.

Takes the parser's tokens; yields lines: paragraphs wrapped, lists with "- " and "1. ", quotations indented and in the
quotation marks of their language, links as `label <address>` (RFC 3986, appendix C). Marks of emphasis go, words never.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from markdown_it.token import Token

from newsletter.content.bidi import balanced

_NARROWEST: Final = 24
"""Characters a line has in any case, however deep it is indented."""

_RULE: Final = "* * *"

_UNIT: Final = re.compile(r"(?:\[\[[^\[\]\r\n]*\]\]|[^ \t])+")
"""What is never broken: a word, an address, a slot with the words in it, what a no-break space holds together."""

_ENGLISH: Final = ("“", "”")
_INNER: Final = ("‘", "’")
_QUOTES: Final = {
    **dict.fromkeys(("bg", "cs", "de", "et", "hr", "hsb", "is", "ka", "lb", "lt", "sk", "sl", "sr"), ("„", "“")),
    **dict.fromkeys(("bs", "hu", "nl-BE", "pl", "ro"), ("„", "”")),
    **dict.fromkeys(
        ("ca", "el", "es", "gl", "it", "nb", "nn", "no", "pt", "ru", "uk", "be", "eu", "sq", "fa"), ("«", "»")
    ),
    **dict.fromkeys(("fi", "sv"), ("”", "”")),
    **dict.fromkeys(("ja", "zh"), ("「", "」")),
    "fr": ("«\u00a0", "\u00a0»"),
}
"""CLDR's quotation marks, where they are not the English ones."""

_OPENING: Final = tuple("“”„«»‹›‘‚’「『\"'")
"""How a quotation begins that brings its own marks."""


@dataclass(slots=True)
class _Level:
    """A list item or quotation that is open; `mark` stands before its first line."""

    mark: str
    number: int | None = None

    def take(self) -> str:
        mark, self.mark = self.mark, " " * len(self.mark)
        return mark


@dataclass(slots=True)
class _Leaf:
    """A paragraph: its words, what stands before its first line and before the others."""

    words: str
    first: str
    rest: str
    tight: bool
    wrapped: bool = True


@dataclass(slots=True)
class Prose:
    """Writes one text in lines of at most `width` characters, with the quotation marks of `lang`."""

    width: int
    lang: str | None = None
    _leaves: list[_Leaf] = field(default_factory=list)
    _levels: list[_Level] = field(default_factory=list)
    _quotes: list[int] = field(default_factory=list)

    def write(self, tokens: Sequence[Token]) -> str:
        """The text, without a line break at its end."""
        tight = False
        for token in tokens:
            if token.type in {"paragraph_open", "heading_open"}:
                tight = token.hidden
            elif token.type == "inline":
                self._leaf("".join(_words(token.children or [])), tight=tight)
            elif token.type == "fence":
                self._leaf(balanced(token.content.rstrip("\n")), wrapped=False)
            elif token.type == "hr":
                self._leaf(_RULE)
            elif token.type == "list_item_open":
                self._item()
            elif token.type.endswith(("list_open", "blockquote_open")):
                self._begin(token)
            elif token.type.endswith(("list_close", "blockquote_close")):
                self._end(token)
        return "\n".join(self._lines())

    def _begin(self, token: Token) -> None:
        if token.type == "blockquote_open":
            self._quotes.append(len(self._leaves))
            self._levels.append(_Level("  "))
        else:
            numbered = token.type == "ordered_list_open"
            self._levels.append(_Level("", int(token.attrs.get("start", 1)) if numbered else None))

    def _end(self, token: Token) -> None:
        self._levels.pop()
        if token.type == "blockquote_close":
            self._quote(self._leaves[self._quotes.pop() :], inner=bool(self._quotes))

    def _item(self) -> None:
        level = self._levels[-1]
        level.mark = "- " if level.number is None else f"{level.number}. "
        if level.number is not None:
            level.number += 1

    def _leaf(self, words: str, *, tight: bool = False, wrapped: bool = True) -> None:
        first = "".join(level.take() for level in self._levels)
        self._leaves.append(_Leaf(words, first, " " * len(first), tight, wrapped))

    def _quote(self, leaves: Sequence[_Leaf], *, inner: bool) -> None:
        if not leaves or leaves[0].words.startswith(_OPENING):
            return
        opening, closing = _INNER if inner else _marks(self.lang)
        leaves[0].words = f"{opening}{leaves[0].words}"
        leaves[-1].words = f"{leaves[-1].words}{closing}"

    def _lines(self) -> Iterator[str]:
        before: _Leaf | None = None
        for leaf in self._leaves:
            if before and not (leaf.tight and before.tight):
                yield ""
            yield from self._wrapped(leaf) if leaf.wrapped else _as_is(leaf)
            before = leaf

    def _wrapped(self, leaf: _Leaf) -> Iterator[str]:
        room = max(self.width - len(leaf.rest), _NARROWEST)
        prefix = leaf.first
        for line in leaf.words.split("\n"):
            for part in _filled(_UNIT.findall(line), room):
                yield f"{prefix}{part}".rstrip()
                prefix = leaf.rest


def _marks(lang: str | None) -> tuple[str, str]:
    tag = lang or ""
    return _QUOTES.get(tag) or _QUOTES.get(tag.partition("-")[0], _ENGLISH)


def _as_is(leaf: _Leaf) -> Iterator[str]:
    prefix = leaf.first
    for line in leaf.words.split("\n"):
        yield f"{prefix}{line}".rstrip()
        prefix = leaf.rest


def _filled(units: Iterable[str], room: int) -> Iterator[str]:
    line = ""
    for unit in units:
        if line and len(line) + 1 + len(unit) > room:
            yield line
            line = unit
        else:
            line = f"{line} {unit}" if line else unit
    yield line


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    address, label = "", ""
    for token in tokens:
        if token.type == "link_open":
            address, label = str(token.attrs["href"]), ""
        elif token.type == "link_close":
            yield "" if _is_address(label, address) else f" <{address}>"
        else:
            words = {"softbreak": " ", "hardbreak": "\n"}.get(token.type, token.content)
            label += words
            yield words


def _is_address(label: str, address: str) -> bool:
    return label.strip() in {address, address.removeprefix("mailto:"), address.removeprefix("tel:")}
