"""
The tally of a table: how many rows it has, and a digest of what they say.

Takes lines in any order; yields the same tally for the same rows whichever database they come from. The digest is the
sum of the rows' own digests: it finds what was lost, altered, cut short or doubled, in one pass and without sorting. It
is no seal against somebody who forges a backup.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from newsletter.keeping.lines import plain_of
from newsletter.keeping.shape import Table

_OCTETS: Final = 16
_MODULUS: Final = 1 << (8 * _OCTETS)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows, and what they come to, in hexadecimal digits."""

    rows: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        """The tally as plain data."""
        return {"rows": self.rows, "digest": self.digest}


class Counting:
    """A tally that grows."""

    def __init__(self, table: Table) -> None:
        self._plain = plain_of(table)
        self._rows = self._sum = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Count and weigh lines."""
        plain, total, rows = self._plain, self._sum, self._rows
        for line in lines:
            total += int.from_bytes(blake2b(plain(line), digest_size=_OCTETS).digest(), "big")
            rows += 1
        self._sum, self._rows = total % _MODULUS, rows

    @property
    def tally(self) -> Tally:
        """What it comes to so far."""
        return Tally(self._rows, f"{self._sum:0{2 * _OCTETS}x}")
