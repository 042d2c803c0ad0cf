"""
Composing ahead in threads, where messages are signed: a signature takes longer than everything else together.

Takes drafts in order, yields items in the same order. At most a fixed number is composed and not yet taken, so that
memory stays flat. The cryptography lets go of the interpreter while it reckons, so a few threads use the other cores.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from newsletter.dispatch.composer import Draft
from newsletter.dispatch.ledger import Claim
from newsletter.dispatch.relay import Envelope


class Signing:
    """Composes up to `ahead` of the `drafts`, which it takes from their left end."""

    def __init__(self, compose: Callable[[Draft], Envelope], *, drafts: deque[Draft], ahead: int) -> None:
        self._compose = compose
        self._drafts = drafts
        self._ahead = ahead
        self._under_way: deque[tuple[Draft, Future[Envelope]]] = deque()
        self._awaited = 0
        self._pool = ThreadPoolExecutor(min(ahead, os.cpu_count() or 1), thread_name_prefix="signing")

    def __len__(self) -> int:
        return len(self._under_way) + self._awaited

    def top_up(self) -> None:
        """Have threads begin as many as may be under way."""
        while self._drafts and len(self) < self._ahead:
            draft = self._drafts.popleft()
            self._under_way.append((draft, self._pool.submit(self._compose, draft)))

    def at_hand(self) -> tuple[Claim, Envelope] | None:
        """The next message if it is ready. Raises what composing it raised."""
        if not (self._under_way and self._under_way[0][1].done()):
            return None
        draft, done = self._under_way[0]
        item = draft.claim, done.result()
        self._under_way.popleft()
        return item

    async def next(self) -> tuple[Claim, Envelope] | None:
        """Wait for the next message; None where none is under way. Raises what composing it raised."""
        if not self._under_way:
            return None
        draft, done = self._under_way.popleft()
        self._awaited += 1
        try:
            await asyncio.wait([asyncio.wrap_future(done)])
            return draft.claim, done.result()
        except BaseException:  # whoever waited does so no more, or it cannot be composed: it is still to be had
            self._under_way.appendleft((draft, done))
            raise
        finally:
            self._awaited -= 1

    def recall(self, unwanted: Callable[[Claim], bool]) -> list[Claim]:
        """Give up messages that nobody has taken; returns their claims."""
        recalled = [(draft, done) for draft, done in self._under_way if unwanted(draft.claim)]
        for each in recalled:
            each[1].cancel()
            self._under_way.remove(each)
        return [draft.claim for draft, _ in recalled]

    def close(self) -> None:
        """Let go of the threads; what they have begun they end."""
        self._pool.shutdown(wait=True, cancel_futures=True)
