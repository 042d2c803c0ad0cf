"""
One connection as the fault relay holds it: lines and contents in, anything out, and an end of the relay's choosing.

Reads all the time, whether or not anybody waits for a line, so that what a client has written too early can be seen.
"""

import asyncio
import contextlib
import re
import socket
import ssl
import struct

from faults.script import Drop

LONGEST_LINE = 1000
"""RFC 5321 §4.5.3.1.6: octets of a line of content, with its CRLF."""

BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
"""Half a line end, which some servers take for a whole one (SMTP smuggling)."""


class Gone(Exception):  # noqa: N818  a state, not a fault
    """The connection has ended."""


class Wire(asyncio.Protocol):
    """The server's end; `arrived` is called with it once it stands."""

    def __init__(self, arrived) -> None:
        self._arrived = arrived
        self._buffer = bytearray()
        self._stirred = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport = None
        self.is_open = False
        self.has_tls = False

    def connection_made(self, transport) -> None:
        self._transport = transport
        self.is_open = True
        self.has_tls = transport.get_extra_info("ssl_object") is not None
        self._arrived(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._stirred.set()

    def connection_lost(self, _error) -> None:
        self.is_open = False
        self._stirred.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def waiting(self) -> int:
        """Bytes that have come and were not asked for yet."""
        return len(self._buffer)

    def peek(self, count: int) -> bytes:
        """The next bytes, which stay."""
        return bytes(self._buffer[:count])

    async def line(self) -> bytes:
        """The next line without its end; raises Gone."""
        return (await self.until(b"\n")).removesuffix(b"\n")

    async def until(self, end: bytes) -> bytes:
        """Everything up to and with `end`; raises Gone."""
        looked = 0
        while (found := self._buffer.find(end, looked)) < 0:
            looked = max(0, len(self._buffer) - len(end) + 1)
            await self._more()
        return self._take(found + len(end))

    async def at_least(self, count: int) -> None:
        """Wait until so many bytes have come."""
        while len(self._buffer) < count:
            await self._more()

    async def end(self) -> None:
        """Wait until the client has gone, or for ever."""
        while self.is_open:
            self._stirred.clear()
            await self._stirred.wait()

    async def write(self, data: bytes) -> None:
        """Write; raises Gone where nobody is there any more."""
        if not self.is_open or self._transport.is_closing():
            raise Gone
        self._transport.write(data)
        await self._writable.wait()

    def stall(self) -> None:
        """Read no more."""
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        with contextlib.suppress(RuntimeError):  # the transport of a connection that has gone
            self._transport.resume_reading()

    def drop(self, how: Drop) -> None:
        """End the connection, after what was written (FIN) or at once (RST)."""
        if how is Drop.RST:
            plain = self._transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    async def secure(self, context: ssl.SSLContext) -> None:
        """Go over to TLS; raises Gone where the handshake fails."""
        self._buffer.clear()
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(self._transport, self, context, server_side=True)
        except (OSError, ssl.SSLError) as error:
            self._transport.abort()
            raise Gone from error
        if transport is None:
            raise Gone
        self._transport, self.has_tls = transport, True

    async def _more(self) -> None:
        self._stirred.clear()
        if not self.is_open:
            raise Gone
        await self._stirred.wait()

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken
