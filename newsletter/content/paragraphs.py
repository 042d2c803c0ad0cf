"""
Paragraphs of runs, and the Markdown that says the same.

Takes paragraphs as a word processor knows them: runs of letters, each bold or not, a link or not, inside quotations and
list items. Yields CommonMark as officers would type it. Promises that letters which Markdown would read otherwise stay
letters, that emphasis is written where it works and left out where it cannot (inside a word), and that no tag is made.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

BREAK: Final = "\x0b"
"""A new line inside a paragraph, in the letters of a run."""

_BLANKS: Final = re.compile(r"[ \t\r\n\f\x1c-\x1f\x85\u2000-\u200a\u2028\u2029\u205f\u3000]+")
_AROUND_BREAK: Final = re.compile(rf" *{BREAK} *")
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\xad\u200b\u2060\ufeff\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_WIDE_BLANK: Final = re.compile(r"(?<![0-9«])[\xa0\u202f](?![:;!?»%€$£°]|[0-9])")
"""A no-break space where no typist means one: Word and mail programs put them for every second space."""

_PLAIN_BREAKERS: Final = re.compile(
    r"[\\`]"
    r"|[*_](?![^\W_])|(?<![^\W_])[*_]"
    r"|\[(?=[^\[\]]*\][(:\[])"
    r"|<(?=[^\s<>]*[:@])"
    r"|&(?=#?\w{1,31};)"
)
_LINE_BREAKERS: Final = re.compile(r"^(#{1,6}(?=\s|$)|>|~{3}|[-+](?=[ \t]*[-+]))", re.MULTILINE)
_BULLETS: Final = re.compile(r"^[•·▪◦‣●○][ \t\xa0]+", re.MULTILINE)
"""Lists that somebody typed by hand."""

_IN_LABEL: Final = re.compile(r"(?<!\\)([\[\]])")


class Format(NamedTuple):
    """How a run looks and where it leads."""

    bold: bool = False
    italic: bool = False
    href: str = ""


class Run(NamedTuple):
    """Letters that look the same."""

    text: str
    format: Format


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An item of a list; two are never equal, so that a second paragraph of one is known."""

    number: int | None

    @property
    def marker(self) -> str:
        """What stands before it."""
        return "- " if self.number is None else f"{self.number}. "


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph inside `items`, the outermost first, and in `quotes`; `cell` is its row and cell of a table."""

    runs: tuple[Run, ...]
    items: tuple[Item, ...] = ()
    quotes: int = 0
    cell: tuple[int, int] | None = None

    @property
    def length(self) -> int:
        """How many letters it has."""
        return sum(len(run.text) for run in self.runs)


def tidied(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Runs without what nobody sees, blanks made one, neighbours that look the same joined; none for no letters."""
    tidy: list[Run] = []
    before = " "
    for form, group in groupby(runs, key=lambda run: run.format):
        text = _one_blank("".join(run.text for run in group))
        if before in {" ", BREAK}:
            text = text.lstrip(" ")
        if text:
            tidy.append(Run(text, form))
            before = text[-1]
    while tidy and not tidy[-1].text.strip(f" \xa0\u202f{BREAK}"):
        tidy.pop()
    if tidy:
        tidy[-1] = Run(tidy[-1].text.rstrip(f" {BREAK}"), tidy[-1].format)
    return tuple(tidy) if any(run.text.strip(f" \xa0\u202f{BREAK}") for run in tidy) else ()


def _one_blank(text: str) -> str:
    return _AROUND_BREAK.sub(BREAK, _BLANKS.sub(" ", _WIDE_BLANK.sub(" ", _UNSEEN.sub("", text))))


def to_markdown(paragraphs: Iterable[Paragraph]) -> str:
    """The paragraphs as CommonMark; "" for none."""
    begun: set[Item] = set()
    written: list[str] = []
    last: Paragraph | None = None
    for paragraph in paragraphs:
        text = _inline(paragraph.runs)
        if not text.strip():
            continue
        if last is not None:
            written.append(_between(last, paragraph, begun))
        written.append(_block(text, paragraph, begun))
        begun.update(paragraph.items)
        last = paragraph
    return "".join(written)


def _between(last: Paragraph, paragraph: Paragraph, begun: set[Item]) -> str:
    both_in_lists = last.items and paragraph.items and last.quotes == paragraph.quotes
    if both_in_lists and paragraph.items[-1] not in begun:
        return "\n"
    quoted = min(last.quotes, paragraph.quotes)
    return f"\n{'>' * quoted}\n"


