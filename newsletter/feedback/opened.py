"""
Opening a message that came from outside, within limits.

Takes octets, yields `Opened`: its headers and its leaves, decoded; or why it is not opened. Promises to come back in a
time that the size bounds, whatever is in it: no recursion, every octet looked at once a level, nothing decoded beyond
what is kept. Header fields are read by the standard library, bodies are taken apart here: `email` reads the body of
every `message/*` as another message, which a report that is encoded does not survive. Pure.
"""

import binascii
import codecs
import email.errors
import email.header
import quopri
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from enum import StrEnum
from typing import Final

MOST_OCTETS: Final = 1_048_576
"""Of a message: what we send is a tenth of it, and what comes back holds that and some words."""

DEEPEST: Final = 10
"""Levels of parts within parts."""

MOST_PARTS: Final = 100
"""Parts of a message, on all levels."""

LONGEST_HEAD: Final = 65_536
"""Octets of header fields that are read of one part."""

LONGEST_TEXT: Final = 65_536
"""Characters that are kept of one part."""

LONGEST_VALUE: Final = 2_000
"""Characters that are kept of one header field."""

_CHARSETS: Final = re.compile(
    r"ascii|utf-8|utf-16(-[lb]e)?|utf-7|iso8859-\d+|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|shift_jis|cp932"
    r"|euc_(jp|kr)|iso2022_jp|mac-roman"
)
"""Codecs that are safe on hostile octets; `punycode`, for one, takes time that grows with their square."""

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_REPORTS: Final = frozenset({"message/delivery-status", "message/global-delivery-status", "message/feedback-report"})
"""`message/*` types whose content is fields in blocks, not a message."""

_ENCLOSED: Final = frozenset({"message/rfc822", "message/global"})
"""A whole message within a message."""

_HEADERS: Final = frozenset({"text/rfc822-headers", "message/global-headers"})
"""Only the header fields of a message."""


