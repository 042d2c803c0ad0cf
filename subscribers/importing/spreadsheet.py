"""
Reads a spreadsheet (XLSX, ISO/IEC 29500) as if it had been saved as CSV.

Takes a path; writes one sheet of it as CSV, line by line; promises to look into the archive before anything is
unpacked, to refuse bombs (too many files, too large, packed too tightly, entities), to follow no link and to compute
no formula: what a formula last came to is its value.
"""

import csv
import datetime as dt
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from subscribers.errors import ImportRefused
from subscribers.importing.table import MAX_CELL, MAX_HEADINGS
from subscribers.store import guarded

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook


class Writable(Protocol):
    """What text can be written to."""

    def write(self, text: str, /) -> object:
        """Write some."""
        ...


MAX_FILES = 100
"""Files within the archive; a sheet of people has a dozen."""

MAX_UNPACKED = 200_000_000
"""Octets of all files within the archive."""

MAX_LETTERS = MAX_UNPACKED
"""Characters of all cells: millions of them may refer to one long text."""

MAX_RATIO = 100
"""Octets that one packed octet may become: a list of people reaches ten to thirty, a bomb a thousand."""

_FEW = 1_000_000
"""Octets: what unpacks to less is no bomb, however tightly it is packed."""

_MAX_ROWS = 1_048_576
"""Rows of a sheet, by the specification: a file that numbers them beyond would have us count for hours."""

_WORKBOOK = "xl/workbook.xml"

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
)
"""What Python's reader of archives and XML raises for octets that have gone astray, or are encrypted."""


def write_as_csv(path: Path, out: Writable, *, name: str, sheet: str | None = None, most: int | None = None) -> str:
    """Write a sheet as CSV with commas, row n on line n, and return the name of the sheet.

    Dates become `2026-11-21`, times `2026-11-21T09:30:00`, truth values `true` and `false`, numbers their shortest
    decimal form; a cell that holds an error is empty. Sheets that are hidden are not looked at.

    Args:
        path: the spreadsheet.
        out: written to.
        name: what the file is called in an error.
        sheet: name of the sheet; by default the first that is not hidden.
        most: rows that are written; by default all of them.

    Raises:
        ImportRefused: it is no spreadsheet, a bomb, protected, damaged, or has no such sheet.
    """
    with _opened(path, name=name) as workbook:
        return _copy(workbook, out, name=name, sheet=sheet, most=most)


def sheet_names(path: Path, *, name: str) -> list[str]:
    """Return the names of the sheets that are not hidden.

    Raises:
        ImportRefused: it is no spreadsheet, a bomb, protected or damaged.
    """
    with _opened(path, name=name) as workbook:
        return _visible(workbook)


@contextmanager
def _opened(path: Path, *, name: str) -> "Iterator[Workbook]":
    from openpyxl import load_workbook

    _look_into(path, name=name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what openpyxl finds odd about styles is no concern of ours
        try:
            # By a path openpyxl looks at the end of the name, which an uploaded file does not have.
            with path.open("rb") as file:
                workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
                try:
                    yield workbook
                finally:
                    workbook.close()
        except (ImportRefused, OSError):
            raise  # also a disk that is full
        except Exception as error:  # a damaged file makes openpyxl stumble in whatever way
            raise ImportRefused("the spreadsheet is damaged; open it, save it again and try that", file=name) from error


def _look_into(path: Path, *, name: str) -> None:
    """Refuse an archive by its table of contents and by the first octets of its XML, before it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive.infolist(), name=name)
            if _WORKBOOK not in archive.namelist():
                raise ImportRefused("this is a ZIP archive; unpack it and import the files in it", file=name)
            _refuse_entities(archive, name=name)
    except _DAMAGE as error:
        raise ImportRefused("the spreadsheet is damaged or protected by a password", file=name) from error


def _check_sizes(files: Sequence[zipfile.ZipInfo], *, name: str) -> None:
    packed, unpacked = sum(file.compress_size for file in files), sum(file.file_size for file in files)
    if len(files) > MAX_FILES:
        raise ImportRefused(f"there are more than {MAX_FILES} files in the spreadsheet", file=name)
    if unpacked > MAX_UNPACKED:
        raise ImportRefused(
            f"the spreadsheet unpacks to more than {MAX_UNPACKED // 1_000_000} MB; save it as CSV", file=name
        )
    if unpacked > _FEW and unpacked > MAX_RATIO * packed:
        raise ImportRefused("the spreadsheet is packed too tightly to be a list of people", file=name)


def _refuse_entities(archive: zipfile.ZipFile, *, name: str) -> None:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    for part in archive.namelist():
        if not part.endswith((".xml", ".rels")):
            continue
        try:
            with archive.open(part) as file:
                # A document type stands before the first element, so the rest need not be read.
                next(iter(iterparse(file, events=("start",), forbid_dtd=True)), None)
        except DefusedXmlException as error:
            raise ImportRefused("the spreadsheet declares entities, as no spreadsheet does", file=name) from error
        except ParseError as error:
            raise ImportRefused("the spreadsheet is damaged", file=name) from error


def _copy(workbook: "Workbook", out: Writable, *, name: str, sheet: str | None, most: int | None) -> str:
    chosen = _chosen(workbook, name=name, sheet=sheet)
    writer = csv.writer(out, lineterminator="\n")
    letters = 0
    for row in islice(_rows(workbook[chosen]), most):
        letters += sum(map(len, row))
        if len(row) > MAX_HEADINGS:
            raise ImportRefused(f"there are more than {MAX_HEADINGS} columns", file=name)
        if letters > MAX_LETTERS:
            raise ImportRefused("the spreadsheet has more text than a list of people", file=name)
        writer.writerow(row)
    return chosen


def _visible(workbook: "Workbook") -> list[str]:
    return [each.title for each in workbook.worksheets if each.sheet_state == "visible"]


def _chosen(workbook: "Workbook", *, name: str, sheet: str | None) -> str:
    visible = _visible(workbook)
    if sheet is None and visible:
        return visible[0]
    if sheet is None or sheet not in visible:
        offered = ", ".join(f"“{title}”" for title in visible) or "none"
        what = "no sheet that is not hidden" if sheet is None else f"no sheet “{sheet}”"
        raise ImportRefused(f"there is {what}; those that can be read: {offered}", file=name)
    return sheet


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Yield the rows of a sheet as text, as wide as the first that has any, and wider where they are."""
    sheet.reset_dimensions()  # what a file says of its own size may be a lie
    width = 0
    for cells in sheet.iter_rows(max_col=MAX_HEADINGS + 1, max_row=_MAX_ROWS, values_only=False):
        row = [_text(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        width = width or len(row)
        yield row + [""] * (width - len(row)) if row else []


def _text(cell: Any) -> str:
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() else f"{value:.15f}".rstrip("0")
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            # One line of text a row, so that line n is row n; an import takes line breaks for spaces anyway. What is
            # too long is cut so that it is still refused as such.
            return guarded(" ".join(str(value).split())[: MAX_CELL + 1])
