"""
Opens whatever file an import may come from.

Takes a path, or a stream that is read to its end; yields a `Table`; promises that spreadsheets and streams lie in a
temporary file that only we can read, and that it is gone afterwards.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from subscribers.errors import ImportRefused
from subscribers.importing.table import MAX_OCTETS, Layout, Table, beginning, open_table

STANDARD_INPUT = "standard input"
"""What a file without a name is called."""

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
"""How XLSX (and every ZIP archive) begins, and how old XLS files and protected XLSX files do."""

_BLOCK = 1 << 20


@contextmanager
def opened(
    path: Path, *, name: str | None = None, sheet: str | None = None, largest: int = MAX_OCTETS, most: int | None = None
) -> Iterator[Table]:
    """Open a file of people, CSV or XLSX.

    Args:
        path: where it lies.
        name: what to call it in messages; by default as it is called there.
        sheet: which sheet of a spreadsheet; by default the first that is not hidden.
        largest: octets of the file.
        most: rows of a spreadsheet that are read, for a look at its beginning.

    Raises:
        ImportRefused: it cannot be taken at all, in words.
    """
    name = path.name if name is None else name
    first = beginning(path, name=name, largest=largest)
    if first.startswith(_OLD_OFFICE):
        raise ImportRefused("this is an old XLS file, or protected by a password; save it as XLSX or CSV", file=name)
    if not first.startswith(_ZIP):
        if sheet is not None:
            raise ImportRefused("this file has no sheets", file=name)
        yield open_table(path, name=name, largest=largest)
        return
    from subscribers.importing.spreadsheet import write_as_csv

    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", prefix="import-", suffix=".csv") as spool:
        chosen = write_as_csv(path, spool, name=name, sheet=sheet, most=most)
        spool.flush()
        yield open_table(Path(spool.name), name=name).told(Layout(form="xlsx", sheet=chosen))


@contextmanager
def spooled(stream: BinaryIO, *, largest: int = MAX_OCTETS) -> Iterator[Path]:
    """Copy a stream into a temporary file, since an import reads its file more than once.

    Raises:
        ImportRefused: it has more octets than `largest`.
    """
    with tempfile.NamedTemporaryFile(prefix="import-") as spool:
        octets = 0
        while block := stream.read(_BLOCK):
            octets += len(block)
            if octets > largest:
                raise ImportRefused(f"there are more than {largest // 1_000_000:,} MB", file=STANDARD_INPUT)
            spool.write(block)
        spool.flush()
        yield Path(spool.name)
