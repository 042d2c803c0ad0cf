"""
Pouring: all rows of a source into an empty target, counted and weighed on both sides.

Takes a `Source` (a database, or a file that was made of one) and the `Rows` of a database whose tables have the same
shape; yields the tallies. Reads everything again that it has written, and says so where one row differs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from newsletter.errors import DatabaseFault
from newsletter.keeping.lines import fields_of
from newsletter.keeping.models import KnownKeyRow
from newsletter.keeping.shape import Shape, Table
from newsletter.keeping.tally import Counting, Tally

Progress = Callable[[int, int], None]
"""Is told how much is done, and how much there is in all; 0 where that is not known."""


class Rows(Protocol):
    """The rows of a database, read and written."""

    def count(self, table: Table) -> int:
        """How many rows a table has."""

    def read(self, table: Table) -> Iterator[list[bytes]]:
        """The lines of a table, some at a time."""

    def counters(self, tables: Iterable[Table]) -> dict[str, int]:
        """The last number that each table gave a row of its own."""

    def begin(self, tables: Iterable[Table]) -> None:
        """Begin to write into empty tables."""

    def fit(self, table: Table, lines: Iterable[bytes]) -> tuple[list[bytes], int]:
        """The lines as this database can hold them, and how many characters that costs."""

    def write(self, table: Table, lines: Iterable[bytes]) -> None:
        """Add rows."""

    def end(self, counters: Mapping[str, int]) -> None:
        """All rows are there."""


class Source(Protocol):
    """Where rows come from."""

    @property
    def shape(self) -> Shape:
        """The tables."""

    @property
    def total(self) -> int:
        """How many rows there are."""

    def portions(self) -> Iterator[tuple[Table, list[bytes]]]:
        """Every row, table by table."""

    def counters(self) -> Mapping[str, int]:
        """The last number that each table gave a row of its own; asked when every row was read."""


class DatabaseSource:
    """A database from which rows come."""

    def __init__(self, shape: Shape, rows: Rows) -> None:
        self.shape = shape
        self._rows = rows
        self.total = sum(rows.count(table) for table in shape.tables)

    def portions(self) -> Iterator[tuple[Table, list[bytes]]]:
        """Every row, table by table."""
        for table in self.shape.tables:
            for lines in self._rows.read(table):
                yield table, lines

    def counters(self) -> Mapping[str, int]:
        """The last number that each table gave a row of its own."""
        return self._rows.counters(self.shape.tables)

    def known_keys(self) -> dict[str, str]:
        """By name the fingerprints of the keys that it was used with; one of an earlier version knows none."""
        found = [table for table in self.shape.tables if table.name == KnownKeyRow.__tablename__]
        lines = [fields_of(line) for table in found for portion in self._rows.read(table) for line in portion]
        at = [column.name for table in found for column in table.columns]
        return {fields[at.index("name")]: fields[at.index("fingerprint")] for fields in lines}


@dataclass(frozen=True, slots=True, kw_only=True)
class Poured:
    """What was written: the tally of every table, and by table how many characters had to be left out."""

    tallies: Mapping[str, Tally]
    removed: Mapping[str, int]

    @property
    def rows(self) -> int:
        """How many rows in all."""
        return sum(tally.rows for tally in self.tallies.values())


def pour(source: Source, target: Rows, *, progress: Progress) -> Poured:
    """
    Write every row of `source` into `target`, and read them all again; the caller commits.

    Raises DatabaseFault where a row is refused, or is not read as it was written.
    """
    tables = source.shape.tables
    counted = {table.name: Counting(table) for table in tables}
    removed = dict.fromkeys(counted, 0)
    total = 2 * source.total
    done = 0
    target.begin(tables)
    for table, lines in source.portions():
        fitted, lost = target.fit(table, lines)
        target.write(table, fitted)
        counted[table.name].add(fitted)
        removed[table.name] += lost
        done += len(lines)
        progress(done, total)
    target.end(source.counters())
    tallies = {name: counting.tally for name, counting in counted.items()}
    for name, tally in _weighed(tables, target, lambda read: progress(done + read, total)):
        if tally != tallies[name]:
            written, read = tallies[name], tally
            differ = f"{written.rows:,} rows were written and {read.rows:,} read" if read.rows != written.rows else ""
            raise DatabaseFault(f"the table {name} is not what was written: {differ or 'a row differs'}")
    return Poured(tallies=tallies, removed={name: count for name, count in removed.items() if count})


def _weighed(tables: Iterable[Table], rows: Rows, done: Callable[[int], None]) -> Iterator[tuple[str, Tally]]:
    read = 0
    for table in tables:
        counting = Counting(table)
        for lines in rows.read(table):
            counting.add(lines)
            read += len(lines)
            done(read)
        yield table.name, counting.tally
