"""
Where uploaded files of people lie until they are imported, and what was refused of them.

Takes the parts and the key of an upload; yields paths in a folder beside the database that only its owner may read.
Promises that what nobody works on goes with the first sweep a day later, and that what holds addresses of refused rows
goes when somebody is erased.
"""

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from newsletter.pipeline.parts import Parts

FOLDER: Final = "uploads"

KEPT: Final = dt.timedelta(days=1)
"""How long a file lies there that nobody works on: an officer who went home comes back the next morning."""

_REFUSED: Final = ".refused.csv"


def folder_of(parts: Parts) -> Path:
    """The folder of uploads: beside a SQLite file, else in `./var`; made with the first of them."""
    url = parts.engine.url
    root = Path(url.database).parent if url.get_backend_name() == "sqlite" and url.database else Path("var")
    return root / FOLDER


def file_of(parts: Parts, key: str) -> Path:
    """Where an upload lies."""
    return folder_of(parts) / key


def refused_of(parts: Parts, key: str) -> Path:
    """Where the rows of an upload lie that were not taken, or not as they stand."""
    return folder_of(parts) / f"{key}{_REFUSED}"


def put(parts: Parts, key: str, content: bytes) -> None:
    """Store an upload."""
    folder_of(parts).mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file_of(parts, key), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@contextlib.contextmanager
def writing_refused(parts: Parts, key: str) -> Iterator[TextIO]:
    """A file for the rows of an upload that were not taken."""
    path = refused_of(parts, key)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file


def drop(parts: Parts, key: str) -> None:
    """Remove an upload and what was refused of it."""
    file_of(parts, key).unlink(missing_ok=True)
    refused_of(parts, key).unlink(missing_ok=True)


def drop_refused(parts: Parts) -> None:
    """Remove every file of refused rows: one may name somebody who has just been erased."""
    for path in folder_of(parts).glob(f"*{_REFUSED}"):
        path.unlink(missing_ok=True)


def sweep(parts: Parts) -> None:
    """Remove what nobody has touched for a day."""
    oldest = (parts.now() - KEPT).timestamp()
    for path in folder_of(parts).glob("*"):
        with contextlib.suppress(OSError):  # somebody else was quicker
            if path.stat().st_mtime < oldest:
                path.unlink()
