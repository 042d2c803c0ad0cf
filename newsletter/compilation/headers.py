"""
Our own header writer.

Takes names and values, yields header fields as bytes with CRLF. Promises lines of at most 78 octets unless something in
them cannot be broken, never more than 998 (RFC 5322 §2.1.1); words of other scripts in encoded-words of at most 75 on
lines of at most 76, never in the middle of a character (RFC 2047 §2, §5); nothing encoded in structural fields, where a
receiver could not read it (`email.policy.SMTP` encodes long unsubscribe addresses and breaks one-click with that); and
no control character, so that nobody can add a header. Pure.
"""

import re
from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from newsletter.errors import CompilationFailed

LINE: Final = 78
"""Octets a line should have (RFC 5322 §2.1.1)."""

LIMIT: Final = 998
"""Octets a line must not exceed (RFC 5322 §2.1.1)."""

ENCODED_LINE: Final = 76
"""Octets of a line that has an encoded-word (RFC 2047 §2)."""

_ENCODED_WORD: Final = 75
_Q: Final = "=?utf-8?q?"
_B: Final = "=?utf-8?b?"
_END: Final = "?="
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_Q_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
"""What may stand unencoded in a phrase, and so everywhere (RFC 2047 §5, rule 3)."""

_Q_SHORT: Final = frozenset({" ", *map(chr, _Q_PLAIN)})
_Q_TABLE: Final = [
    "_" if byte == ord(" ") else chr(byte) if byte in _Q_PLAIN else f"={byte:02X}" for byte in range(256)
]

_DELIMITERS: Final = re.compile("[ <>,;]")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


class HeaderRefused(CompilationFailed):
    """That cannot stand in a header."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"the header {name} {reason}")


def structured(name: str, value: str) -> bytes:
    """
    A field that programs read (List-*, Feedback-ID, Message-ID …): ASCII, folded only at its own blanks.

    Raises HeaderRefused for control or other characters, and for a line that cannot be kept under the limit.
    """
    _refuse_controls(name, value)
    if not value.isascii():
        raise HeaderRefused(name, "takes ASCII only")
    return _folded(name, value)


def continued(name: str, value: str) -> bytes:
    """A further line of the structured field `name`, whose value is one word."""
    _refuse_controls(name, value)
    if not value.isascii() or len(value) >= LIMIT:
        raise HeaderRefused(name, f"takes ASCII only, and less than {LIMIT} octets in a line")
    return f" {value}\r\n".encode("ascii")


def unstructured(name: str, text: str) -> bytes:
    """A field that people read (Subject): as it is where that is possible, else in encoded-words."""
    _refuse_controls(name, text)
    # Some take a field whose first line is empty for an empty one.
    if _is_plain(text) and len(name) + 2 + len(text.partition(" ")[0]) <= LINE:
        return _folded(name, text)
    return f"{name}: {_encoded(text, used=len(name) + 2)}\r\n".encode("ascii")


def mailbox(name: str, address: str, *, display: str = "") -> bytes:
    """
    A field with one address (From, To, Reply-To), its display name quoted or encoded as needed.

    `address` is ASCII: a domain in another script as A-labels. Raises HeaderRefused otherwise.
    """
    _refuse_controls(name, address)
    _refuse_controls(name, display)
    if not address.isascii() or _DELIMITERS.search(address):
        raise HeaderRefused(name, "needs one ASCII address")
    if not display:
        return _folded(name, address)
    phrase = _phrase(display, used=len(name) + 2)
    last = len(phrase) - phrase.rfind("\n") - 1 + (len(name) + 2) * ("\n" not in phrase)
    gap = " " if last + len(address) + 3 <= (ENCODED_LINE if _END in phrase else LINE) else "\r\n "
    return f"{name}: {phrase}{gap}<{address}>\r\n".encode("ascii")


def date(when: datetime) -> bytes:
    """The Date field, in UTC (RFC 5322 §3.3). Raises ValueError for a naive datetime."""
    return _date(when)


@lru_cache(maxsize=64)
def _date(when: datetime) -> bytes:
    if when.tzinfo is None:
        raise ValueError("the date of a message needs a time zone")
    utc = when.astimezone(UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[utc.weekday()]
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[utc.month - 1]
    return f"Date: {day}, {utc.day} {month} {utc.year:04} {utc:%H:%M:%S} +0000\r\n".encode("ascii")


def _refuse_controls(name: str, value: str) -> None:
    if not value.isprintable() and (found := _FORBIDDEN.search(value)):
        raise HeaderRefused(name, f"may not hold U+{ord(found[0]):04X}")


def _is_plain(text: str) -> bool:
    return (
        text.isascii()
        and "=?" not in text
        and "  " not in text
        and text == text.strip()
        and (len(text) < LINE - 1 or all(len(word) < LINE - 1 for word in text.split(" ")))
    )


def _folded(name: str, value: str) -> bytes:
    """Break before blanks so that lines stay short; the blank begins the next line, and unfolding gives it back."""
    if len(name) + 2 + len(value) <= LINE and not value.endswith(" "):
        return f"{name}: {value}\r\n".encode("ascii")
    if " " not in value and len(value) >= LINE and len(name) + 2 + len(value) <= LIMIT:
        return f"{name}: {value}\r\n".encode("ascii")
    lines = [f"{name}:"]
    for word in re.findall(r" *[^ ]+", f" {value}"):
        if len(lines[-1]) + len(word) <= LINE or (len(lines) == 1 and lines[0] == f"{name}:" and len(word) > LINE):
            lines[-1] += word
        else:
            lines.append(word)
    if any(len(line) > LIMIT for line in lines):
        raise HeaderRefused(name, f"has a line of more than {LIMIT} octets")
    return "\r\n".join((*lines, "")).encode("ascii")


def _phrase(display: str, *, used: int) -> str:
    if _is_plain(display) and len(display) + used <= LINE - 2:
        if _ATOMS.fullmatch(display):
            return display
        return '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _encoded(display, used=used)


def _encoded(text: str, *, used: int) -> str:
    """The text in encoded-words, base64 or Q, whichever is shorter; `used` octets of the first line are taken."""
    words, start, room = [], 0, min(_ENCODED_WORD, ENCODED_LINE - used)
    octets = [len(char.encode()) for char in text]
    sizes = [1 if char in _Q_SHORT else 3 * octet for char, octet in zip(text, octets, strict=True)]
    base64 = sum(octets) * 4 < sum(sizes) * 3
    while start < len(text):
        end = _fits(octets if base64 else sizes, start, room=room - len(_Q) - len(_END), base64=base64)
        chunk = text[start:end]
        words.append(f"{_B}{b64encode(chunk.encode()).decode()}{_END}" if base64 else f"{_Q}{_q(chunk)}{_END}")
        start, room = end, _ENCODED_WORD
    return "\r\n ".join(words)


def _fits(sizes: list[int], start: int, *, room: int, base64: bool) -> int:
    """The end of the longest run of whole characters that fits into `room`; always at least one."""
    room = room // 4 * 3 if base64 else room
    total, end = sizes[start], start + 1
    while end < len(sizes) and total + sizes[end] <= room:
        total += sizes[end]
        end += 1
    return end


def _q(text: str) -> str:
    return "".join([_Q_TABLE[byte] for byte in text.encode()])
