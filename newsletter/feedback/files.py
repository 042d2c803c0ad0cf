"""
Messages in files: single ones, Maildirs, mboxes.

Takes a path, yields messages as octets, one after another in flat memory. A Maildir is read as it lies, new and cur; in
any other folder every `*.eml` is a message; a file that begins with `From ` is an mbox (RFC 4155), in which lines of a
message that would look like its beginning have a `>` before them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from newsletter.feedback.opened import MOST_OCTETS

_BEGINNING: Final = b"From "
_QUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)


def messages_in(path: Path) -> Iterator[bytes]:
    """The messages of a file or a folder; raises OSError. Of one that is too big no more is read than shows it."""
    if path.is_dir():
        for file in _files(path):
            with file.open("rb") as stream:
                yield stream.read(MOST_OCTETS + 1)
        return
    with path.open("rb") as stream:
        yield from messages_of(stream)


def messages_of(stream: BinaryIO) -> Iterator[bytes]:
    """The messages of a stream: those of an mbox, or the one that it is."""
    first = stream.readline(MOST_OCTETS)
    if first.startswith(_BEGINNING):
        yield from _mbox(stream)
    else:
        yield first + stream.read(MOST_OCTETS + 1 - len(first))


def _files(folder: Path) -> list[Path]:
    boxes = [folder / name for name in ("new", "cur") if (folder / name).is_dir()]
    if boxes:
        return [file for box in boxes for file in sorted(box.iterdir()) if file.is_file()]
    return sorted(file for file in folder.glob("*.eml") if file.is_file())


def _mbox(stream: BinaryIO) -> Iterator[bytes]:
    """What follows each line that begins with `From ` after an empty one."""
    lines, size, after_empty = list[bytes](), 0, False
    while line := stream.readline(MOST_OCTETS):
        if after_empty and line.startswith(_BEGINNING):
            yield _unquoted(lines)
            lines, size, after_empty = [], 0, False
            continue
        if size <= MOST_OCTETS:
            lines.append(line)
            size += len(line)
        after_empty = line in {b"\n", b"\r\n"}
    yield _unquoted(lines)


def _unquoted(lines: list[bytes]) -> bytes:
    return _QUOTED.sub(rb"\1", b"".join(lines))