def _block(text: str, paragraph: Paragraph, begun: set[Item]) -> str:
    quote = "> " * paragraph.quotes
    first = "".join(item.marker if item not in begun else " " * len(item.marker) for item in paragraph.items)
    rest = " " * sum(len(item.marker) for item in paragraph.items)
    lines = text.split("\n")
    return "\n".join(f"{quote}{first if index == 0 else rest}{line}" for index, line in enumerate(lines))


def _inline(runs: Sequence[Run]) -> str:
    pieces = []
    plain = "".join(run.text for run in runs)
    start = 0
    for href, group in groupby(runs, key=lambda run: run.format.href):
        members = tuple(group)
        end = start + sum(len(run.text) for run in members)
        around = plain[start - 1 : start], plain[end : end + 1]
        pieces.append(_link(members, href) if href else _emphasised(members, around))
        start = end
    text = _AROUND_BREAK.sub("  \n", "".join(pieces).strip(f" {BREAK}"))
    return _BULLETS.sub("- ", _LINE_BREAKERS.sub(r"\\\1", text))


def _link(runs: Sequence[Run], href: str) -> str:
    head, core, tail = _cut(runs, *_core(runs, f" {BREAK}"))
    if not core:
        return _letters(runs)
    if "".join(run.text for run in core) == href:
        return f"{_letters(head)}<{href}>{_letters(tail)}"
    label = _IN_LABEL.sub(r"\\\1", _emphasised(core, ("", "")).replace(BREAK, " "))
    return f"{_letters(head)}[{label}]({href}){_letters(tail)}"


_MARKS: Final = (("bold", "**"), ("italic", "*"))


def _emphasised(runs: Sequence[Run], around: tuple[str, str], level: int = 0) -> str:
    """Runs of one link, or of none, with their emphasis; `around` are the letters before and after them."""
    if level == len(_MARKS):
        return _letters(runs)
    name, marks = _MARKS[level]
    plain = around[0] + "".join(run.text for run in runs) + around[1]
    start = len(around[0])
    pieces = []
    for is_marked, group in groupby(runs, key=lambda run: getattr(run.format, name)):
        members = tuple(group)
        end = start + sum(len(run.text) for run in members)
        beside = plain[start - 1 : start] if start else "", plain[end : end + 1]
        pieces.append(_marked(members, beside, marks, level) if is_marked else _emphasised(members, beside, level + 1))
        start = end
    return "".join(pieces)


def _marked(runs: Sequence[Run], around: tuple[str, str], marks: str, level: int) -> str:
    """Runs in emphasis; punctuation beside a word goes outside, where CommonMark §6.2 would see no end of it."""
    text = "".join(run.text for run in runs)
    start, end = _core(runs, f" \xa0\u202f{BREAK}")
    if around[0].isalnum() and start == 0:
        start = next((at for at in range(start, end) if text[at].isalnum()), end)
    if around[1].isalnum() and end == len(text):
        end = next((at for at in range(end, start, -1) if text[at - 1].isalnum()), start)
    before = text[start - 1] if start else around[0]
    after = text[end] if end < len(text) else around[1]
    if start >= end or before.isalnum() or after.isalnum():
        return _emphasised(runs, around, level + 1)
    head, core, tail = _cut(runs, start, end)
    inner = _emphasised(core, (" ", " "), level + 1)
    return f"{_letters(head)}{marks}{inner}{marks}{_letters(tail)}"


def _core(runs: Sequence[Run], blanks: str) -> tuple[int, int]:
    """Where the letters of runs begin and end that are no blanks."""
    text = "".join(run.text for run in runs)
    start = len(text) - len(text.lstrip(blanks))
    return start, max(start, len(text.rstrip(blanks)))


def _cut(runs: Sequence[Run], start: int, end: int) -> tuple[tuple[Run, ...], tuple[Run, ...], tuple[Run, ...]]:
    """Runs before, from and after two places in their letters."""
    parts: tuple[list[Run], list[Run], list[Run]] = ([], [], [])
    at = 0
    for text, form in runs:
        cuts = [min(max(place - at, 0), len(text)) for place in (start, end)]
        for part, piece in zip(parts, (text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]), strict=True):
            if piece:
                part.append(Run(piece, form))
        at += len(text)
    return tuple(parts[0]), tuple(parts[1]), tuple(parts[2])


def _letters(runs: Iterable[Run]) -> str:
    return _PLAIN_BREAKERS.sub(lambda found: f"\\{found[0]}", "".join(run.text for run in runs))
