"""
The verbs of the audit log: read it by pages, or whole as a table.

Takes a filter; yields lines, the newest first. Promises that a page costs the same however long the log is, and that
no line holds an address.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from newsletter.accounts import log
from newsletter.accounts.log import DeedFilter, LoggedDeed
from newsletter.database import reading
from newsletter.pipeline.parts import Parts

PAGE: Final = 50
"""Lines of a page."""

MOST: Final = 100_000
"""Lines of a table: what a spreadsheet still opens at once."""

_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedPage:
    """Some lines, and where the pages beside them begin: the number of a line, or None where there is none."""

    lines: Sequence[LoggedDeed]
    older: int | None
    newer: int | None


class Deeds:
    """The verbs of the audit log."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def page(self, wanted: DeedFilter, *, below: int | None = None, above: int | None = None) -> DeedPage:
        """The lines older than one, or just newer than one, or the newest."""
        with reading(self._parts.engine) as session:
            if above is not None:
                found = log.above(session, wanted, line=above, limit=PAGE)
            else:
                found = log.page(session, wanted, below=below, limit=PAGE)
            if not found:
                return DeedPage(lines=(), older=None, newer=None)
            has_older = log.page(session, wanted, below=found[-1].id, limit=1)
            has_newer = log.above(session, wanted, line=found[0].id, limit=1)
        return DeedPage(
            lines=found, older=found[-1].id if has_older else None, newer=found[0].id if has_newer else None
        )

    def all(self, wanted: DeedFilter) -> Iterator[LoggedDeed]:
        """Every line, the newest first, read a thousand at a time."""
        below: int | None = None
        for _ in range(MOST // _CHUNK):
            with reading(self._parts.engine) as session:
                found = log.page(session, wanted, below=below, limit=_CHUNK)
            yield from found
            if len(found) < _CHUNK:
                return
            below = found[-1].id

    def operators(self) -> Sequence[str]:
        """Everybody whose deeds are told, in order."""
        with reading(self._parts.engine) as session:
            return log.operators(session)
