"""
Where uploaded files of people lie until they are imported, and what was refused of them.

Takes an upload; yields its octets as a file that an import can read. On SQLite they lie in a folder beside the database
that only its owner may read; on PostgreSQL, whose machines share no folder, in the database, and whoever works on them
has a copy for as long as that takes. Promises that what nobody works on goes with the first sweep a day later, and that
what holds addresses of refused rows goes when somebody is erased.
"""

import contextlib
import datetime as dt
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, TextIO

from sqlmodel import Session

from newsletter import files
from newsletter.database import reading
from newsletter.pipeline.parts import Parts
from subscribers import store
from subscribers.models import ImportRun

FOLDER: Final = "uploads"

KEPT: Final = dt.timedelta(days=1)
"""How long a file lies there that nobody works on: an officer who went home comes back the next morning."""

PIECE: Final = 1 << 20
"""Octets in a row of the database: neither side holds a whole file in memory."""

_REFUSED: Final = ".refused.csv"


class KeptFiles(Protocol):
    """Keeps the files of uploads."""

    def put(self, session: Session, upload: ImportRun, content: bytes) -> None:
        """Keep a file, in the transaction in which its upload is stored."""
        ...

    def opened(self, upload: ImportRun) -> AbstractContextManager[Path]:
        """The file, to be read; raises FileNotFoundError where it is gone."""
        ...

    def has(self, upload: ImportRun) -> bool:
        """Whether the file is kept."""
        ...

    def writing_refused(self, upload: ImportRun) -> AbstractContextManager[TextIO]:
        """A file for the rows that were not taken, in place of an earlier one."""
        ...

    def refused(self, upload: ImportRun) -> bytes:
        """The rows that were not taken; raises FileNotFoundError where they are not kept."""
        ...

    def has_refused(self, upload: ImportRun) -> bool:
        """Whether they are kept."""
        ...

    def drop(self, upload: ImportRun, *, refused: bool = True) -> None:
        """Remove a file, with what was refused of it or without."""
        ...

    def drop_refused(self) -> None:
        """Remove every file of refused rows: one may name somebody who has just been erased."""
        ...

    def sweep(self) -> None:
        """Remove what nobody has touched for a day."""
        ...


class InFolder:
    """In a folder beside a SQLite file."""

    def __init__(self, folder: Path, *, parts: Parts) -> None:
        self.folder = folder
        self._parts = parts

    def path(self, upload: ImportRun) -> Path:
        """Where an upload lies."""
        return self.folder / upload.key

    def path_of_refused(self, upload: ImportRun) -> Path:
        """Where its rows lie that were not taken, or not as they stand."""
        return self.folder / f"{upload.key}{_REFUSED}"

    def put(self, session: Session, upload: ImportRun, content: bytes) -> None:  # noqa: ARG002  the port's signature
        """See `KeptFiles`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(files.private(self.path(upload)), "wb") as file:
            file.write(content)

    @contextlib.contextmanager
    def opened(self, upload: ImportRun) -> Iterator[Path]:
        """See `KeptFiles`: the file itself."""
        yield self.path(upload)

    def has(self, upload: ImportRun) -> bool:
        """See `KeptFiles`."""
        return self.path(upload).exists()

    @contextlib.contextmanager
    def writing_refused(self, upload: ImportRun) -> Iterator[TextIO]:
        """See `KeptFiles`."""
        path = self.path_of_refused(upload)
        path.unlink(missing_ok=True)
        with os.fdopen(files.private(path), "w", encoding="utf-8", newline="") as file:
            yield file

    def refused(self, upload: ImportRun) -> bytes:
        """See `KeptFiles`."""
        return self.path_of_refused(upload).read_bytes()

    def has_refused(self, upload: ImportRun) -> bool:
        """See `KeptFiles`."""
        return self.path_of_refused(upload).exists()

    def drop(self, upload: ImportRun, *, refused: bool = True) -> None:
        """See `KeptFiles`."""
        self.path(upload).unlink(missing_ok=True)
        if refused:
            self.path_of_refused(upload).unlink(missing_ok=True)

    def drop_refused(self) -> None:
        """See `KeptFiles`."""
        for path in self.folder.glob(f"*{_REFUSED}"):
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """See `KeptFiles`."""
        oldest = (self._parts.now() - KEPT).timestamp()
        for path in self.folder.glob("*"):
            with contextlib.suppress(OSError):  # somebody else was quicker
                if path.stat().st_mtime < oldest:
                    path.unlink()


class InTable:
    """In rows of the database that all machines share."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def put(self, session: Session, upload: ImportRun, content: bytes) -> None:
        """See `KeptFiles`."""
        pieces = (content[start : start + PIECE] for start in range(0, len(content), PIECE))
        store.put_upload_parts(session, upload.id or 0, pieces)

    @contextlib.contextmanager
    def opened(self, upload: ImportRun) -> Iterator[Path]:
        """See `KeptFiles`: a copy without a name, which goes with the process, whatever ends that."""
        with tempfile.TemporaryFile() as copy:
            with reading(self._parts.engine) as session:
                octets = sum(copy.write(piece) for piece in store.upload_parts(session, upload.id or 0))
            if not octets:
                raise FileNotFoundError(upload.key)
            copy.flush()
            yield Path(f"/dev/fd/{copy.fileno()}")

    def has(self, upload: ImportRun) -> bool:
        """See `KeptFiles`."""
        with reading(self._parts.engine) as session:
            return store.has_upload_parts(session, upload.id or 0)

    @contextlib.contextmanager
    def writing_refused(self, upload: ImportRun) -> Iterator[TextIO]:
        """See `KeptFiles`: kept only where nothing is raised meanwhile."""
        with tempfile.TemporaryFile() as octets:
            words = io.TextIOWrapper(octets, encoding="utf-8", newline="")
            yield words
            words.detach()
            octets.seek(0)
            with self._parts.sessions() as session:
                pieces = iter(lambda: octets.read(PIECE), b"")
                store.put_upload_parts(session, upload.id or 0, pieces, refused=True)
                session.commit()

    def refused(self, upload: ImportRun) -> bytes:
        """See `KeptFiles`."""
        with reading(self._parts.engine) as session:
            found = list(store.upload_parts(session, upload.id or 0, refused=True))
        if not found:
            raise FileNotFoundError(upload.key)
        return b"".join(found)

    def has_refused(self, upload: ImportRun) -> bool:
        """See `KeptFiles`."""
        with reading(self._parts.engine) as session:
            return store.has_upload_parts(session, upload.id or 0, refused=True)

    def drop(self, upload: ImportRun, *, refused: bool = True) -> None:
        """See `KeptFiles`."""
        with self._parts.sessions() as session:
            for each in {False, refused}:
                store.drop_upload_parts(session, upload.id or 0, refused=each)
            session.commit()

    def drop_refused(self) -> None:
        """See `KeptFiles`."""
        with self._parts.sessions() as session:
            store.drop_refused_parts(session)
            session.commit()

    def sweep(self) -> None:
        """See `KeptFiles`."""
        with self._parts.sessions() as session:
            store.drop_old_parts(session, self._parts.now() - KEPT)
            session.commit()


def kept_files(parts: Parts) -> KeptFiles:
    """Where this database keeps them."""
    url = parts.engine.url
    if url.get_backend_name() != "sqlite":
        return InTable(parts)
    root = Path(url.database).parent if url.database else Path("var")
    return InFolder(root / FOLDER, parts=parts)
