"""
The file of a backup: a gzipped tar that can be written into a pipe, read from one, and looked into with any tool.

    backup.json            what it is: format, version of the program, when, the shape of the database, how many rows
    newsletter.keys.json   the keys of the installation, as they lie beside the database
    rows/TABLE/000001 …    the rows of a table, in the lines of `keeping.lines`
    end.json               tallies of every table, and where numbering goes on; without it the file is cut short

Takes sources and streams; yields `BackupFile`, a source of rows. Nothing in a backup is ever unpacked onto the disk.
"""

import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol, cast

from newsletter.errors import InvalidInput
from newsletter.keeping.pouring import Progress, Source
from newsletter.keeping.shape import Shape, Table
from newsletter.keeping.tally import Counting, Tally

FORMAT: Final = 1

_HEAD: Final = "backup.json"
_KEYS: Final = "newsletter.keys.json"
_ROWS: Final = "rows"
_END: Final = "end.json"

_LEVEL: Final = 3
"""Of gzip: within a tenth of the best in a third of its time."""

_LONGEST: Final = 1 << 30
"""Octets of one member: what is longer was not written by this program."""

_PIECE: Final = 1 << 16

_BROKEN: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError)


class Sink(Protocol):
    """What a backup is written into."""

    def write(self, content: bytes, /) -> int:
        """Take some octets."""

    def flush(self) -> None:
        """Pass on what was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    What a backup says of itself: the version of the program, when its rows were read, and how many there are.

    `at` is as RFC 3339 has it.
    """

    program: str
    at: str
    shape: Shape
    rows: int

    def to_json(self) -> dict[str, Any]:
        """The head as plain data."""
        return {
            "format": FORMAT,
            "program": self.program,
            "at": self.at,
            "rows": self.rows,
            "shape": self.shape.to_json(),
        }


def write_backup(stream: Sink, source: Source, *, head: Head, keys: bytes, progress: Progress) -> dict[str, Tally]:
    """Write every row of a source, and the keys, into a stream; returns the tallies."""
    counted = {table.name: Counting(table) for table in source.shape.tables}
    numbers = dict.fromkeys(counted, 0)
    done = 0
    with (
        gzip.GzipFile(
            fileobj=cast("IO[bytes]", stream), mode="wb", compresslevel=_LEVEL, filename="", mtime=0
        ) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        _add(tar, _HEAD, _json(head.to_json()))
        _add(tar, _KEYS, keys)
        for table, lines in source.portions():
            counted[table.name].add(lines)
            numbers[table.name] += 1
            _add(tar, f"{_ROWS}/{table.name}/{numbers[table.name]:06}", b"".join(lines))
            done += len(lines)
            progress(done, source.total)
        tallies = {name: counting.tally for name, counting in counted.items()}
        weighed = {name: tally.to_json() for name, tally in tallies.items()}
        _add(tar, _END, _json({"tallies": weighed, "counters": dict(source.counters())}))
    return tallies


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, indent=1).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))


class BackupFile:
    """
    A backup that is read from a stream, from its beginning to its end; a `Source` whose rows can be taken once.

    Raises InvalidInput, here and while rows are taken, where it is none, is damaged or was cut short.
    """

    def __init__(self, stream: IO[bytes], *, name: str) -> None:
        self._name = name
        self._end: dict[str, Any] = {}
        try:
            self._packed = gzip.GzipFile(fileobj=stream, mode="rb")
            self._tar = tarfile.open(fileobj=self._packed, mode="r|")  # noqa: SIM115  read as long as the stream is
            data = json.loads(self._next(_HEAD))
            if data["format"] != FORMAT:
                raise InvalidInput(f"{name} was made by a newer version of this program: upgrade it first")
            self.keys = self._next(_KEYS)
            self.head = Head(
                program=str(data["program"]),
                at=str(data["at"]),
                shape=Shape.from_json(data["shape"]),
                rows=int(data["rows"]),
            )
        except _BROKEN as error:
            raise InvalidInput(f"{name} is no backup of this program, or its beginning is damaged") from error

    @property
    def shape(self) -> Shape:
        """The tables."""
        return self.head.shape

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self.head.rows

    def portions(self) -> Iterator[tuple[Table, list[bytes]]]:
        """Every row, table by table; in the end the tallies are compared."""
        tables = {table.name: table for table in self.shape.tables}
        counted = {name: Counting(table) for name, table in tables.items()}
        try:
            while (member := self._tar.next()) is not None:
                if member.name == _END:
                    self._end = json.loads(self._content(member))
                    break
                table = tables[member.name.removeprefix(f"{_ROWS}/").rpartition("/")[0]]
                lines = self._content(member).splitlines(keepends=True)
                counted[table.name].add(lines)
                yield table, lines
            while self._packed.read(_PIECE):  # to the end, which has the sum of it all
                pass
            expected = {name: (each["rows"], each["digest"]) for name, each in self._end["tallies"].items()}
        except _BROKEN as error:
            raise InvalidInput(f"{self._name} is damaged or was cut short: take another backup") from error
        for name, counting in counted.items():
            if (counting.tally.rows, counting.tally.digest) != expected.get(name):
                raise InvalidInput(f"{self._name} is damaged: the rows of {name} are not those that were kept")

    def counters(self) -> Mapping[str, int]:
        """The last number that each table gave a row of its own; known when every row was taken."""
        return {str(name): int(number) for name, number in self._end["counters"].items()}

    def _next(self, name: str) -> bytes:
        member = self._tar.next()
        if member is None or member.name != name:
            raise ValueError(name)
        return self._content(member)

    def _content(self, member: tarfile.TarInfo) -> bytes:
        content = self._tar.extractfile(member) if member.isreg() and member.size <= _LONGEST else None
        if content is None:
            raise ValueError(member.name)
        return content.read()
