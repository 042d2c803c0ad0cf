"""
What officers type and Markdown would read otherwise.

"1. Dezember 2026" at the start of a line is a date and no list, ">>> more" is an arrow and not three quotations, a row
of dashes under a line is no heading, four spaces are no program code. Takes the source of a text; yields the places
(`traps`, shown on save) and the source with such places escaped (`protected`, used whenever the text is rendered), so
that what was typed is what is read. Pure; protecting twice is the same as once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, Literal, NamedTuple

from babel import Locale

from newsletter.content.fields import SAFE_SCHEMES

_ORDINAL_LANGUAGES: Final = tuple(
    "bs cs da de de-AT et fi fo hr hsb hu is lb lv nb nn pl sk sl sr sr-Latn tr".split()  # noqa: SIM905  one line, not 22
)
"""Languages that write days, months or years with a dot behind the number (CLDR's date formats)."""

_LAST_DAY: Final = 31
_LAST_MONTH: Final = 12

_SHOWN: Final = 40
"""Characters of a place that are repeated to the officer."""

_PREFIX: Final = re.compile(r"[ \t]*(?:(?:>|[-+*](?=[ \t]))[ \t]*)*")
_ITEM: Final = re.compile(r"(\d{1,9})\.[ \t]+(.*)")
_BULLET: Final = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_ARROW: Final = re.compile(r"[ \t]*>{2,}")
_UNDERLINE: Final = re.compile(r"(?:=+|-+)[ \t]*")
_QUOTE: Final = re.compile(r"[ \t]*(?:>[ \t]*)*")
_RULE: Final = re.compile(r"-{3,}[ \t]*")
_FENCE: Final = re.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_INDENT: Final = re.compile(r"(?: {4}| {0,3}\t)[ \t]*(?=\S)")
_LINK: Final = re.compile(rf"(?<!\\)\]\((?!\s*(?:<|(?:{'|'.join(SAFE_SCHEMES)}):))([^()\s]+)\)", re.IGNORECASE)
_YEAR: Final = re.compile(r"(?:19|20|21)\d\d(?!\d)")
_MONTH_NUMBER: Final = re.compile(r"(\d{1,2})\.(?=\s|\d|$)")
_WORD: Final = re.compile(r"[^\W\d_]+")
_ABBREVIATION: Final = re.compile(r"([^\W\d_]+)(?:\.|[ \t]+\d)")
"""Several are words in another language ("Sie", "led"), so a dot or a year must follow."""

_SECOND_DAY: Final = re.compile(r"\S{1,4}[ \t]+(\d{1,2})\.[ \t]+(.*)")
_HARD_BREAK: Final = "  "
"""Two spaces at the end of a line: read as a new line inside a paragraph, as nothing anywhere else."""


class TrapKind(StrEnum):
    """What a place would be read as."""

    #: A date that would become the first item of a numbered list.
    DATE = "date"
    #: An arrow that would become quotations inside each other.
    ARROW = "arrow"
    #: A row of dashes or equals signs that would make a heading of the line above.
    UNDERLINE = "underline"
    #: An indented line that would become program code.
    INDENT = "indent"
    #: A row of ticks or tildes that would make program code of everything below it.
    FENCE = "fence"
    #: A link without https:// in front, which leads nowhere in a mail.
    LINK = "link"


_MEANINGS: Final = {
    TrapKind.DATE: "is kept as a date, not made a numbered list",
    TrapKind.ARROW: "is kept as it is typed, not made a quotation",
    TrapKind.UNDERLINE: "is no heading: begin a heading's line with #",
    TrapKind.INDENT: "is kept as a paragraph, not made program code",
    TrapKind.FENCE: "is kept as it is typed, not made program code",
    TrapKind.LINK: "leads nowhere in a mail and is shown as it is typed: begin the address with https://",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """A place that plain Markdown reads otherwise; `line` from 1, `text` its beginning."""

    kind: TrapKind
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: “{self.text}” {_MEANINGS[self.kind]}"


class _Line(NamedTuple):
    """A line as it was, as it is to be (with what goes before it), and why."""

    kind: TrapKind | None
    safe: str
    apart: str | None = None


_ON_A_NEW_LINE: Final = frozenset({TrapKind.DATE, TrapKind.ARROW, TrapKind.UNDERLINE})
"""Began a line when they were typed, and so must not be drawn into the paragraph above."""


def traps(source: str) -> tuple[Trap, ...]:
    """The places of a text that plain Markdown reads otherwise than they are shown, in their order."""
    lines = _lines(source)
    found = [
        Trap(kind=read.kind, line=number, text=_shown(line))
        for number, (line, read) in enumerate(zip(lines, _read(lines), strict=True), start=1)
        if read.kind
    ]
    found += (
        Trap(kind=TrapKind.LINK, line=number, text=_shown(link[1]))
        for number, line in enumerate(lines, start=1)
        for link in _LINK.finditer(line)
    )
    return tuple(sorted(found, key=lambda trap: trap.line))


def protected(source: str) -> str:
    """The text with such places escaped, so that any Markdown program reads what was typed."""
    safe: list[str] = []
    for line in _read(_lines(source)):
        if line.apart is not None:
            safe.append(line.apart)
        elif line.kind in _ON_A_NEW_LINE and safe and safe[-1].strip() and not safe[-1].endswith((_HARD_BREAK, "\\")):
            safe[-1] += _HARD_BREAK
        safe.append(line.safe)
    return "\n".join(safe)


def _lines(source: str) -> list[str]:
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _shown(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _read(lines: list[str]) -> Iterator[_Line]:
    fence = before = ""
    in_list = in_quote = False
    longest = _longest_closings(lines)
    for index, line in enumerate(lines):
        opening = _FENCE.match(line)
        if fence:
            fence = "" if _closing(line).startswith(fence) else fence
            read = _Line(None, line)
        elif opening and longest[opening[1][0]][index + 1] >= len(opening[1]):
            fence = opening[1]
            read = _Line(None, line)
        else:
            read = _read_one(lines, index, before=before, in_list=in_list, in_quote=in_quote)
            in_quote = read.kind is not TrapKind.ARROW and read.safe.lstrip().startswith(">")
            in_list = bool(_BULLET.match(read.safe)) or (in_list and (not line.strip() or line[0] in " \t"))
        before = read.safe
        yield read


def _read_one(lines: list[str], index: int, *, before: str, in_list: bool, in_quote: bool) -> _Line:
    # `before` is the line above as it is to be, so that a line is judged by what stands there in the end.
    line = lines[index]
    indented = _INDENT.match(line) and not before.strip() and not in_list
    dedented = line.lstrip() if indented else line
    read = _fence(dedented) or _arrow(dedented, in_quote=in_quote) or _date(lines, index, dedented)
    return read or _underline(dedented, before) or _Line(TrapKind.INDENT if indented else None, dedented)


def _closing(line: str) -> str:
    bare = line.strip()
    return bare if set(bare) in ({"`"}, {"~"}) else ""


def _longest_closings(lines: list[str]) -> dict[str, list[int]]:
    # For each mark and line: the length of the longest row of that mark that stands alone in this line or below.
    longest = {mark: [0] * (len(lines) + 1) for mark in "`~"}
    for index in range(len(lines) - 1, -1, -1):
        row = _closing(lines[index])
        for mark, lengths in longest.items():
            lengths[index] = max(lengths[index + 1], len(row) if row.startswith(mark) else 0)
    return longest


def _fence(line: str) -> _Line | None:
    opening = _FENCE.match(line)
    if opening is None:
        return None
    start, end = opening.span(1)
    escaped = "".join(f"\\{mark}" for mark in opening[1])
    return _Line(TrapKind.FENCE, f"{line[:start]}{escaped}{line[end:]}")


def _arrow(line: str, *, in_quote: bool) -> _Line | None:
    if in_quote or not _ARROW.match(line):
        return None
    return _Line(TrapKind.ARROW, line.replace(">", "\\>", 1))


def _underline(line: str, before: str) -> _Line | None:
    quote, quote_before = _QUOTE.match(line), _QUOTE.match(before)
    prefix, prefix_before = quote[0] if quote else "", quote_before[0] if quote_before else ""
    row, text = line[len(prefix) :], before[len(prefix_before) :]
    if prefix.strip() != prefix_before.strip() or not _UNDERLINE.fullmatch(row):
        return None
    if not text.strip() or text.startswith("#") or _BULLET.match(text) or _RULE.fullmatch(text):
        return None
    if _RULE.fullmatch(row):
        return _Line(TrapKind.UNDERLINE, line, apart=prefix.rstrip())
    return _Line(TrapKind.UNDERLINE, f"{prefix}\\{row.rstrip()}{_HARD_BREAK}")


def _date(lines: list[str], index: int, line: str) -> _Line | None:
    prefix = _prefix(line)
    item = _ITEM.match(line, len(prefix))
    if item is None or not _is_date(int(item[1]), item[2]):
        return None
    neighbours = [lines[other] for other in (index - 1, index + 1) if 0 <= other < len(lines)]
    if any(_counts_on(neighbour, int(item[1])) for neighbour in neighbours):
        return None
    dot = item.end(1)
    return _Line(TrapKind.DATE, f"{line[:dot]}\\{line[dot:]}")


def _counts_on(line: str, number: int) -> bool:
    # "1. May 2. …" in a list that counts 1, 2, 3 is an item, whatever it begins with.
    item = _ITEM.match(line, len(_prefix(line)))
    return item is not None and abs(int(item[1]) - number) == 1 and not _is_date(int(item[1]), item[2])


def _prefix(line: str) -> str:
    found = _PREFIX.match(line)
    return found[0] if found else ""


def _is_date(number: int, rest: str) -> bool:
    if _YEAR.fullmatch(str(number)) or _YEAR.match(rest):
        return True
    if not 1 <= number <= _LAST_DAY:
        return False
    month = _MONTH_NUMBER.match(rest)
    if month and 1 <= int(month[1]) <= _LAST_MONTH:
        return True
    word, abbreviation = _WORD.match(rest), _ABBREVIATION.match(rest)
    if word and word[0].casefold() in _months("wide"):
        return True
    if abbreviation and abbreviation[1].casefold() in _months("abbreviated"):
        return True
    second = _SECOND_DAY.match(rest)
    return bool(second and not _SECOND_DAY.match(second[2]) and _is_date(int(second[1]), second[2]))


@cache
def _months(width: Literal["wide", "abbreviated"]) -> frozenset[str]:
    names = (
        name
        for language in _ORDINAL_LANGUAGES
        for context in Locale.parse(language, sep="-").months.values()
        for name in context[width].values()
    )
    return frozenset(word[0].casefold() for name in names if (word := _WORD.match(name)))
