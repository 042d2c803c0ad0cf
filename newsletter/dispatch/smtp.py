"""
A relay reached over SMTP.

aiosmtplib connects, negotiates TLS and authenticates; then the transactions take over its transport, since it cannot
tell "not sent" from "in doubt" and waits for a reply to every command (see `transaction` and `wire`). A new connection
is a new client, which is not made to be opened twice.
"""

import asyncio
import base64
import socket
import ssl
from functools import partial
from typing import Final, cast

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponse, SMTPResponseException
from aiosmtplib.protocol import SMTPProtocol

from newsletter.dispatch.commands import Extensions
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict, classify, one_line, reply
from newsletter.dispatch.relay import RelayDown
from newsletter.dispatch.transaction import SmtpConnection
from newsletter.dispatch.trust import Trust
from newsletter.dispatch.wire import Timeouts, Wire
from newsletter.errors import ConfigurationFault
from newsletter.oauth import Oauth, OauthFault, oauthbearer, refusal, xoauth2
from newsletter.settings import RelaySettings, SmtpSettings, Tls

READY: Final = 220
"""RFC 3207 §4: the reply that lets TLS begin."""

KNOWN: Final = 235
CHALLENGE: Final = 334
UNKNOWN: Final = 535
"""RFC 4954 §4 and §6: we are in; there is more to say; the credentials are not valid."""

TIMEOUTS: Final = Timeouts()
"""RFC 5321 §4.5.3.2."""


class SmtpRelay:
    """One relay, and what its connections have learnt about it."""

    def __init__(self, settings: SmtpSettings, timeouts: Timeouts = TIMEOUTS) -> None:
        """Read the authorities that may vouch for the relay; raises ConfigurationFault where they cannot be read."""
        self._settings = settings
        self._timeouts = timeouts
        self._hello = settings.hello
        self._tls = None if settings.security is Tls.NONE else _context(settings)
        self._trust = Trust(self.name, settings.pipelining)
        self._oauth = Oauth(settings.oauth)

    @property
    def name(self) -> str:
        """Host and port, or the name that the settings give it."""
        return self._settings.called

    async def open(self) -> SmtpConnection:
        """Connect, secure and authenticate as the settings say; raises RelayDown with the phase that failed."""
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=self._timeouts.connect,
            use_tls=settings.security is Tls.IMPLICIT,
            start_tls=False,  # by our own hand, see _secure
            tls_context=self._tls,
            local_hostname=self._hello,
        )
        phase = Phase.CONNECT
        try:
            await client.connect()
            self._hello = client.local_hostname  # looked up once: the name of this machine may cost a DNS query
            phase = Phase.HELLO
            await client.ehlo()
            if settings.security is Tls.STARTTLS:
                await self._secure(client)
                await client.ehlo()  # once more, RFC 3207 §4.2
            if settings.oauth.is_set:
                phase = Phase.AUTH
                await self._bear_token(client)
            elif settings.username:
                phase = Phase.AUTH
                password = settings.password.get_secret_value() if settings.password else ""
                await client.login(settings.username, password)
            return self._taken_over(client)
        except SMTPResponseException as error:
            client.close()
            raise RelayDown(classify(phase, reply(error.code, error.message))) from error
        except (SMTPException, OSError, ValueError, OauthFault) as error:
            client.close()
            note = one_line(f"{settings.host}:{settings.port}: {type(error).__name__}: {error}")
            down = Outcome(verdict=Verdict.NOT_SENT, phase=phase, fault=Fault.RELAY, note=note, closes=True)
            raise RelayDown(down) from error
        except asyncio.CancelledError:
            client.close()
            raise

    async def _bear_token(self, client: aiosmtplib.SMTP) -> None:
        """Authenticate by an access token; one that is refused may have been taken back, so a new one is tried once."""
        token = await asyncio.to_thread(self._oauth.access_token)
        answer, words = await self._authenticate(client, token)
        if answer.code == UNKNOWN:
            newer = await asyncio.to_thread(partial(self._oauth.access_token, refused=token))
            answer, words = await self._authenticate(client, newer)
        if answer.code != KNOWN:
            raise SMTPResponseException(answer.code, f"{answer.message} ({words})" if words else answer.message)

    async def _authenticate(self, client: aiosmtplib.SMTP, token: str) -> tuple[SMTPResponse, str]:
        """AUTH by the mechanism that the relay offers; returns its answer, and what it says of a token it refuses."""
        user, offered = self._settings.username or "", {name.lower() for name in client.server_auth_methods}
        if "xoauth2" in offered:
            mechanism, first, last = b"XOAUTH2", xoauth2(user, token), b""
        elif "oauthbearer" in offered:
            first = oauthbearer(user, token, host=self._settings.host, port=self._settings.port)
            mechanism, last = b"OAUTHBEARER", b"AQ=="  # RFC 7628 §3.2.3
        else:
            raise SMTPException("the relay offers neither XOAUTH2 nor OAUTHBEARER")
        answer = await client.execute_command(b"AUTH", mechanism, base64.b64encode(first))
        if answer.code != CHALLENGE:
            return answer, ""
        return await client.execute_command(last), refusal(answer.message)

    async def _secure(self, client: aiosmtplib.SMTP) -> None:
        """
        STARTTLS (RFC 3207), and nothing is sent to a relay that does not offer it.

        Whoever speaks behind the relay's 220 speaks in clear and may be anybody (RFC 3207 §6); aiosmtplib would drop
        the words, here they end the connection.
        """
        if not client.supports_extension("starttls"):
            raise SMTPException("the relay does not offer STARTTLS")
        answer = await client.execute_command(b"STARTTLS")
        if answer.code != READY:
            raise SMTPResponseException(answer.code, answer.message)
        protocol, transport = _connected(client)
        client.transport = protocol.transport = await asyncio.get_running_loop().start_tls(
            transport,
            protocol,
            cast(ssl.SSLContext, self._tls),
            server_hostname=self._settings.host,
            ssl_handshake_timeout=self._timeouts.connect,
        )

    def _taken_over(self, client: aiosmtplib.SMTP) -> SmtpConnection:
        """Hand the connection to the transactions; no byte is lost, since there is none that has not been read."""
        _, transport = _connected(client)
        _tune(transport, self._timeouts)
        wire = Wire(transport, self._timeouts, self._trust.lost_step)
        return SmtpConnection(wire, Extensions.announced(client.esmtp_extensions), self._trust)


def _connected(client: aiosmtplib.SMTP) -> tuple[SMTPProtocol, asyncio.Transport]:
    """Return protocol and transport of a client that has read all that was said; raises SMTPException otherwise."""
    protocol, transport = client.protocol, client.transport
    if protocol is None or transport is None or transport.is_closing():
        raise SMTPException("the relay closed the connection")
    if protocol._buffer:  # noqa: SLF001  there is no other way to see what came in excess
        raise SMTPException("the relay spoke out of turn")
    return protocol, cast(asyncio.Transport, transport)


def _tune(transport: asyncio.Transport, timeouts: Timeouts) -> None:
    """Send at once what is written, and let the kernel notice a relay that has vanished."""
    connected = transport.get_extra_info("socket")
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeouts.unacknowledged * 1000))


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    """TLS with the relay's certificate and name verified; 1.2 is the oldest version (RFC 8996)."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:  # a file that is no PEM too: ssl.SSLError
        of_relay = isinstance(settings, RelaySettings)
        name = f"ca_file of the relay {settings.called}" if of_relay else "NEWSLETTER_SMTP__CA_FILE"
        raise ConfigurationFault(f"{name}: {settings.ca_file} cannot be read as PEM certificates ({error})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
