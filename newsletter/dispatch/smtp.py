"""
A relay reached over SMTP.

aiosmtplib connects, negotiates TLS and authenticates; the transaction is ours, command by command, so that one phase
variable always says how far it had come: a failure before the content is certainly not sent, one after its first byte
is uncertain. Timeouts are those of RFC 5321 §4.5.3.2, since giving up on the final reply too early is what makes
duplicates (RFC 1047).
"""

import asyncio
import contextlib
from dataclasses import replace
from typing import Final

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict, classify, one_line, reply
from newsletter.dispatch.relay import Envelope, Mark, RelayDown
from newsletter.settings import SmtpSettings, Tls

CONNECT_SECONDS: Final = 30.0
"""Postfix's smtp_connect_timeout; a relay we chose answers sooner or is down."""

SECONDS: Final = {Phase.MAIL: 300.0, Phase.RCPT: 300.0, Phase.DATA: 120.0, Phase.CONTENT: 600.0}
"""RFC 5321 §4.5.3.2.2 to §4.5.3.2.6, minimum timeouts of a client."""

EXPECTED: Final = {Phase.MAIL: 2, Phase.RCPT: 2, Phase.DATA: 3}
"""First digit of the reply that lets a transaction go on: a 250 to DATA would have our content read as commands."""

SLOWEST_BYTES: Final = 500
"""Bytes a second: time allowed on top for a large message."""


class SmtpRelay:
    """One relay; each connection is a new aiosmtplib client, which is not made to be opened twice."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """Host and port."""
        return f"{self._settings.host}:{self._settings.port}"

    async def open(self) -> "SmtpConnection":
        """Connect, secure and authenticate as the settings say; raises RelayDown with the phase that failed."""
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=CONNECT_SECONDS,
            use_tls=settings.security is Tls.IMPLICIT,
            start_tls=settings.security is Tls.STARTTLS,
            local_hostname=settings.hello,
        )
        phase = Phase.CONNECT
        try:
            await client.connect()
            phase = Phase.HELLO
            await client.ehlo()  # once more after TLS, RFC 3207 §4.2
            if settings.username:
                phase = Phase.AUTH
                password = settings.password.get_secret_value() if settings.password else ""
                await client.login(settings.username, password)
        except SMTPResponseException as error:
            client.close()
            raise RelayDown(classify(phase, reply(error.code, error.message))) from error
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            note = one_line(f"{self.name}: {type(error).__name__}: {error}")
            raise RelayDown(_unsent(phase, note)) from error
        return SmtpConnection(client)


class SmtpConnection:
    """An open, authenticated connection."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client

    async def send(self, envelope: Envelope, mark: Mark) -> Outcome | None:
        """One transaction; see `relay.Connection`."""
        if envelope.needs_smtputf8 and not self._client.supports_extension("smtputf8"):
            note = "5.6.7 the relay does not take addresses outside ASCII (RFC 6531 §3.2)"
            return Outcome(verdict=Verdict.REFUSED, phase=Phase.MAIL, fault=Fault.RECIPIENT, note=note)
        phase = Phase.MAIL
        try:
            for phase, command in self._commands(envelope):
                answer = await self._command(phase, command)
                if answer.code // 100 != EXPECTED[phase]:
                    return await self._stopped(classify(phase, answer))
            if not await mark():
                await self.close(at_once=True)  # a 354 left open would deliver an empty mail
                return None
            phase = Phase.CONTENT
            return self._ended(classify(phase, await self._content(envelope.data)))
        except (SMTPException, OSError, TimeoutError) as error:
            await self.close(at_once=True)
            note = one_line(f"{type(error).__name__}: {error}")
            if phase is Phase.CONTENT:
                return Outcome(verdict=Verdict.UNCERTAIN, phase=phase, fault=Fault.RELAY, note=note, closes=True)
            return _unsent(phase, note)

    async def close(self, *, at_once: bool = False) -> None:
        """QUIT and close, or close without a word where a transaction is open."""
        if not at_once and self._client.is_connected:
            with contextlib.suppress(SMTPException, OSError, TimeoutError):  # a relay that has gone misses nothing
                await asyncio.wait_for(self._client.quit(), 5)
        self._client.close()

    def _commands(self, envelope: Envelope) -> list[tuple[Phase, bytes]]:
        encoding = "utf-8" if envelope.needs_smtputf8 else "ascii"
        options = ""
        if self._client.supports_extension("size"):
            options += f" SIZE={len(envelope.data)}"
        if envelope.needs_smtputf8:
            options += " SMTPUTF8"
        return [
            (Phase.MAIL, f"MAIL FROM:<{envelope.sender}>{options}".encode(encoding)),
            (Phase.RCPT, f"RCPT TO:<{envelope.recipient}>".encode(encoding)),
            (Phase.DATA, b"DATA"),
        ]

    async def _command(self, phase: Phase, command: bytes) -> Reply:
        response = await self._client.execute_command(command, timeout=SECONDS[phase])
        return reply(response.code, response.message)

    async def _content(self, data: bytes) -> Reply:
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost before the content")
        protocol.write(data + b".\r\n")
        response = await protocol.read_response(timeout=SECONDS[Phase.CONTENT] + len(data) / SLOWEST_BYTES)
        return reply(response.code, response.message)

    async def _stopped(self, outcome: Outcome) -> Outcome:
        """End a transaction that the relay has refused, so that the connection serves the next one."""
        if not outcome.closes:
            try:
                await self._client.rset()
            except (SMTPException, OSError, TimeoutError):  # the refusal holds all the same
                outcome = replace(outcome, closes=True)
        if outcome.closes:
            await self.close(at_once=True)
        return outcome

    def _ended(self, outcome: Outcome) -> Outcome:
        if outcome.closes:
            self._client.close()
        return outcome


def _unsent(phase: Phase, note: str) -> Outcome:
    return Outcome(verdict=Verdict.NOT_SENT, phase=phase, fault=Fault.RELAY, note=note, closes=True)
