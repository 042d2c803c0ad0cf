"""
Whether this installation can work at this moment: what a load balancer or a container's probe asks.

Takes an engine; yields in words what stands in the way, "" where nothing does. Promises an answer within `PATIENCE`,
however long the database says nothing, and one question at a time, however many ask.
"""

import threading
import time
from concurrent.futures import Future
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from newsletter.database import ensure_current
from newsletter.errors import NewsletterError
from newsletter.pipeline.vitals import free_space

PATIENCE: Final = 2.0
"""Seconds: probes give up after a few."""

FRESH: Final = 1.0
"""Seconds for which an answer holds."""

NO_ROOM: Final = 50_000_000
"""Octets: what a form, a login and a few events take, with the log of the database."""

AWAY: Final = "the database is not ready"
FULL: Final = "the disk is full"


class Readiness:
    """Asks the database, and remembers what it said for a moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(sqlite_begin="DEFERRED")  # a question waits for no writer
        self._lock = threading.Lock()
        self._asked: Future[str] | None = None
        self._at = 0.0

    def hindrance(self, *, patience: float = PATIENCE) -> str:
        """What stands in the way, or ""; a question that is not answered in time goes on for those who ask next."""
        try:
            return self._question().result(timeout=patience)
        except TimeoutError:
            return AWAY

    def _question(self) -> "Future[str]":
        with self._lock:
            is_old = time.monotonic() - self._at > FRESH
            if self._asked is None or (is_old and self._asked.done()):
                self._asked, self._at = Future(), time.monotonic()
                threading.Thread(target=self._answer, args=(self._asked,), name="readiness", daemon=True).start()
            return self._asked

    def _answer(self, asked: "Future[str]") -> None:
        try:
            asked.set_result(found(self._engine))
        except BaseException as error:  # noqa: BLE001  whoever asked hears of it
            asked.set_exception(error)


def found(engine: Engine) -> str:
    """Ask now: whether the database answers and is of this version, its jobs too, and whether there is room."""
    try:
        ensure_current(engine)
    except (NewsletterError, SQLAlchemyError):
        return AWAY
    free = free_space(engine)
    return FULL if free is not None and free < NO_ROOM else ""
