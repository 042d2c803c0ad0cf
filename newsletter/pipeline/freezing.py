"""
Who freezes the audience of a run: one process at a time, and another as soon as that one has died.

Takes the engine of the database that all of them share. A lock that its holder's death gives back needs no clock to
tell a freeze that goes on from one that was broken off. On SQLite it is a lock on the file `DATABASE.planning`, one for
all runs, which the kernel drops with the process; on PostgreSQL an advisory lock for each run.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

ADVISORY_SPACE: Final = 0x706C_616E
"""The first half of the advisory lock's key: the letters `plan`, so that it meets no other program's."""

_RUNS: Final = 2**31
"""The second half is the run, in 32 bits."""


@contextmanager
def freezing(engine: Engine, run_id: int) -> Iterator[bool]:
    """Yield whether it is for us to freeze the run: False while somebody else does."""
    if engine.dialect.name == "sqlite":
        with Path(f"{engine.url.database}.planning").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"space": ADVISORY_SPACE, "run": run_id % _RUNS}
        mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:space, :run)"), key))
        try:
            yield mine
        finally:
            if mine:
                connection.execute(text("SELECT pg_advisory_unlock(:space, :run)"), key)
