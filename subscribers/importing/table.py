"""
Opens a CSV file, whatever program wrote it.

Takes a path; yields rows of text with their line numbers; promises to find out encoding and delimiter, to read in
flat memory, and to refuse files that are too large, too wide or no CSV at all before anything is stored.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from subscribers.errors import ImportRefused
from subscribers.importing.encoding import encoding_of

MAX_OCTETS = 1_000_000_000
"""Size of a file on the command line: some ten million rows."""

UPLOAD_OCTETS = 50_000_000
"""Size of a file that comes through a web page."""

MAX_HEADINGS = 512
"""Columns of a file, most of them left out: more is not a list of people but something else by mistake."""

MAX_CELL = 4096
"""Characters of a field: more is a file with a quotation mark left open, or an attack."""

_DELIMITERS = ",;\t|"
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How XLSX (and every ZIP archive) and old XLS files begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is written, as it is told to the operator.

    Attributes:
        form: `csv` or `xlsx`.
        encoding: Python's name of it; empty for a spreadsheet.
        assumed: the encoding is only the likeliest.
        delimiter: between the fields; empty for a spreadsheet.
        sheet: name of the sheet that is read; empty for CSV.
    """

    form: str = "csv"
    encoding: str = ""
    assumed: bool = False
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose encoding, delimiter and headings are known.

    Attributes:
        path: where the text lies.
        encoding: Python's name of it.
        delimiter: between the fields.
        headings: the first row, without white space around.
        first_line: line on which the headings stand: 2 where spreadsheets put `sep=;` above.
        name: what the file is called in messages.
        layout: how it is written.
    """

    path: Path
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    first_line: int
    name: str
    layout: Layout

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each row begins, and its fields. Lines without any text are passed over.

        The fields are as they stand in the file: the apostrophe of an export is taken off by who reads them.

        Raises:
            ImportRefused: a field is too long, a quotation mark is never closed, or the encoding breaks.
        """
        return _read(self.path, name=self.name, encoding=self.encoding, delimiter=self.delimiter, after=self.first_line)

    def told(self, layout: Layout) -> "Table":
        """Return the same table with another layout: that of the file which this one was made from."""
        return replace(self, layout=layout)

    def refusal(self, message: str, *, line: int | None = None, column: str | int | None = None) -> ImportRefused:
        """Return the error that names this file."""
        return ImportRefused(message, file=self.name, line=line, column=column)


def open_table(path: Path, *, name: str | None = None, largest: int = MAX_OCTETS) -> Table:
    """Find out how a CSV file is written and read its headings.

    Args:
        path: where it lies.
        name: what to call it in messages; by default as it is called there.
        largest: octets.

    Raises:
        ImportRefused: it is missing, empty, too large, a spreadsheet, or has no usable headings.
    """
    name = path.name if name is None else name
    if beginning(path, name=name, largest=largest).startswith(_SPREADSHEET):
        raise ImportRefused("this is a spreadsheet; save it as CSV first", file=name)
    encoding, assumed = encoding_of(path, name=name)
    first_line, delimiter = _delimiter(path, encoding, name=name)
    for line, row in _read(path, name=name, encoding=encoding, delimiter=delimiter, after=first_line - 1):
        layout = Layout(encoding=encoding, assumed=assumed, delimiter=delimiter)
        headings = tuple(heading.strip() for heading in row)
        return _checked(Table(path, encoding, delimiter, headings, line, name, layout))
    raise ImportRefused("the file is empty", file=name)


def beginning(path: Path, *, name: str, largest: int) -> bytes:
    """Return the first octets of a file, by which its kind is known.

    Raises:
        ImportRefused: it cannot be read, or has more octets than `largest`.
    """
    try:
        octets = path.stat().st_size
        with path.open("rb") as file:
            sample = file.read(8)
    except OSError as error:
        raise ImportRefused(f"the file cannot be read ({error.strerror})", file=name) from error
    if octets > largest:
        raise ImportRefused(f"the file is larger than {largest // 1_000_000:,} MB", file=name)
    return sample


def _checked(table: Table) -> Table:
    if len(table.headings) > MAX_HEADINGS:
        raise table.refusal(f"there are more than {MAX_HEADINGS} columns", line=table.first_line)
    if any("@" in name for name in table.headings):
        raise table.refusal("the first line must name the columns, but has an address in it", line=table.first_line)
    return table


def _delimiter(path: Path, encoding: str, *, name: str) -> tuple[int, str]:
    """Return the line from which the headings may stand, and what separates them."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline(MAX_HEADINGS * MAX_CELL)
    except UnicodeDecodeError as error:
        raise _broken_encoding(path, encoding, name=name) from error
    if first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == len("sep=;"):
        return 2, first[4]
    outside_quotes = "".join(first.split('"')[::2])
    counts = {delimiter: outside_quotes.count(delimiter) for delimiter in _DELIMITERS}
    return 1, max(counts, key=lambda delimiter: counts[delimiter])


def _read(path: Path, *, name: str, encoding: str, delimiter: str, after: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row with any text begins, and its fields, from behind a line on."""
    line = 0
    with path.open(encoding=encoding, newline="") as file:
        # Some programs put a space before the quotation mark, which would otherwise be one of the field's letters.
        reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
        try:
            for row in reader:
                if text := "".join(row):
                    # Together is quick to ask, and hardly any row has as much.
                    if len(text) > MAX_CELL and len(max(row, key=len)) > MAX_CELL:
                        raise _long_cell(row, name=name, line=line + 1)
                    if line >= after:
                        yield line + 1, row
                line = reader.line_num
        except csv.Error as error:
            # The only thing Python's reader refuses is a field beyond 131,072 characters.
            raise ImportRefused(
                f"the text cannot be divided into fields ({error})", file=name, line=line + 1
            ) from error
        except UnicodeDecodeError as error:
            raise _broken_encoding(path, encoding, name=name) from error


def _long_cell(row: list[str], *, name: str, line: int) -> ImportRefused:
    number = next(place for place, cell in enumerate(row, 1) if len(cell) > MAX_CELL)
    words = f"the field has more than {MAX_CELL:,} characters; perhaps a quotation mark is not closed"
    return ImportRefused(words, file=name, line=line, column=number)


def _broken_encoding(path: Path, encoding: str, *, name: str) -> ImportRefused:
    # Python decodes in blocks and does not say on which line it failed, so the file is read once more.
    with path.open(encoding=encoding, errors="replace") as file:
        line = next((number for number, text in enumerate(file, 1) if "\ufffd" in text), None)
    return ImportRefused(f"the text is not valid {encoding}; save the file as UTF-8", file=name, line=line)
