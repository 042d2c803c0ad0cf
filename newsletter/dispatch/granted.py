"""
Granted shards: what of the running runs a dispatcher claims before it takes what is anybody's.

Takes shards from whoever hands them out, yields to each of them whether it came to its end. A grant ends when nothing
of the shard is left to claim: its messages need not have gone out by then, for the ledger looks after them from then
on. Belongs to one event loop.
"""

import asyncio
from collections.abc import Callable, Iterable

from newsletter.planning.shards import Shard


class Granted:
    """The shards that are granted to one dispatcher; `on_grant` is told of each that comes, `on_close` of the end."""

    def __init__(self) -> None:
        self._waiting: dict[Shard, list[asyncio.Future[bool]]] = {}
        self._is_closed = False
        self.on_grant: Callable[[], object] = lambda: None
        self.on_close: Callable[[], object] = lambda: None

    @property
    def shards(self) -> tuple[Shard, ...]:
        """What is granted now, in the order in which it is to be claimed."""
        return tuple(self._waiting)

    async def grant(self, shard: Shard) -> bool:
        """
        Grant a shard, and wait until nothing of it is left to claim, or its run is not running any more.

        False: the dispatcher stops first, and the shard is to be given to somebody else. One that is granted twice is
        worked on once. Whoever gives up waiting takes the grant back.
        """
        if self._is_closed:
            return False
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(shard, []).append(ended)
        self.on_grant()
        try:
            return await ended
        finally:
            self._forget(shard, ended)

    def take(self, shards: Iterable[Shard]) -> None:
        """Grant these to ourselves, before all others: they were a dead dispatcher's, and have waited already."""
        taken = dict.fromkeys(shards)
        if taken and not self._is_closed:
            self._waiting = {shard: self._waiting.get(shard, []) for shard in [*taken, *self._waiting]}
            self.on_grant()

    def spend(self, shards: Iterable[Shard]) -> None:
        """Nothing of these is left to claim."""
        for shard in shards:
            self._answer(shard, spent=True)

    def close(self) -> None:
        """Nothing more is claimed: every grant ends, and those to come end at once."""
        self._is_closed = True
        self.on_close()
        for shard in self.shards:
            self._answer(shard, spent=False)

    def _answer(self, shard: Shard, *, spent: bool) -> None:
        for ended in self._waiting.pop(shard, []):
            if not ended.done():
                ended.set_result(spent)

    def _forget(self, shard: Shard, ended: "asyncio.Future[bool]") -> None:
        waiting = self._waiting.get(shard)
        if waiting is not None and ended in waiting:
            waiting.remove(ended)
            if not waiting:
                del self._waiting[shard]
