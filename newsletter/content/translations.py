"""
Documents for translators: the source beside a cell for each text, out as DOCX and back in.

Takes texts in a source language with the present translation, if there is one, and yields the bytes of a document that
Word, LibreOffice and their like open; takes such a document back and yields what it says now. Promises that a text
which nobody touched comes back letter by letter, Markdown included, and that each row says by itself what it belongs
to: a code in its first cell names the entry, the part of the text, and digests of the source and of the translation as
they were, by which a later change is noticed. Rows may be moved, left out or put into another document of ours.

The only module that knows python-docx.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from newsletter.content.entry import Link, Text
from newsletter.content.versions import text_digest
from newsletter.errors import InvalidInput
from subscribers.language import direction

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell

MOST_BYTES: Final = 10_000_000
"""Of a document that comes back: letters only, so much less is usual."""

_MOST_UNPACKED: Final = 80_000_000
"""A file of a few kilobytes can unpack to gigabytes."""

_DIGITS: Final = 12
"""Of a digest in a code: enough that two texts of one entry never share it."""

_NONE: Final = "-"
_CODE: Final = re.compile(
    r"⟦([a-z0-9._-]+)/([a-z0-9._-]+)/([A-Za-z0-9-]+)#(title|body|link[0-9]{1,2})@([0-9a-f]{12})\.([0-9a-f]{12}|-)⟧"
)
_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class NoDocument(InvalidInput):
    """No document for translators, or one that has lost the codes of its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the document calls things, in the language of who makes it."""

    heading: str
    advice: str
    source: str
    translation: str
    title: str
    body: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTranslate:
    """A text that goes out: `present` is its translation as it is, None where there is none."""

    key: str
    source_language: str
    source: Text
    present: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """
    A text that came back; parts that are not in the document are None.

    `source_mark` and `present_mark` are beginnings of digests, the latter empty where there was no translation.
    """

    newsletter: str
    key: str
    language: str
    source_mark: str
    present_mark: str
    title: str | None = None
    body: str | None = None
    labels: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether nobody wrote anything."""
        return not (self.title or self.body or any(self.labels.values()))


def mark_of(text: Text | None) -> str:
    """The beginning of the digest of a text, "" for none."""
    return text_digest(text)[:_DIGITS] if text else ""


def links_for(source: Text, present: Text | None) -> tuple[Link, ...]:
    """The links whose labels are translated: those of the translation, or of the source where it has not as many."""
    return present.links if present and len(present.links) == len(source.links) else source.links


def write_document(texts: Sequence[ToTranslate], *, newsletter: str, language: str, labels: Labels) -> bytes:
    """The document for one language, with a table for each text."""
    from docx import Document

    document = Document()
    _lay_out(document)
    document.core_properties.title = labels.heading
    document.core_properties.author = ""
    document.core_properties.language = language
    document.add_heading(labels.heading, level=1)
    document.add_paragraph(labels.advice)
    for text in texts:
        _add(document, text, tags=(newsletter, language), labels=labels)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def read_document(data: bytes) -> tuple[Translated, ...]:
    """What a document says now, text by text in its order. Raises NoDocument."""
    if len(data) > MOST_BYTES:
        raise NoDocument
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for code, words in _rows(_opened(data)):
        newsletter, key, language, part, source_mark, present_mark = code
        text = found.setdefault((newsletter, key, language, source_mark, present_mark), {})
        text.setdefault(part, words)
    if not found:
        raise NoDocument
    return tuple(_translated(code, parts) for code, parts in found.items())


def _lay_out(document: "Document") -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm, Pt

    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(1.8)
    document.styles["Normal"].font.size = Pt(10.5)


def _add(document: "Document", text: ToTranslate, *, tags: tuple[str, str], labels: Labels) -> None:
    from docx.shared import Cm

    newsletter, language = tags
    # By their ids, as the library's own template has them: looking each up by its name takes half of all the time.
    document.add_paragraph(text.source.title)._p.style = "Heading2"  # noqa: SLF001
    table = document.add_table(rows=1, cols=3)
    table._tbl.tblStyle_val = "TableGrid"  # noqa: SLF001
    table.autofit = False
    rows = [table.rows[0].cells]
    for cell, words in zip(rows[0], ("", labels.source, labels.translation), strict=True):
        cell.paragraphs[0].add_run(words).bold = True
    marks = f"{mark_of(text.source)}.{mark_of(text.present) or _NONE}"
    for part, label, source, present in _parts(text, labels):
        cells = table.add_row().cells
        _write(cells[0], label, language="")
        _write_code(cells[0], f"⟦{newsletter}/{text.key}/{language}#{part}@{marks}⟧")
        _write(cells[1], source, language=text.source_language)
        _write(cells[2], present, language=language)
        rows.append(cells)
    for cells in rows:
        for cell, width in zip(cells, (Cm(3.4), Cm(11.3), Cm(11.3)), strict=True):
            cell.width = width


