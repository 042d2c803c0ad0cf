"""
Finds out how the text of a file is encoded.

Takes a path; yields the encoding, and whether that is known or only the likeliest; promises to look at the whole
file, and to refuse one that is written in two encodings rather than to store half of it as mojibake.
"""

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from subscribers.errors import ImportRefused

_BLOCK = 1 << 20
_SAMPLE = 4096

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""A letter of several octets in UTF-8 (RFC 3629 §4). As Western European text it reads `Ã©`: hardly ever meant."""

_C1 = re.compile(rb"[\x80-\x9f]")
"""Where Windows-1252 has quotation marks and dashes, and ISO 8859-1 has nothing that anybody writes."""

_OUTSIDE_ASCII = re.compile(rb"[\x80-\xff]")


class Encoding(NamedTuple):
    """How text is encoded.

    Attributes:
        name: Python's name of it.
        assumed: the octets would also mean something in other encodings; people should look at the letters.
    """

    name: str
    assumed: bool = False


def encoding_of(path: Path, *, name: str) -> Encoding:
    """Return how a file is encoded: UTF-8, UTF-16 in either order, ISO 8859-1 or Windows-1252.

    Without byte order mark, UTF-16 shows in the zero octets of its Latin letters. What is not UTF-8 is Western
    European, which no octet proves: Windows-1252 where it has the signs that ISO 8859-1 lacks, else the latter, and
    the text reads the same in both.

    Args:
        path: where the file lies.
        name: what it is called in an error.

    Raises:
        ImportRefused: most of the letters are UTF-8 and some are not.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return Encoding(encoding)
    if wide := _wide(sample):
        return Encoding(wide)
    if _is_utf_8(path):
        return Encoding("utf-8")
    return _western(path, name=name)


def _wide(sample: bytes) -> str | None:
    """Return which UTF-16 this is: every second octet of most letters is zero, in one place or the other."""
    pairs = len(sample) // 2
    first, second = sample[::2].count(0), sample[1::2].count(0)
    if 2 * max(first, second) < pairs or not pairs:
        return None  # a zero octet here and there is debris, and a matter of its row
    return "utf-16-be" if first > second else "utf-16-le"


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _western(path: Path, *, name: str) -> Encoding:
    sequences = singles = 0
    windows = False
    first_single: int | None = None
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_BLOCK), b""), 1):
            rest = _SEQUENCE.sub(b"", line)
            alone = len(_OUTSIDE_ASCII.findall(rest))
            sequences += len(_SEQUENCE.findall(line))
            singles += alone
            windows = windows or _C1.search(line) is not None
            if alone and first_single is None:
                first_single = number
    if sequences > singles:
        raise ImportRefused(
            "most letters of this file are UTF-8, but not those on this line; save the file as UTF-8",
            file=name,
            line=first_single,
        )
    return Encoding("cp1252" if windows else "iso-8859-1", assumed=True)