class Closed(StrEnum):
    """Why a message is not opened."""

    #: More than `MOST_OCTETS`.
    TOO_BIG = "too big"
    #: More than `MOST_PARTS`.
    TOO_MANY_PARTS = "too many parts"
    #: More than `DEEPEST` levels.
    TOO_DEEP = "too deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Header fields by small name, each with all its values in order, unfolded and decoded."""

    values: dict[str, tuple[str, ...]]

    def all(self, *names: str) -> Iterator[str]:
        """The values of some fields."""
        for name in names:
            yield from self.values.get(name, ())

    def first(self, name: str) -> str:
        """The first value of a field, empty where there is none."""
        return next(self.all(name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A part that holds no other: its type in small letters, its decoded text, whether it stands in a returned mail."""

    kind: str
    text: str
    is_returned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    A message.

    `kind` is its type, `report` the type of report where it says so; `returned` are the header fields of messages that
    it encloses, in order.
    """

    kind: str
    report: str
    fields: Fields
    leaves: tuple[Leaf, ...]
    returned: tuple[Fields, ...]

    def texts(self, *kinds: str) -> Iterator[str]:
        """The texts of parts of some types, leaving out those within returned messages."""
        return (leaf.text for leaf in self.leaves if leaf.kind in kinds and not leaf.is_returned)


class _Level:
    """A part that is still to be taken apart."""

    __slots__ = ("body", "depth", "head", "is_returned")

    def __init__(self, octets: bytes, depth: int, *, is_returned: bool, default: str = "text/plain") -> None:
        end = _HEAD_END.search(octets)
        raw = octets[: end.start() if end else len(octets)]
        self.head = _head(raw)
        if "content-type" not in self.head:
            self.head["Content-Type"] = default
        self.body = octets[end.end() :] if end else b""
        self.depth = depth
        self.is_returned = is_returned


def open_message(octets: bytes) -> Opened | Closed:
    """Open a message; the limits are those above."""
    if len(octets) > MOST_OCTETS:
        return Closed.TOO_BIG
    top = _Level(octets, 0, is_returned=False)
    waiting, leaves, returned, count = deque([top]), list[Leaf](), list[Fields](), 0
    while waiting:
        level = waiting.popleft()
        count += 1
        if count + len(waiting) > MOST_PARTS:
            return Closed.TOO_MANY_PARTS
        if level.depth > DEEPEST:
            return Closed.TOO_DEEP
        kind = level.head.get_content_type()
        boundary = _boundary(level.head) if kind.startswith("multipart/") else b""
        if boundary:
            inside = _divided(level, boundary, kind)
            if len(inside) > MOST_PARTS:
                return Closed.TOO_MANY_PARTS
            waiting.extendleft(reversed(inside))
        elif kind in _ENCLOSED:
            enclosed = _Level(_decoded(level), level.depth + 1, is_returned=True)
            returned.append(_fields(enclosed.head))
            waiting.appendleft(enclosed)
        elif kind in _HEADERS:
            returned.append(_fields(_head(_decoded(level))))
        elif kind.startswith("text/") or kind in _REPORTS:
            leaves.append(Leaf(kind=kind, text=_text(level), is_returned=level.is_returned))
    return Opened(
        kind=top.head.get_content_type(),
        report=_parameter(lambda: top.head.get_param("report-type")).lower(),
        fields=_fields(top.head),
        leaves=tuple(leaves),
        returned=tuple(returned),
    )


def fields_in(text: str) -> Fields:
    """Read header fields that stand in a text, as old servers quote them."""
    return _fields(_head(text[:LONGEST_HEAD].encode("utf-8", "surrogateescape")))


def blocks_in(text: str) -> list[Fields]:
    """Read blocks of fields parted by empty lines, as RFC 3464 §2.1 and RFC 5965 §3 have them."""
    blocks = (block.strip("\n") for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")))
    return [fields_in(block) for block in list(filter(None, blocks))[:MOST_PARTS]]


def _head(raw: bytes) -> "Message[str, str]":
    return BytesHeaderParser().parsebytes(raw[:LONGEST_HEAD])


def _parameter(ask: Callable[[], object]) -> str:
    """A parameter of Content-Type; the library raises for some that are numbered out of reason (RFC 2231)."""
    try:
        return str(ask() or "")
    except (LookupError, UnicodeError, ValueError):
        return ""


def _boundary(head: "Message[str, str]") -> bytes:
    return _parameter(head.get_boundary).encode("utf-8", "surrogateescape")


def _divided(level: _Level, boundary: bytes, kind: str) -> list[_Level]:
    """The parts between the boundary's lines; a message that was cut short has no closing one."""
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*\r?$\n?", re.MULTILINE)
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    parts, start = list[_Level](), None
    for found in line.finditer(level.body):
        if start is not None:
            inside = level.body[start : found.start()]
            parts.append(_Level(inside, level.depth + 1, is_returned=level.is_returned, default=default))
        start = None if found[1] else found.end()
        if start is None or len(parts) > MOST_PARTS:
            break
    if start is not None:
        parts.append(_Level(level.body[start:], level.depth + 1, is_returned=level.is_returned, default=default))
    return parts


def _decoded(level: _Level) -> bytes:
    encoding = str(level.head.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", level.body)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    return quopri.decodestring(level.body) if encoding == "quoted-printable" else level.body


def _text(level: _Level) -> str:
    # Four octets a character at most, and what is not kept is not decoded.
    octets = _decoded(level)[: 4 * LONGEST_TEXT]
    charset = _parameter(level.head.get_content_charset) or "utf-8"
    return _in_letters(octets, charset).replace("\r\n", "\n")[:LONGEST_TEXT]


def _in_letters(octets: bytes, charset: str) -> str:
    try:
        codec = codecs.lookup(charset).name
    except (LookupError, ValueError):
        codec = "utf-8"
    if _CHARSETS.fullmatch(codec) is None:
        codec = "utf-8"
    try:
        text = octets.decode(codec)
    except UnicodeError:
        text = octets.decode("latin-1") if codec in {"ascii", "utf-8"} else octets.decode(codec, "replace")
    # UTF-7 can write half a character, which nothing else can.
    return text.encode("utf-8", "replace").decode("utf-8")


def _fields(head: "Message[str, str]") -> Fields:
    values: dict[str, list[str]] = {}
    for name, value in head.raw_items():
        values.setdefault(name.strip().lower(), []).append(_value(str(value)))
    return Fields(values={name: tuple(found) for name, found in values.items()})


def _value(raw: str) -> str:
    """One header field in letters, on one line."""
    line = " ".join(raw[:LONGEST_VALUE].split())
    if not line.isascii():
        line = _in_letters(line.encode("utf-8", "surrogateescape"), "utf-8")
    if "=?" not in line:
        return line
    try:
        pieces = email.header.decode_header(line)
    except (email.errors.HeaderParseError, ValueError):
        return line
    return "".join(
        _in_letters(piece, charset or "ascii") if isinstance(piece, bytes) else piece for piece, charset in pieces
    )
