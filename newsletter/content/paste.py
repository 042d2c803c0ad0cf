"""
What was copied from Word, Outlook, an online editor or a web page, as the Markdown that an officer would type.

Takes the HTML of a clipboard; yields CommonMark. Links, lists, bold and italic letters, quotations, accents and
quotation marks stay, headings become bold paragraphs, the rest goes: colours, fonts, pictures, comments, what was
deleted while changes were tracked, what nobody sees. Promises never to raise, and that no tag comes out but as letters.

Word writes lists as paragraphs (`MsoListParagraph`, `mso-list: l0 level2 lfo1`) with their marks in spans to ignore;
its online edition writes each item as a list of its own with `data-aria-level`; other online editors wrap everything in
a `<b>` that is not bold. Redirections that mail programs and online editors put around links are taken off.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import groupby
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import TypeAdapter, ValidationError

from newsletter.content.fields import Url
from newsletter.content.paragraphs import BREAK, Format, Item, Paragraph, Run, tidied, to_markdown

MOST_LETTERS: Final = 1_000_000
"""Of HTML: Word writes a hundred letters of markup around each word."""

DEEPEST: Final = 100
"""Tags inside each other that are looked at; pages nest some fifty."""

_DEEPEST_LIST: Final = 8
"""Lists inside each other that are kept; items of deeper ones stand in the last of them."""

_LONGEST_ROW: Final = 300
"""Letters of a table's row that is written as one line."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS: Final = _names(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody td tfoot th thead tr "
    "ul"
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN: Final = _names(
    "audio button canvas del embed head iframe math noscript object script select style svg template textarea title "
    "video xml"
)
_EMPTY: Final = _names("area base br col embed hr img input link meta param source track wbr")
_LISTS: Final = frozenset({"ul", "ol"})
_CELLS: Final = frozenset({"td", "th"})

_FRAGMENT: Final = re.compile(r"<!--\s*StartFragment\s*-->(.*)<!--\s*EndFragment\s*-->", re.DOTALL)
_DECLARATION: Final = re.compile(r"<[!?][^<>]*>")
_LOOSE: Final = re.compile(r"""<(?!/?+[a-zA-Z](?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+>)""")
"""What begins no whole tag: the parser would look for its end to the end of everything, each time anew."""

_LEVEL: Final = re.compile(r"level([1-9])")
_NUMBER: Final = re.compile(r"\s*\(?([0-9]{1,9}|[a-zA-Z]{1,4})[.)]")
_RAISED: Final = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_LOWERED: Final = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")
_SHIFTS: Final[Mapping[str, Mapping[int, int]]] = {
    "sup": _RAISED,
    "super": _RAISED,
    "sub": _LOWERED,
}
_DIGITS: Final = re.compile(r"[0-9+-]+")
_REMARKS: Final = frozenset({"mso-comment-reference", "mso-special-character"})
_BOLD_FROM: Final = 600
"""CSS Fonts 4 §2.2: 700 is bold; some editors write 600."""

_REDIRECTIONS: Final = (("www.google.com", "/url", "q"), ("safelinks.protection.outlook.com", "/", "url"))
"""Host (or its end), path, and the parameter that has the address somebody meant."""

_URL: Final[TypeAdapter[str]] = TypeAdapter(Url)


def markdown_of(html: str) -> str:
    """The Markdown of what was copied; "" where nothing of it can be read."""
    reader = _Reader()
    reader.feed(_markup(html[:MOST_LETTERS]))
    reader.close()
    reader.end_paragraph()
    return to_markdown(_with_rows(reader.paragraphs))


def _markup(html: str) -> str:
    """Tags and letters alone, without declarations, comments (conditional ones too) and processing instructions."""
    found = _FRAGMENT.search(html)
    text = found[1] if found else html
    first, *others = text.replace("\x00", "").split("<!--")
    # What stands between two comments of a condition is what everybody sees.
    seen = first + "".join(other.partition("-->")[2] for other in others)
    return _LOOSE.sub("&lt;", _DECLARATION.sub("", seen))