def _parts(text: ToTranslate, labels: Labels) -> Iterator[tuple[str, str, str, str]]:
    present = text.present
    yield "title", labels.title, text.source.title, present.title if present else ""
    if text.source.body or (present and present.body):
        yield "body", labels.body, text.source.body, present.body if present else ""
    chosen = links_for(text.source, present)
    for number, (link, other) in enumerate(zip(text.source.links, chosen, strict=True)):
        if link.label and other.label:
            yield f"link{number}", labels.link, link.label, other.label if present and other in present.links else ""


def _write(cell: "_Cell", words: str, *, language: str) -> None:
    """A paragraph for each line; Word checks the spelling in its language."""
    for number, line in enumerate(words.split("\n")):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        run = paragraph.add_run(line)
        if language:
            _speak(run, language)
            if direction(language) == "rtl":
                paragraph.paragraph_format.element.get_or_add_pPr().append(_element("bidi"))


def _write_code(cell: "_Cell", code: str) -> None:
    from docx.shared import Pt, RGBColor

    run = cell.add_paragraph().add_run(code)
    run.font.size, run.font.color.rgb = Pt(6), RGBColor(0x8A, 0x8A, 0x8A)
    run.font.no_proof = True


def _speak(run: Any, language: str) -> None:
    properties = run._r.get_or_add_rPr()  # noqa: SLF001  the library has no word for the language of a run
    tag = _element("lang")
    tag.set(f"{_WORD}bidi" if direction(language) == "rtl" else f"{_WORD}val", language)
    properties.append(tag)
    if direction(language) == "rtl":
        run.font.rtl = True


def _element(name: str) -> Any:
    from docx.oxml import OxmlElement

    return OxmlElement(f"w:{name}")


def _opened(data: bytes) -> "Document":
    from docx import Document

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        document = Document(io.BytesIO(data)) if unpacked <= _MOST_UNPACKED else None
    except Exception as error:  # the library raises whatever the parts of a broken file lead to
        raise NoDocument from error
    if document is None:
        raise NoDocument
    return document


def _rows(document: "Document") -> Iterator[tuple[tuple[str, ...], str]]:
    """The code of each row with the words of its last cell, in tables inside tables too."""
    for row in document.element.body.iter(f"{_WORD}tr"):
        cells = [cell for cell in row.iter(f"{_WORD}tc") if _row_of(cell) is row]
        found = _CODE.search("".join(_cell_words(cells[0]).split())) if cells else None
        if found and len(cells) > 1:
            yield found.groups(), _cell_words(cells[-1])


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(f"{_WORD}tr"))


def _cell_words(cell: Any) -> str:
    return "\n".join(map(_paragraph_words, cell.iter(f"{_WORD}p"))).strip("\n")


def _paragraph_words(paragraph: Any) -> str:
    """The letters of a paragraph, insertions of tracked changes included and deletions left out."""
    words = "".join(_letters(paragraph))
    # Word makes a list of its own of "- " at the beginning of a line.
    return f"- {words}" if paragraph.find(f"{_WORD}pPr/{_WORD}numPr") is not None else words


def _letters(paragraph: Any) -> Iterator[str]:
    for node in paragraph.iter(f"{_WORD}t", f"{_WORD}tab", f"{_WORD}br", f"{_WORD}cr", f"{_WORD}noBreakHyphen"):
        if node.tag == f"{_WORD}tab" and node.getparent().tag == f"{_WORD}tabs":
            continue  # where a tab stop is, not a tab
        if next(node.iterancestors(f"{_WORD}del", f"{_WORD}moveFrom"), None) is not None:
            continue
        name = node.tag.removeprefix(_WORD)
        yield node.text or "" if name == "t" else "\t" if name == "tab" else "\u2011" if "Hyphen" in name else "\n"


def _translated(code: tuple[str, ...], parts: Mapping[str, str]) -> Translated:
    newsletter, key, language, source_mark, present_mark = code
    return Translated(
        newsletter=newsletter,
        key=key,
        language=language,
        source_mark=source_mark,
        present_mark="" if present_mark == _NONE else present_mark,
        title=parts.get("title"),
        body=parts.get("body"),
        labels={int(part.removeprefix("link")): words for part, words in parts.items() if part.startswith("link")},
    )


def keys_of(texts: Iterable[Translated]) -> frozenset[str]:
    """The entries that a document speaks of."""
    return frozenset(text.key for text in texts)
