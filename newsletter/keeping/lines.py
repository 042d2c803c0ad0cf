r"""
Rows as lines, the same whichever database they come from.

A line is what PostgreSQL's COPY reads and writes in its text format: values in the order of the columns with tabs
between them, `\N` for NULL, a backslash before what would be mistaken
(https://www.postgresql.org/docs/current/sql-copy.html, File Formats). Instants are UTC to the microsecond without a
zone, truth is `t` or `f`, octets are `\x` and hexadecimal digits. Pure.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from newsletter.keeping.shape import Kind, Table

NULL: Final = r"\N"

_ESCAPES: Final = {"\\": r"\\", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_PLAIN: Final = {escaped: plain for plain, escaped in _ESCAPES.items()}
_TO_ESCAPE: Final = re.compile(r"[\\\b\f\n\r\t\v]")
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_INSTANT: Final = len("2026-12-01 08:00:00.000000")

_LARGE: Final = 1e15
"""From here on a number without a fraction may be written with an exponent by one database and not by the other."""

PORTION: Final = 2_000
"""Lines that are handled at a time."""

PORTION_OCTETS: Final = 4_000_000
"""What they come to at most, where a single one does not: pictures are rows too."""

Values = Sequence[Any]


def portions_of(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Some lines at a time, so that memory is bounded however many and however long they are."""
    portion: list[bytes] = []
    octets = 0
    for line in lines:
        portion.append(line)
        octets += len(line)
        if len(portion) == PORTION or octets >= PORTION_OCTETS:
            yield portion
            portion, octets = [], 0
    if portion:
        yield portion


def escaped(value: str) -> str:
    """The text as a line has it."""
    return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], value) if _TO_ESCAPE.search(value) else value


def unescaped(field: str) -> str:
    """The text that a field of a line stands for."""
    return _ESCAPED.sub(lambda found: _PLAIN.get(found[0], found[0][1:]), field) if "\\" in field else field


def _instant(value: Any) -> str:
    if isinstance(value, str) and len(value) == _INSTANT:
        return value
    read = dt.datetime.fromisoformat(str(value))
    plain = read.astimezone(dt.UTC).replace(tzinfo=None) if read.tzinfo else read
    return plain.isoformat(" ", "microseconds")


def _real(value: Any) -> str:
    return repr(float(value)).removesuffix(".0")


_WRITTEN: Final[dict[Kind, Callable[[Any], str]]] = {
    Kind.INTEGER: str,
    Kind.REAL: _real,
    Kind.BOOLEAN: lambda value: "t" if value else "f",
    Kind.TEXT: lambda value: escaped(str(value)),
    Kind.INSTANT: _instant,
    Kind.DATE: lambda value: str(value)[:10],
    Kind.JSON: lambda value: escaped(str(value)),
    Kind.OCTETS: lambda value: r"\\x" + bytes(value).hex(),
}
"""How a line has what SQLite stores."""


def writer_of(table: Table) -> Callable[[Values], bytes]:
    """Make what writes a row of SQLite as a line."""
    written = [_WRITTEN[column.kind] for column in table.columns]

    def line(row: Values) -> bytes:
        fields = [NULL if value is None else write(value) for write, value in zip(written, row, strict=True)]
        return ("\t".join(fields) + "\n").encode("utf-8", "surrogatepass")

    return line


_READ: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.INTEGER: int,
    Kind.REAL: float,
    Kind.BOOLEAN: lambda field: int(field == "t"),
    Kind.TEXT: unescaped,
    Kind.INSTANT: str,
    Kind.DATE: str,
    Kind.JSON: unescaped,
    Kind.OCTETS: lambda field: bytes.fromhex(field.removeprefix(r"\\x")),
}


def reader_of(table: Table) -> Callable[[bytes], Values]:
    """Make what reads a line as SQLite stores it. Raises ValueError for what is no line of this table."""
    read = [_READ[column.kind] for column in table.columns]

    def row(line: bytes) -> Values:
        fields = fields_of(line)
        return [None if field == NULL else each(field) for each, field in zip(read, fields, strict=True)]

    return row


def fields_of(line: bytes) -> list[str]:
    """The fields of a line, still escaped."""
    return line.decode("utf-8", "surrogatepass").removesuffix("\n").split("\t")


def plain_of(table: Table) -> Callable[[bytes], bytes]:
    """
    Make what writes a line as it is weighed: structured values in one way.

    The keys of objects in order, no needless spaces, and a number as one database or the other would have it.
    """
    if not table.has_json:
        return lambda line: line
    json_at = [number for number, column in enumerate(table.columns) if column.kind is Kind.JSON]

    def plain(line: bytes) -> bytes:
        fields = fields_of(line)
        for number in json_at:
            if fields[number] != NULL:
                fields[number] = escaped(_ordered(json.loads(unescaped(fields[number]))))
        return ("\t".join(fields) + "\n").encode("utf-8", "surrogatepass")

    return plain


def _ordered(value: Any) -> str:
    return json.dumps(_whole(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _whole(value: Any) -> Any:
    """Large numbers without a fraction as whole ones, wherever they stand."""
    if isinstance(value, float) and value.is_integer() and abs(value) >= _LARGE:
        return int(Decimal(repr(value)))
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


def fit_for_postgres(table: Table) -> Callable[[bytes], tuple[bytes, int]]:
    """
    Make what takes out of a line the characters that PostgreSQL holds nowhere, and counts them.

    Those are NUL, and halves of characters beyond the first 65,536 (lone surrogates) in structured values.
    """
    json_at = {number for number, column in enumerate(table.columns) if column.kind is Kind.JSON}

    def fit(line: bytes) -> tuple[bytes, int]:
        if b"\0" not in line and not (json_at and _SUSPECT.search(line)):
            return line, 0
        removed, fields = 0, fields_of(line)
        for number, field in enumerate(fields):
            if number in json_at and field != NULL:
                value, lost = _fit(json.loads(unescaped(field)))
                fields[number] = escaped(json.dumps(value, ensure_ascii=False)) if lost else field
            else:
                fields[number], lost = _without(field)
            removed += lost
        return ("\t".join(fields) + "\n").encode(), removed

    return fit


_SUSPECT: Final = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
"""How JSON writes the characters that PostgreSQL refuses, and halves of pairs that it takes."""

_REFUSED: Final = re.compile("[\0\ud800-\udfff]")


def _without(value: str) -> tuple[str, int]:
    return _REFUSED.subn("", value)


def _fit(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        return _without(value)
    if isinstance(value, list):
        return _together([_fit(each) for each in value])
    if isinstance(value, dict):
        values, lost = _together([_fit(each) for each in value.values()])
        keys, more = _together([_without(key) for key in value])
        return dict(zip(keys, values, strict=True)), lost + more
    return value, 0


def _together(fitted: Iterable[tuple[Any, int]]) -> tuple[list[Any], int]:
    pairs = list(fitted)
    return [value for value, _ in pairs], sum(lost for _, lost in pairs)
