"""Cuts long collections of keys into pieces that one statement can bind."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

BATCH = 2000
"""Values in one statement: far below SQLite's 32,766, and enough that the round trip no longer counts."""


def in_batches(items: Collection[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    """Yield the items in order, at most `size` at a time."""
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
