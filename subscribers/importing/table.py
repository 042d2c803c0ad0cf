"""
Opens a CSV file, whatever program wrote it.

Takes a path; yields rows of text with their line numbers; promises to find out encoding and delimiter, to read in
flat memory, and to refuse files that are too large, too wide or no CSV at all before anything is stored.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from subscribers.errors import ImportRefused
from subscribers.store import unguarded

MAX_OCTETS = 1_000_000_000
"""Size of a file: some ten million rows."""

MAX_COLUMNS = 64
"""More is not a list of people but something else by mistake."""

MAX_CELL = 4096
"""Characters of a field: more is a file with a quotation mark left open, or an attack."""

_BLOCK = 1 << 20
_SAMPLE = 4096
_DELIMITERS = ",;\t"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How XLSX (and every ZIP archive) and old XLS files begin."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose encoding, delimiter and headings are known.

    Attributes:
        path: where it lies.
        encoding: Python's name of it.
        delimiter: between the fields.
        headings: the first row, without white space around.
        first_line: line on which the headings stand: 2 where spreadsheets put `sep=;` above.
    """

    path: Path
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    first_line: int

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each row begins, and its fields. Lines without any text are passed over.

        The apostrophe that an export puts before what a spreadsheet would compute is taken off.

        Raises:
            ImportRefused: a field is too long, a quotation mark is never closed, or the encoding breaks.
        """
        rows = _read(self.path, encoding=self.encoding, delimiter=self.delimiter)
        for line, row in rows:
            if line > self.first_line and row and any(row):
                yield line, [unguarded(cell) for cell in row] if "'" in map(_first, row) else row

    def refusal(self, message: str, *, line: int | None = None, column: str | int | None = None) -> ImportRefused:
        """Return the error that names this file."""
        return ImportRefused(message, file=self.path.name, line=line, column=column)


def open_table(path: Path) -> Table:
    """Find out how a file is written and read its headings.

    Raises:
        ImportRefused: it is missing, empty, too large, a spreadsheet, or has no usable headings.
    """
    encoding = _encoding(path)
    first_line, delimiter = _delimiter(path, encoding)
    for line, row in _read(path, encoding=encoding, delimiter=delimiter):
        if line >= first_line and any(row):
            return _table(path, encoding=encoding, delimiter=delimiter, headings=row, first_line=line)
    raise ImportRefused("the file is empty", file=path.name)


def _table(path: Path, *, encoding: str, delimiter: str, headings: list[str], first_line: int) -> Table:
    names = tuple(heading.strip() for heading in headings)
    table = Table(path, encoding, delimiter, names, first_line)
    if len(names) > MAX_COLUMNS:
        raise table.refusal(f"there are more than {MAX_COLUMNS} columns", line=first_line)
    if any("@" in name for name in names):
        raise table.refusal("the first line must name the columns, but has an address in it", line=first_line)
    return table


def _encoding(path: Path) -> str:
    try:
        octets = path.stat().st_size
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
    except OSError as error:
        raise ImportRefused(f"the file cannot be read ({error.strerror})", file=path.name) from error
    if octets > MAX_OCTETS:
        raise ImportRefused(f"the file is larger than {MAX_OCTETS // 1_000_000:,} MB", file=path.name)
    if sample.startswith(_SPREADSHEET):
        raise ImportRefused("this is a spreadsheet; save it as CSV first", file=path.name)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample:
        # Latin letters in UTF-16 have their zero octet first in one byte order and last in the other.
        return "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
    return "utf-8" if _is_utf_8(path) else "cp1252"


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(path: Path, encoding: str) -> tuple[int, str]:
    """Return the line from which the headings may stand, and what separates them."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline(MAX_COLUMNS * MAX_CELL)
    except UnicodeDecodeError as error:
        raise _broken_encoding(path, encoding) from error
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=;"):
        return 2, first[4]
    outside_quotes = "".join(first.split('"')[::2])
    counts = {delimiter: outside_quotes.count(delimiter) for delimiter in _DELIMITERS}
    return 1, max(counts, key=lambda delimiter: counts[delimiter])


def _read(path: Path, *, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    line = 0
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for row in reader:
                if row and max(map(len, row)) > MAX_CELL:
                    number = next(place for place, cell in enumerate(row, 1) if len(cell) > MAX_CELL)
                    raise ImportRefused(
                        f"the field has more than {MAX_CELL:,} characters; perhaps a quotation mark is not closed",
                        file=path.name,
                        line=line + 1,
                        column=number,
                    )
                yield line + 1, row
                line = reader.line_num
        except csv.Error as error:
            # The only thing Python's reader refuses is a field beyond 131,072 characters.
            raise ImportRefused(
                f"the text cannot be divided into fields ({error})", file=path.name, line=line + 1
            ) from error
        except UnicodeDecodeError as error:
            raise _broken_encoding(path, encoding) from error


def _broken_encoding(path: Path, encoding: str) -> ImportRefused:
    # Python decodes in blocks and does not say on which line it failed, so the file is read once more.
    with path.open(encoding=encoding, errors="replace") as file:
        line = next((number for number, text in enumerate(file, 1) if "\ufffd" in text), None)
    return ImportRefused(f"the text is not valid {encoding}; save the file as UTF-8", file=path.name, line=line)


def _first(cell: str) -> str:
    return cell[:1]