@dataclass(slots=True)
class _Frame:
    """A tag that is open, and what holds inside it."""

    tag: str
    format: Format
    is_heading: bool = False
    is_unseen: bool = False
    is_marker: bool = False
    shift: Mapping[int, int] | None = None
    item: Item | None = None
    """Of a list: the one it is at."""
    count: int = 0
    """Of a list: how many items it has had, and the number of its first less one."""
    level: int = 0
    """Of a paragraph or item that says its own level."""
    row: int = 0
    cell: int = 0


class _Reader(HTMLParser):
    """Reads tags in their order into paragraphs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[Paragraph] = []
        self._open: list[_Frame] = [_Frame("", Format())]
        self._runs: list[Run] = []
        self._marker = ""
        self._levels: list[Item] = []
        self._leveled: Item | None = None
        self._rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        if tag == "br":
            self._runs.append(Run(BREAK, self._open[-1].format))
        if tag in _BLOCKS:
            self.end_paragraph()
            self._close_implied(tag)
        if tag not in _EMPTY and len(self._open) < DEEPEST:
            self._open.append(self._frame(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close a tag, and those inside it that nobody closed."""
        if tag in _BLOCKS:
            self.end_paragraph()
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        """Take letters."""
        frame = self._open[-1]
        if frame.is_unseen:
            return
        if frame.is_marker:
            self._marker += data
            return
        if frame.shift and _DIGITS.fullmatch(data.strip()):
            data = data.translate(frame.shift)
        data = data.replace(BREAK, " ")
        if any(each.tag == "pre" for each in self._open):
            data = data.replace("\n", BREAK)
        self._runs.append(Run(data, frame.format))

    def end_paragraph(self) -> None:
        """Keep the paragraph that was read, if there is one."""
        lines: list[list[Run]] = [[]]
        for run in tidied(self._runs):
            first, *others = re.split(f"{BREAK}{{2,}}", run.text)
            lines[-1].append(Run(first, run.format))
            lines += [[Run(other, run.format)] for other in others]
        if any(run.text for line in lines for run in line):
            items = self._items()
            for line in lines:
                if runs := tidied(line):
                    self.paragraphs.append(
                        Paragraph(runs=self._headed(runs), items=items, quotes=self._quotes(), cell=self._cell())
                    )
            self._marker = ""
        self._runs = []

    def _frame(self, tag: str, attributes: dict[str, str]) -> _Frame:
        outer, style = self._open[-1], _style(attributes.get("style", ""))
        frame = _Frame(
            tag,
            _format(tag, style, attributes, outer.format),
            is_heading=outer.is_heading or tag in _HEADINGS,
            is_unseen=outer.is_unseen or "hidden" in attributes or _is_unseen(tag, style),
            is_marker=outer.is_marker or style.get("mso-list", "").lower() == "ignore",
            shift=_SHIFTS.get(tag) or _SHIFTS.get(style.get("vertical-align", "")) or outer.shift,
            level=_level(tag, style, attributes),
            row=outer.row,
            cell=outer.cell,
        )
        if tag == "ol" and attributes.get("start", "").isdecimal():
            frame.count = int(attributes["start"][:9]) - 1
        elif tag == "li":
            self._begin_item()
        elif tag == "tr":
            self._rows += 1
            frame.row = self._rows
        elif tag in _CELLS:
            outer.cell += 1
            frame.cell = outer.cell
        if frame.level:
            self._leveled = None
        return frame

    def _begin_item(self) -> None:
        for frame in reversed(self._open):
            if frame.tag in _LISTS:
                frame.count += 1
                frame.item = Item(frame.count if frame.tag == "ol" else None)
                return

    def _close_implied(self, tag: str) -> None:
        # HTML §13.1.2.4: the end of a paragraph or an item may be left out.
        last = self._open[-1].tag
        if (tag == "li" and last == "li") or last == "p":
            self._open.pop()

    def _items(self) -> tuple[Item, ...]:
        level = next((frame.level for frame in reversed(self._open) if frame.level), 0)
        if not level:
            self._levels = []
            items = [frame.item for frame in self._open if frame.tag in _LISTS and frame.item is not None]
            return (*items[: _DEEPEST_LIST - 1], *items[_DEEPEST_LIST - 1 :][-1:])
        if self._leveled is None:
            self._levels = self._levels[: level - 1]
            self._leveled = Item(self._number(level))
            self._levels.append(self._leveled)
        return tuple(self._levels)

    def _number(self, level: int) -> int | None:
        inner = next((frame for frame in reversed(self._open) if frame.tag in _LISTS), None)
        if inner is not None:
            return inner.count if inner.tag == "ol" else None
        found = _NUMBER.match(self._marker)
        if found is None or found[1].lower() == "o":  # Word's ring of the second level is the letter o
            return None
        return int(found[1]) if found[1].isdecimal() else self._counted(level)

    def _counted(self, level: int) -> int:
        """The number after that of the item before it, where letters or Roman numerals stand for it."""
        before = self.paragraphs[-1].items if self.paragraphs else ()
        same = before[level - 1].number if len(before) >= level else None
        return (same or 0) + 1

    def _headed(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        if not self._open[-1].is_heading:
            return runs
        return tuple(Run(run.text, run.format._replace(bold=True)) for run in runs)

    def _quotes(self) -> int:
        return min(3, sum(frame.tag == "blockquote" for frame in self._open))

    def _cell(self) -> tuple[int, int] | None:
        return (self._open[-1].row, self._open[-1].cell) if self._open[-1].row else None


def _style(text: str) -> dict[str, str]:
    pairs = (declaration.partition(":") for declaration in text.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _is_unseen(tag: str, style: dict[str, str]) -> bool:
    hidden = style.get("display") == "none" or style.get("mso-hide") == "all" or style.get("visibility") == "hidden"
    is_remark = style.get("mso-element", "").startswith("comment") or not _REMARKS.isdisjoint(style)
    return tag in _UNSEEN or tag.startswith(("v:", "w:", "x:")) or hidden or is_remark


def _level(tag: str, style: dict[str, str], attributes: dict[str, str]) -> int:
    if tag == "li" and attributes.get("data-aria-level", "").isdecimal():
        return min(9, max(1, int(attributes["data-aria-level"][:2])))
    found = _LEVEL.search(style.get("mso-list", ""))
    return int(found[1]) if found else 0


def _format(tag: str, style: dict[str, str], attributes: dict[str, str], outer: Format) -> Format:
    bold = outer.bold or tag in {"b", "strong"}
    italic = outer.italic or tag in {"i", "em", "cite", "dfn"}
    if weight := style.get("font-weight"):
        bold = weight in {"bold", "bolder"} or (weight.isdecimal() and int(weight) >= _BOLD_FROM)
    if slant := style.get("font-style"):
        italic = slant in {"italic", "oblique"}
    href = _address(attributes.get("href", "")) if tag == "a" else outer.href
    return Format(bold=bold, italic=italic, href=href)


def _address(href: str) -> str:
    """The address of a link as it can stand in Markdown, "" for one that leads nowhere safe."""
    try:
        meant = _meant(href.strip())
        return _URL.validate_python(quote(meant, safe="!#$%&'*+,/:;=?@[]~-._"))
    except (ValidationError, ValueError, UnicodeError):
        return ""


def _meant(href: str) -> str:
    parts = urlsplit(href)
    host = (parts.hostname or "").lower()
    for end, path, name in _REDIRECTIONS:
        if (host == end or host.endswith(f".{end}")) and parts.path == path:
            return next(iter(parse_qs(parts.query).get(name, ())), href)
    return href


def _with_rows(paragraphs: list[Paragraph]) -> Iterator[Paragraph]:
    """The paragraphs, those of a short row of a table in one line."""
    for row, group in groupby(paragraphs, key=lambda paragraph: paragraph.cell[0] if paragraph.cell else 0):
        members = list(group)
        cells = {paragraph.cell for paragraph in members}
        short = sum(paragraph.length for paragraph in members) <= _LONGEST_ROW
        if not row or len(cells) < len(members) or not short or any(paragraph.items for paragraph in members):
            yield from members
            continue
        runs: list[Run] = []
        for paragraph in members:
            runs += [*([Run(" – ", Format())] if runs else []), *paragraph.runs]
        yield Paragraph(runs=tuple(runs), quotes=members[0].quotes)
