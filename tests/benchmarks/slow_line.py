"""A port that leads to another one, slowly: `slow_line.py OWN PORT SECONDS` hands everything on so much later."""

import asyncio
import contextlib
import sys
from typing import Any


class _Delayed(asyncio.Protocol):
    """Hands what comes in to the other side a while later, in order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
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


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
