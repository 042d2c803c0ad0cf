"""
Transfer encodings that a value can be spliced into.

Takes a body cut at its slots, yields a `Body` that gives the encoded bytes for one reader's values in microseconds: its
constant pieces are encoded once. Lines have at most 76 octets and none begins with a dot, so that SMTP never has to
double one (RFC 2045 §6.7, §6.8; RFC 5321 §4.5.2). Pure.

Quoted-printable: a value stands on lines of its own between soft line breaks, which the decoder takes out again.

Base64: three octets become four characters, so what follows a value depends on how many octets stand before it. Each
constant piece is kept in three variants, one for each number of octets left over (0, 1, 2).
"""

import re
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

Piece = str | int
"""A constant text, or the number of a value."""

_ROOM: Final = 75
"""Characters in a line of quoted-printable: 76 with the sign of a soft line break."""

_OCTETS_IN_LINE: Final = 57
"""Octets that become one line of 76 base64 characters."""

_SOFT: Final = b"=\r\n"
_PLAIN: Final = frozenset(range(33, 127)) - {ord("=")}
_TABLE: Final = [bytes((byte,)) if byte in _PLAIN or byte in b" \t" else f"={byte:02X}".encode() for byte in range(256)]
_FROM: Final = b"From "
"""Mailbox files begin messages with it; encoded, nothing has to escape it on the way."""

_SAFE_VALUE: Final = re.compile(r"[!-<>-~][ !-<>-~]*(?<! )")


class Encoding(StrEnum):
    """How a body is written in seven bits."""

    #: Readable, for Latin script: RFC 2045 §6.7.
    QUOTED_PRINTABLE = "quoted-printable"
    #: Shorter for other scripts: RFC 2045 §6.8.
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class QuotedBody:
    """A body in quoted-printable: encoded constants, and numbers of values."""

    pieces: tuple[bytes | int, ...]

    @property
    def encoding(self) -> Encoding:
        """How the part says it is encoded."""
        return Encoding.QUOTED_PRINTABLE

    def write(self, values: Sequence[str]) -> list[bytes]:
        """The encoded body with the values in place."""
        return [piece if isinstance(piece, bytes) else _spliced(values[piece]) for piece in self.pieces]


@dataclass(frozen=True, slots=True)
class _Variants:
    """A constant for each number of octets left over: what completes their group, its lines, what is left over then."""

    leads: tuple[bytes, bytes, bytes]
    lines: tuple[bytes, bytes, bytes]
    tails: tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Base64Body:
    """A body in base64: constants in three variants, and numbers of values."""

    pieces: tuple[_Variants | int, ...]

    @property
    def encoding(self) -> Encoding:
        """How the part says it is encoded."""
        return Encoding.BASE64

    def write(self, values: Sequence[str]) -> list[bytes]:
        """The encoded body with the values in place."""
        out: list[bytes] = []
        carry = b""
        for piece in self.pieces:
            if isinstance(piece, int):
                carry += values[piece].encode()
                continue
            phase = len(carry) % 3
            carry += piece.leads[phase]
            if len(carry) % 3 == 0:
                out += (base64_lines(carry), piece.lines[phase])
                carry = piece.tails[phase]
        out.append(base64_lines(carry))
        return out


Body = QuotedBody | Base64Body


def encoded(encoding: Encoding, pieces: Sequence[Piece]) -> Body:
    """The body in this encoding; its constants have CRLF line ends."""
    return quoted(pieces) if encoding is Encoding.QUOTED_PRINTABLE else in_base64(pieces)


def shorter(pieces: Sequence[Piece]) -> Encoding:
    """The encoding in which the constants take fewer octets; quoted-printable where it is even."""
    constants = "".join(piece for piece in pieces if isinstance(piece, str))
    data = constants.encode()
    return Encoding.BASE64 if len(base64_lines(data)) < len(quote(data)) else Encoding.QUOTED_PRINTABLE


def quoted(pieces: Sequence[Piece]) -> QuotedBody:
    """The body in quoted-printable; a constant before a value ends with a soft line break."""
    out: list[bytes | int] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, int):
            out.append(piece)
        elif piece:
            code = quote(piece.encode())
            before_value = index + 1 < len(pieces)
            out.append(code + _SOFT if before_value and not code.endswith(b"\r\n") else code)
    return QuotedBody(tuple(out))


@lru_cache(maxsize=1024)
def _spliced(value: str) -> bytes:
    """As `quote`, but what needs no code, as addresses do not, is only cut; many values stand in both bodies."""
    if _SAFE_VALUE.fullmatch(value):
        lines = [value[start : start + _ROOM] for start in range(0, len(value), _ROOM)]
        if not value.startswith("From ") and not any(line[0] == "." for line in lines):
            return "=\r\n".join((*lines, "")).encode("ascii")
    return quote(value.encode()) + _SOFT if value else b""


def quote(data: bytes) -> bytes:
    """Quoted-printable of `data`, whose line ends are CRLF; begins at the start of a line."""
    return b"\r\n".join(_quoted_line(line) for line in data.split(b"\r\n"))


def _quoted_line(line: bytes) -> bytes:
    code = b"".join([_TABLE[byte] for byte in line])
    if code[-1:] in (b" ", b"\t"):
        code = code[:-1] + f"={code[-1]:02X}".encode()
    if code.startswith(_FROM):
        code = b"=46" + code[1:]
    lines: list[bytes] = []
    start = 0
    while True:
        dot = b"=2E" if code[start : start + 1] == b"." else b""
        start += bool(dot)
        end = start + _ROOM - len(dot)
        if end >= len(code):
            return _SOFT.join((*lines, dot + code[start:]))
        end = _whole(code, end)
        lines.append(dot + code[start:end])
        start = end


def _whole(code: bytes, end: int) -> int:
    """The last place at or before `end` that does not cut an encoded octet."""
    sign = code.rfind(b"=", end - 2, end)
    return end if sign < 0 else sign


def in_base64(pieces: Sequence[Piece]) -> Base64Body:
    """The body in base64."""
    return Base64Body(
        tuple(piece if isinstance(piece, int) else _variants(piece.encode()) for piece in pieces if piece != "")
    )


def _variants(data: bytes) -> _Variants:
    leads: list[bytes] = []
    lines: list[bytes] = []
    tails: list[bytes] = []
    for phase in range(3):
        lead = -phase % 3
        whole = lead + max(len(data) - lead, 0) // 3 * 3
        leads.append(data[:lead])
        lines.append(base64_lines(data[lead:whole]))
        tails.append(data[whole:])
    return _Variants(*map(_three, (leads, lines, tails)))


def _three(values: list[bytes]) -> tuple[bytes, bytes, bytes]:
    return values[0], values[1], values[2]


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of at most 76 characters, each with its CRLF; nothing gives nothing."""
    chunks = (data[start : start + _OCTETS_IN_LINE] for start in range(0, len(data), _OCTETS_IN_LINE))
    return b"".join([b2a_base64(chunk, newline=False) + b"\r\n" for chunk in chunks])
