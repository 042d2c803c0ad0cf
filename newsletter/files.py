"""
Files that nobody else may read, and that outlast a power cut once they are there.

Takes paths; yields files that are whole. Whoever puts one under its name in the end (`os.link`, `Path.replace`) syncs
the folder: only then the name outlasts it too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def private(path: Path) -> int:
    """Make a file that only its owner may read; returns its descriptor. Raises FileExistsError where there is one."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


@contextmanager
def safe(path: Path) -> Iterator[BinaryIO]:
    """Write such a file: its content is on the disk when the context ends."""
    with os.fdopen(private(path), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Wait until what a file holds, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
