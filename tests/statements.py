"""
One compiled form of every SQL statement for all tests of a process.

SQLAlchemy compiles a statement once for each engine, and nearly every test opens an engine of its own: a tenth of the
time of all tests went into compiling the same few hundred statements.
"""

from typing import Any, Final

from sqlalchemy import Dialect, Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

KEPT: Final = 5_000
"""Compiled statements that are kept; the program has some hundreds for each kind of database."""


def share_compiled() -> None:
    """
    Have every engine that is made from now on take what the first of its kind has compiled.

    Compiled statements belong to a dialect, so that is taken with them, as soon as it has spoken to its database and
    knows the version; connections are still made and looked after by the engine's own.
    """
    firsts: dict[tuple[object, ...], tuple[Dialect, LRUCache[Any, Any]]] = {}

    def created(_kind: type[Dialect], engine: Engine) -> None:
        own: Any = engine.dialect
        kind = type(own), own._on_connect_isolation_level
        dialect, compiled = firsts.get(kind, (None, None))
        if dialect is not None and hasattr(dialect, "default_isolation_level"):
            engine.dialect, engine._compiled_cache = dialect, compiled
        else:
            engine._compiled_cache = LRUCache(KEPT)
            firsts[kind] = own, engine._compiled_cache

    DefaultDialect.engine_created = classmethod(created)  # type: ignore[assignment]
