"""
The listener: a mail server that takes what comes back and nothing else, over SMTP (RFC 5321) or LMTP (RFC 2033).

Takes what absorbs a message with its envelope; answers 250 only after everything is committed, so that the server in
front keeps a message until it is safe here. Promises to relay nothing: it takes the names of deliveries and the few
addresses for reports at the one domain, one recipient a transaction, and has no way out.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.dispatch.names import BOUNCE, LEAVE
from newsletter.feedback.opened import MOST_OCTETS
from newsletter.logs import logger

SECONDS: Final = 60
"""How long a client may be silent."""

MOST_CONNECTIONS: Final = 50
"""Clients at once; a mail server in front needs a handful."""

MOST_COMMANDS: Final = 1_000
"""Times that one client may give each command."""

REPORTED_TO: Final = frozenset({"abuse", "fbl", "postmaster", "bounces"})
"""Local parts that complaints and reports without a delivery's name come to."""

Take = Callable[[bytes, Sequence[str]], object]
"""Absorbs one message with the addresses of its envelope; everything is committed when it returns."""


class Listener:
    """
    Listens until it is closed.

    `domain` is that of the return paths; absorbing runs in one thread, so that clients wait for each other and not for
    the loop.
    """

    def __init__(self, take: Take, *, domain: str, lmtp: bool = False) -> None:
        self._take = take
        self._domain = domain.lower()
        self._kind = _Lmtp if lmtp else _Smtp
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feedback")
        self._open: set[SMTP] = set()
        self._server: asyncio.Server | None = None
        self._log = logger("feedback")

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; returns the port, which the system chooses for 0. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._client, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End what is under way and listen no more; a client that was not answered keeps its message."""
        if self._server is not None:
            self._server.close()
            for client in list(self._open):
                if client.transport is not None:
                    client.transport.close()
            await self._server.wait_closed()
        self._thread.shutdown(wait=True)

    def _client(self) -> SMTP:
        return self._kind(
            self,
            self._open,
            data_size_limit=MOST_OCTETS,
            enable_SMTPUTF8=True,
            hostname=self._domain,
            ident="newsletter",
            timeout=SECONDS,
            command_call_limit=MOST_COMMANDS,
            loop=asyncio.get_running_loop(),
        )

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take one recipient, and only ours."""
        if not self._is_ours(address):
            return "550 5.7.1 nothing is relayed here"
        if envelope.rcpt_tos:  # RFC 2033 wants a reply for each; one at a time is never ambiguous
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802  likewise
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Absorb a message; what goes wrong in between is ours, and the client tries again."""
        content = envelope.content
        octets = content if isinstance(content, bytes) else str(content or "").encode("utf-8", "surrogateescape")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._take, octets, tuple(envelope.rcpt_tos))
        except Exception as error:  # noqa: BLE001  whatever it is, the message is not to be lost
            self._log.error("not absorbed", error=type(error).__name__)
            return "451 4.3.0 try again later"
        return "250 2.0.0 absorbed"

    def _is_ours(self, address: str) -> bool:
        local, _, domain = address.lower().rpartition("@")
        name = local.partition("+")[0]
        return domain == self._domain and (local in REPORTED_TO or name in {BOUNCE, LEAVE})


class _Limited(SMTP):
    """A client's connection, counted; one too many is told to come back."""

    def __init__(self, handler: Any, open_: set[SMTP], **options: Any) -> None:
        super().__init__(handler, **options)
        self._others = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._others) >= MOST_CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 too many connections\r\n")
            transport.close()
            return
        self._others.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._others:
            self._others.discard(self)
            super().connection_lost(error)


class _Smtp(_Limited):
    """Speaks SMTP."""


class _Lmtp(_Limited, LMTP):
    """Speaks LMTP."""
