"""
The barrier on SQLite: the disk takes what is committed while the next messages go out already.

Takes the write-ahead log of a database, yields barriers in a thread of their own: a commit that waits for the disk
itself stops every connection for some milliseconds, twenty times a second. What a power cut may take is bounded all the
same: whoever begins a barrier has waited for the one before.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from newsletter.files import sync


class Barrier:
    """Over one write-ahead log, for one thread at a time."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="barrier")
        self._under_way: Future[None] | None = None

    def begin(self) -> None:
        """Have the disk take all that is committed by now; after `wait`."""
        self._under_way = self._thread.submit(sync, self._log)

    def wait(self) -> None:
        """
        Wait for the barrier that is under way.

        Raises sqlite3.OperationalError, as a commit that waits for the disk does, where the disk has not taken it.
        """
        begun, self._under_way = self._under_way, None
        try:
            if begun is not None:
                begun.result()
        except OSError as error:
            raise sqlite3.OperationalError(f"the disk did not take what was committed: {error.strerror}") from error


def barrier_of(driver: Any) -> Barrier | None:
    """Over the log of an open connection; None where there is no file, or none that is written ahead."""
    _, _, file = driver.execute("PRAGMA database_list").fetchone()
    log = Path(f"{file}-wal")
    return Barrier(log) if file and log.exists() else None
