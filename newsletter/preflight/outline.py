"""
The outline of a finished HTML part: what a screen reader would tell of it.

Takes HTML, yields `Outline`: languages, title, headings, pictures, links by what they say, and all words in order. Sees
what stands outside comments only, as everything but Outlook for Windows does. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = frozenset({"p", "li", "td", "th", *_HEADINGS})
_UNSAID: Final = frozenset({"style", "script", "title"})

Attributes = list[tuple[str, str | None]]
"""As `html.parser` hands them over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading: its level from 1 to 6, and its words."""

    level: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture; `alt` is None where the attribute is not there at all."""

    url: str
    alt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """
    A link, as it is spoken: its label for screen readers, else its text and the words of its pictures.

    `block` counts paragraphs, list items and cells: links with the same number stand in the same one, whose words tell
    them apart (WCAG 2.2, 2.4.4: "together with its programmatically determined link context").
    """

    url: str
    words: str
    block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """
    What can be told of a document without seeing it.

    `languages` is the (lang, dir) of the `html` element and of the wrapper, in this order, as far as they are there;
    `words` is all text with single blanks.
    """

    languages: tuple[tuple[str, str], ...]
    title: str
    headings: tuple[Heading, ...]
    images: tuple[Image, ...]
    links: tuple[Spoken, ...]
    words: str


def outline_of(html: str) -> Outline:
    """Read the outline of a document."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Outline(
        languages=tuple(reader.languages),
        title=one_line(reader.title),
        headings=tuple(reader.headings),
        images=tuple(reader.images),
        links=tuple(reader.links),
        words=one_line("".join(reader.words)),
    )


def one_line(text: str) -> str:
    """The text with every run of white space as one blank, so that two ways of setting it compare equal."""
    return " ".join(text.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.languages: list[tuple[str, str]] = []
        self.title = ""
        self.headings: list[Heading] = []
        self.images: list[Image] = []
        self.links: list[Spoken] = []
        self.words: list[str] = []
        self._inside: list[tuple[str, bool, int]] = []
        self._blocks = 0
        self._link: tuple[str, str] | None = None
        self._heard: list[str] = []
        self._read: list[str] = []

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.images.append(Image(url=values.get("src", ""), alt=values.get("alt")))
            self._hear(values.get("alt", ""))
        if tag == "html" or values.get("role") == "article":
            self.languages.append((values.get("lang", ""), values.get("dir", "")))
        if tag in _HEADINGS:
            self._read = []
        if tag == "a":
            self._link, self._heard = (values.get("href", ""), values.get("aria-label", "")), []
        if tag not in _VOID:
            is_hidden = self._is_hidden() or values.get("aria-hidden") == "true"
            self._inside.append((tag, is_hidden, self._block_of(tag, values)))

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HEADINGS:
            self.headings.append(Heading(level=_HEADINGS[tag], words=one_line("".join(self._read))))
        if tag == "a" and self._link:
            url, label = self._link
            self.links.append(Spoken(url=url, words=one_line(label or "".join(self._heard)), block=self._block()))
            self._link = None
        if self._inside and tag not in _VOID:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        tag = self._inside[-1][0] if self._inside else ""
        if tag == "title":
            self.title += data
        if tag not in _UNSAID:
            self.words.append(data)
            self._read.append(data)
            self._hear(data)

    def _is_hidden(self) -> bool:
        return bool(self._inside) and self._inside[-1][1]

    def _block_of(self, tag: str, values: Mapping[str, str]) -> int:
        if tag not in _BLOCKS and values.get("role") != "listitem":
            return self._block()
        self._blocks += 1
        return self._blocks

    def _block(self) -> int:
        return self._inside[-1][2] if self._inside else 0

    def _hear(self, words: str) -> None:
        if not self._is_hidden():
            self._heard.append(words)
