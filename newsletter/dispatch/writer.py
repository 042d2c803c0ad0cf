"""
The single writer: commits the marks and results of all connections together, whenever it is free.

There is no timer. A lone connection waits for one commit; when many wait, they share the next one. A connection that
awaits `write` goes on only after the commit, which is what keeps the doubt at one message per connection.
"""

import asyncio
import datetime as dt
from collections.abc import Callable

from newsletter.dispatch.ledger import Ledger, Mark, Result


class Writer:
    """Takes entries from many tasks and hands them to the ledger in groups."""

    def __init__(self, ledger: Ledger, *, now: Callable[[], dt.datetime]) -> None:
        self._ledger = ledger
        self._now = now
        self._waiting: list[tuple[Mark | Result, asyncio.Future[bool]]] = []
        self._wake = asyncio.Event()

    async def write(self, entry: Mark | Result) -> bool:
        """Commit an entry; says whether it held. Raises what the database raised, for every entry of the group."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        self._wake.set()
        return await done

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            self._commit(group)
            await asyncio.sleep(0)

    def _commit(self, group: list[tuple[Mark | Result, asyncio.Future[bool]]]) -> None:
        try:
            held = self._ledger.commit([entry for entry, _ in group], self._now())
        except Exception as error:  # noqa: BLE001  each waiting connection must hear of it
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), kept in zip(group, held, strict=True):
            if not done.done():
                done.set_result(kept)
