"""
Reads the rows of a file and checks each of them.

Takes a file and its columns; yields a `Row` that can be stored, or a `Problem` that says why it cannot; promises that
a row with anything wrong in it is not half taken.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from subscribers.address import Address, parse_address
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue
from subscribers.importing.headings import ADDRESS, TAGS, Column, plan_columns
from subscribers.importing.table import MAX_CELL, Table, open_table
from subscribers.models import Attribute
from subscribers.store import FIELDS, clean, clean_name, clean_text, typed


class Problem(NamedTuple):
    """Why a row was not taken, or not as it stands."""

    #: Line of the file, from 1.
    line: int
    #: Heading of the column; empty where the whole row is meant.
    column: str
    #: In words, never with the address.
    reason: str


class Row(NamedTuple):
    """One person as a file describes them; what the file leaves empty is missing here."""

    line: int
    address: Address
    values: dict[str, str]
    attributes: dict[str, Attribute]
    tags: tuple[str, ...]


_REMEMBERED = 4096
"""Values of a column that are remembered."""

ReadRow = Callable[[int, Sequence[str]], Row | Problem]
"""Checks the fields that stand on a line."""


def read_rows(path: Path, mapping: Mapping[str, str] | None = None) -> Iterator[Row | Problem]:
    """Yield what each row of a file says, in order.

    Args:
        path: the file.
        mapping: as for `plan_columns`.

    Raises:
        ImportRefused, UnknownField, InvalidValue: the file or the mapping cannot be used.
    """
    table = open_table(path)
    read = row_reader(table, plan_columns(table, mapping))
    for line, cells in table.rows():
        yield read(line, cells)


def row_reader(table: Table, columns: Sequence[Column]) -> ReadRow:
    """Return what turns the fields of a line into a row or a problem."""
    width = len(table.headings)
    headings = {column.target: column.heading for column in columns}
    places = {column.target: column.index for column in columns}
    address_place, tags_place = places[ADDRESS], places.get(TAGS)
    fields = _readers(places, lambda target: target in FIELDS)
    attributes = _readers(places, lambda target: target not in {ADDRESS, TAGS, *FIELDS})
    read_tags = _cell_reader(TAGS)

    def read(line: int, cells: Sequence[str]) -> Row | Problem:
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            return Problem(line, "", f"the row has {len(cells)} fields, the headings are {width}")
        target = ADDRESS
        try:
            row = Row(line, parse_address(cells[address_place]), {}, {}, ())
            for target, place, read_cell in fields:
                if (value := read_cell(cells[place])) is not None:
                    row.values[target] = value
            for target, place, read_cell in attributes:
                if (value := read_cell(cells[place])) is not None:
                    row.attributes[target] = value
            target = TAGS
            tags = None if tags_place is None else read_tags(cells[tags_place])
        except (InvalidAddress, InvalidValue) as error:
            return Problem(line, headings[target], error.reason)
        except InvalidLanguage as error:
            return Problem(line, headings[target], error.message)
        return row if tags is None else row._replace(tags=tags)

    return read


def _readers(places: Mapping[str, int], wanted: Callable[[str], bool]) -> list[tuple[str, int, Callable[[str], Any]]]:
    return [(target, place, _cell_reader(target)) for target, place in places.items() if wanted(target)]


def _cell_reader(target: str) -> Callable[[str], Any]:
    """Return what reads a cell of a column; None means that the cell is empty.

    Most columns repeat few values: remembering them is several times as fast as checking them again.
    """

    def read(cell: str) -> str | Attribute | tuple[str, ...] | None:
        text = cell.strip()
        if not text:
            return None
        if target == TAGS:
            return tuple(dict.fromkeys(clean_name("tag", tag) for tag in text.split(";") if tag.strip()))
        if target in FIELDS:
            return clean(target, text)
        return typed(clean_text(target, text, longest=MAX_CELL))

    return lru_cache(maxsize=_REMEMBERED)(read)
