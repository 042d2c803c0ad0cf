"""
Reads the rows of a file and checks each of them.

Takes a file and its columns; yields a `Row` that can be stored, or a `Problem` that says why it cannot; promises that
a row with anything wrong in it is not half taken.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from subscribers.address import Address, parse_address
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue
from subscribers.importing.flattening import flattened
from subscribers.importing.headings import Column, plan_columns
from subscribers.importing.origins import (
    ADDRESS,
    ATTRIBUTES,
    NAME,
    STANDING,
    TAGS,
    UNKNOWN,
    Elsewhere,
    Origin,
    gravest,
    origin_of,
    said,
)
from subscribers.importing.reasons import BY_TARGET, Problem, Reason
from subscribers.importing.table import MAX_CELL, Table, open_table
from subscribers.language import country_named
from subscribers.models import Attribute
from subscribers.store import FIELDS, clean, clean_name, clean_text, identifier, typed, unguarded


class Row(NamedTuple):
    """One person as a file describes them; what the file leaves empty is missing here.

    Attributes:
        line: of the file, from 1.
        address: as it can be stored.
        values: text by field.
        attributes: everything else.
        tags: without repeats.
        elsewhere: how they stand where the file comes from.
        proof: what the file says about when they asked, for the consent log.
    """

    line: int
    address: Address
    values: dict[str, str]
    attributes: dict[str, Attribute]
    tags: tuple[str, ...]
    elsewhere: Elsewhere = Elsewhere.MEMBER
    proof: str = ""


_REMEMBERED = 4096
"""Values of a column that are remembered."""

ReadRow = Callable[[int, Sequence[str]], Row | Problem]
"""Checks the fields that stand on a line."""

Readers = list[tuple[str, int, Callable[[str], Any]]]
"""Target, place and reader of each column of a kind."""


def read_rows(path: Path, mapping: Mapping[str, str] | None = None) -> Iterator[Row | Problem]:
    """Yield what each row of a CSV file says, in order.

    Args:
        path: the file.
        mapping: as for `plan_columns`.

    Raises:
        ImportRefused, UnknownField, InvalidValue: the file or the mapping cannot be used.
    """
    table = open_table(path)
    origin = origin_of(table.headings, file=table.name)
    read = row_reader(table, plan_columns(table, mapping, origin), origin)
    for line, cells in table.rows():
        yield read(line, cells)


def row_reader(table: Table, columns: Sequence[Column], origin: Origin = UNKNOWN) -> ReadRow:
    """Return what turns the fields of a line into a row or a problem."""
    width = len(table.headings)
    headings = {column.target: column.heading for column in columns}
    places = {column.target: column.index for column in columns}
    address_place = places[ADDRESS]
    fields, attributes = _field_readers(places, origin), _attribute_readers(places)
    compounds = _compound_readers(places, origin)
    add_origin = _origin_reader(table, places, origin)

    def read(line: int, cells: Sequence[str]) -> Row | Problem:
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            words = f"the row has {len(cells)} fields, the headings are {width}"
            return Problem(line, "", words, Reason.WIDTH)
        target = ADDRESS
        values: dict[str, str] = {}
        known: dict[str, Attribute] = {}
        tags: tuple[str, ...] = ()
        try:
            cell = cells[address_place]
            address = parse_address(unguarded(cell) if cell.startswith("'") else cell)
            for target, place, read_cell in fields:
                if (value := read_cell(cells[place])) is not None:
                    values[target] = value
            for target, place, read_cell in attributes:
                if (value := read_cell(cells[place])) is not None:
                    known[target] = value
            for target, place, read_cell in compounds:  # noqa: B007 - what goes wrong is told of it
                more, others, labels = read_cell(cells[place])
                tags = labels or tags
                values, known = (more | values, others | known) if more or others else (values, known)
        except (InvalidAddress, InvalidValue) as error:
            return Problem(line, headings[target], error.reason, BY_TARGET.get(target, Reason.TEXT))
        except InvalidLanguage as error:
            return Problem(line, headings[target], error.message, Reason.LANGUAGE)
        row = Row(line, address, values, known, tags)
        return row if add_origin is None else add_origin(row, cells)

    return read


def _field_readers(places: Mapping[str, int], origin: Origin) -> Readers:
    lenient = ("country", "language", "timezone") if origin.lenient else ()
    return [
        (target, place, _remembering(_reader_of_field(target)))
        for target, place in places.items()
        if target in FIELDS and target not in lenient
    ]


def _attribute_readers(places: Mapping[str, int]) -> Readers:
    special = {ADDRESS, TAGS, NAME, ATTRIBUTES, STANDING, *FIELDS}
    return [
        (target, place, _remembering(_reader_of_attribute(target)))
        for target, place in places.items()
        if target not in special
    ]


_Compound = tuple[dict[str, str], dict[str, Attribute], tuple[str, ...]]
"""Fields, attributes and tags that one cell brings."""


def _compound_readers(places: Mapping[str, int], origin: Origin) -> Readers:
    """Return the readers of cells that bring more than a value of their own column."""
    readers: dict[str, Callable[[str], _Compound]] = {
        TAGS: lambda text: ({}, {}, _tags(text, commas=origin.comma_tags)),
        NAME: lambda text: (_names(text), {}, ()),
        ATTRIBUTES: lambda text: (*flattened(text), ()),
    }
    if origin.lenient:
        readers |= {name: _lenient(name) for name in ("country", "language", "timezone")}
    return [
        (target, places[target], _remembering(read, empty=({}, {}, ())))
        for target, read in readers.items()
        if target in places
    ]


def _remembering(read: Callable[[str], Any], *, empty: Any = None) -> Callable[[str], Any]:
    """Return what reads a cell of a column, and gives `empty` for one without text.

    Most columns repeat few values: remembering them is several times as fast as checking them again.
    """

    def read_cell(cell: str) -> Any:
        text = (unguarded(cell) if cell.startswith("'") else cell).strip()
        return read(text) if text else empty

    return lru_cache(maxsize=_REMEMBERED)(read_cell)


def _reader_of_field(target: str) -> Callable[[str], str | None]:
    return lambda text: clean(target, text)


def _reader_of_attribute(target: str) -> Callable[[str], Attribute]:
    return lambda text: typed(clean_text(target, text, longest=MAX_CELL))


def _lenient(target: str) -> Callable[[str], _Compound]:
    """Return what reads a cell that another program has made; what cannot be read becomes an attribute."""

    def read(text: str) -> _Compound:
        try:
            value = clean(target, text.replace("_", "-") if target == "language" else text)
        except (InvalidValue, InvalidLanguage):
            if target == "country" and (code := country_named(text)):
                return {target: code}, {}, ()
            return {}, {f"{target}_": typed(clean_text(target, text, longest=MAX_CELL))}, ()
        return {target: value or ""}, {}, ()

    return read


def _names(text: str) -> dict[str, str]:
    """Divide a full name at its first space; a single word is the first name."""
    first, _, last = clean_text("first_name", text).partition(" ")
    return {name: part for name, part in (("first_name", first), ("last_name", last)) if part}


def _tags(text: str, *, commas: bool) -> tuple[str, ...]:
    parts = next(csv.reader([" ".join(text.split())], skipinitialspace=True)) if commas else text.split(";")
    return tuple(dict.fromkeys(clean_name("tag", part) for part in parts if part.strip()))


def _origin_reader(
    table: Table, places: Mapping[str, int], origin: Origin
) -> Callable[[Row, Sequence[str]], Row] | None:
    """Return what adds how somebody stands elsewhere and since when; None where a file says nothing about that."""
    named = {identifier(heading): index for index, heading in enumerate(table.headings)}
    standings = [
        (named[name], lru_cache(_REMEMBERED)(read)) for name, read in origin.standings.items() if name in named
    ]
    if STANDING in places:
        standings.append((places[STANDING], lru_cache(_REMEMBERED)(said)))
    dates = [(named[name], word) for name, word in origin.dates.items() if name in named]
    if not standings and not dates and origin.everybody is None:
        return None

    def add(row: Row, cells: Sequence[str]) -> Row:
        found = [read(cells[place]) for place, read in standings]
        worst = gravest((*found, origin.everybody or Elsewhere.MEMBER))
        said_when = [f"{word} {text[:40]}" for place, word in dates if (text := " ".join(cells[place].split()))]
        proof = f"{origin.name}: {', '.join(said_when)}" if said_when else ""
        return row._replace(elsewhere=worst, proof=proof)

    return add
