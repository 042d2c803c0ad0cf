"""
A port that leads to another one, slowly: `slow_line.py OWN PORT SECONDS` hands everything on so much later.

It waits by `select`, which knows microseconds: epoll's milliseconds, rounded up, would make the way a tenth longer.
"""

import asyncio
import contextlib
import selectors
import sys
from typing import Any, Final

WAKING: Final = 0.0003
"""Seconds from a timer's time until it has been served, and what it hands on has left: they count as way."""


class _Delayed(asyncio.Protocol):
    """Hands what comes in to the other side a while later, in order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = max(0.0, seconds - WAKING)
        self.other: asyncio.WriteTransport | None = None
        self._early: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._hand_on, data)

    def connection_lost(self, error: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._close)

    def _hand_on(self, data: bytes) -> None:
        if self.other:
            self.other.write(data)
        else:
            self._early.append(data)

    def join(self, other: asyncio.WriteTransport) -> None:
        self.other = other
        other.writelines(self._early)

    def _close(self) -> None:
        if self.other:
            self.other.close()


async def _serve(own: int, port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()

    class Near(_Delayed):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._task = loop.create_task(self._reach(transport))

        async def _reach(self, near: Any) -> None:
            far_side = _Delayed(seconds)
            far, _ = await loop.create_connection(lambda: far_side, "127.0.0.1", port)
            far_side.join(near)
            self.join(far)

    server = await loop.create_server(lambda: Near(seconds), "127.0.0.1", own)
    await server.serve_forever()


def _runner() -> asyncio.Runner:
    return asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector()))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), _runner() as runner:
        runner.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
