"""
Finds addresses that stand in a file more than once.

Takes a file; yields the last line of each repeated address; promises flat memory for any number of rows. The file is
read beforehand because the last row counts: were earlier ones stored and then overwritten, importing the same file
again would find them changed each time.
"""

from collections.abc import Iterator

from subscribers.address import parse_address
from subscribers.errors import InvalidAddress
from subscribers.importing.headings import Column
from subscribers.importing.table import Table
from subscribers.store import unguarded

_BITS = 27
"""A map of 2²⁷ bits (16 MB): of a million different addresses 0.7 % share a bit and are looked at twice."""

_MASK = (1 << _BITS) - 1


def find_repeats(table: Table, column: Column) -> tuple[int, dict[str, int]]:
    """Return the number of rows, and the last line of every address that stands on several.

    Args:
        table: the file.
        column: that of the address.

    Raises:
        ImportRefused: the file breaks off or a field is too long; nothing has been stored then.
    """
    seen = bytearray(1 << (_BITS - 3))
    suspects: set[int] = set()
    rows = 0
    for _, key in address_keys(table, column):
        rows += 1
        place = hash(key) & _MASK
        octet, bit = place >> 3, 1 << (place & 7)
        if seen[octet] & bit:
            suspects.add(place)
        seen[octet] |= bit
    return rows, _last_lines(table, column, suspects) if suspects else {}


def _last_lines(table: Table, column: Column, suspects: set[int]) -> dict[str, int]:
    last: dict[str, int] = {}
    repeated: set[str] = set()
    for line, key in address_keys(table, column):
        if hash(key) & _MASK in suspects:
            if key in last:
                repeated.add(key)
            last[key] = line
    return {key: last[key] for key in repeated}


def address_keys(table: Table, column: Column) -> Iterator[tuple[int, str]]:
    """Yield the line and the address's key of each row; what is no address is its text in small letters."""
    place = column.index
    for line, cells in table.rows():
        yield line, _key(cells[place] if place < len(cells) else "")


def _key(cell: str) -> str:
    if cell.startswith("'"):
        cell = unguarded(cell)
    # Small letters are the whole difference between plain addresses; only the others are worth parsing here.
    simple = cell.strip().lower()
    if simple.isascii() and "xn--" not in simple:
        return simple
    try:
        return parse_address(cell).key
    except InvalidAddress:
        return simple
