"""The wish to stop, which everything that waits in a dispatcher listens to."""

import asyncio
import contextlib


class Stopping:
    """Set once, from the loop's thread; never taken back."""

    def __init__(self) -> None:
        self._wish = asyncio.Event()

    def __bool__(self) -> bool:
        return self._wish.is_set()

    def set(self) -> None:
        """Ask everybody to stop."""
        self._wish.set()

    async def wait(self) -> None:
        """Wait for the wish."""
        await self._wish.wait()

    async def rest(self, seconds: float) -> bool:
        """Wait so long, in seconds, or until the wish comes; returns whether it has."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wish.wait()
        return bool(self)
