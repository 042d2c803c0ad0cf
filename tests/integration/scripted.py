"""
A relay that does what a script says, for tests of the wire: small, exact, and suspicious of what it is sent.

It answers each command from `says`, by the command's name (`GREETING`, `EHLO`, `STARTTLS`, `AUTH`, `MAIL`, `RCPT`,
`DATA`, `CONTENT` for the first line of the content, `DOT`, `RSET`, `QUIT`): a text is what it always says, a list is
said one after the other until it is used up, then the usual follows. `DROP` hangs up, `MUTE` says nothing.
"""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LAST_IN_A_GROUP = {"EHLO", "STARTTLS", "AUTH", "DATA", "QUIT"}
"""RFC 2920 §3.1 and RFC 3207 §4: nothing may be sent behind them before they are answered."""

USUAL = {
    "GREETING": "220 relay.example ESMTP",
    "STARTTLS": "220 2.0.0 ready",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go on",
    "CONTENT": None,
    "DOT": "250 2.0.0 Ok: queued as 1",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
}


class Act(Enum):
    """What a relay does instead of answering."""

    #: Hangs up without a word.
    DROP = "drop"
    #: Says nothing and reads on.
    MUTE = "mute"
    #: Says nothing and reads no more.
    STOP = "stop"


DROP, MUTE, STOP = Act


class Over(Exception):  # noqa: N818  an ending, not an error
    """The conversation is over."""


class Scripted:
    """The relay and what it has seen; `lenient` asks for content even where no recipient was taken."""

    def __init__(self, says=None, *, extensions=("PIPELINING", "SIZE 0"), lenient=False, bytewise=False, tls=None):
        self.says = dict(says or {})
        self.extensions = extensions
        self.lenient = lenient
        self.bytewise = bytewise
        self.tls = tls
        self.heard = []
        self.messages = []
        self.lone_dots = 0
        self.violations = []
        self.together = []
        self.connections = 0
        self.writers = []
        self.transports = []
        self.recipients = []
        self.over = asyncio.Event()
        self.dismissed = asyncio.Event()
        self._news = asyncio.Event()

    async def talk(self, reader, writer):
        """One conversation, until either side ends it."""
        self.connections += 1
        self.over.clear()
        self.writers.append(writer)
        self.transports.append(writer.transport)
        try:
            await self._answer(writer, "GREETING")
            while line := await reader.readline():
                await self._obey(line, reader, writer)
        except (Over, OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            self.abort()
            self.over.set()

    async def reaches(self, verb):
        """Wait until a command has been heard."""
        while verb not in self.heard:
            self._news.clear()
            await self._news.wait()

    def abort(self):
        """Hang up, whatever is said or unsaid."""
        for transport in self.transports:
            transport.abort()

    async def say(self, writer, words):
        """Say something, asked or not."""
        data = words if isinstance(words, bytes) else words.encode() + b"\r\n"
        for piece in [data[at : at + 1] for at in range(len(data))] if self.bytewise else [data]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def _obey(self, line, reader, writer):
        verb = line.split()[0].decode().upper()
        if verb in LAST_IN_A_GROUP and reader._buffer:
            self.violations.append(verb)
        if verb == "EHLO":
            self.recipients = []
            await self._answer(writer, verb, "250-relay.example\r\n" + self._offers())
            return
        if verb == "MAIL":
            self.mail, self.recipients = line.rstrip().decode(), []
        refused = verb == "DATA" and not self.recipients and not self.lenient
        code = await self._answer(writer, verb, "554 5.5.1 no valid recipients" if refused else USUAL[verb])
        if verb == "RCPT" and code < "4":
            self.recipients.append(line.rstrip().decode())
        if verb == "DATA" and code == "354":
            await self._content(reader, writer)
        if verb == "STARTTLS" and code == "220":
            await self._secure(writer)
        if verb == "QUIT":
            raise Over

    async def _secure(self, writer):
        plain = writer.transport
        with contextlib.suppress(AttributeError):  # asyncio looks at a transport that is no more
            await writer.start_tls(self.tls)
        if writer.transport is None:  # the client left during the handshake
            writer._transport = plain
            raise Over

    async def _content(self, reader, writer):
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise Over
            if not lines:
                await self._answer(writer, "CONTENT")
            lines.append(line)
        self.together.append(bool(reader._buffer))
        if not lines:
            self.lone_dots += 1
        code = await self._answer(writer, "DOT")
        if code.startswith("2") and self.recipients:
            self.messages.append((self.mail, self.recipients, b"".join(lines)))

    async def _answer(self, writer, verb, usual=None):
        self.heard.append(verb)
        self._news.set()
        said = self.says.get(verb, usual or USUAL[verb])
        if isinstance(said, list):
            said = said.pop(0) if said else usual or USUAL[verb]
        if said is DROP:
            raise Over
        if said is STOP:
            await self.dismissed.wait()
            raise Over
        if said is MUTE or said is None:
            return "000"
        await self.say(writer, said)
        return said[:3] if isinstance(said, str) else said[:3].decode()

    def _offers(self):
        return "".join(f"250-{each}\r\n" for each in self.extensions) + "250 8BITMIME"


@contextlib.asynccontextmanager
async def serving(relay, *, implicit=None):
    """Run a relay on a port of its own; yields the settings that lead to it."""
    tasks = set()

    async def talk(reader, writer):
        tasks.add(asyncio.current_task())
        await relay.talk(reader, writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=implicit)
    try:
        port = server.sockets[0].getsockname()[1]
        yield {"host": "127.0.0.1", "port": port, "hello": "client.example", "tls": "none"}
    finally:
        server.close()
        relay.dismissed.set()
        relay.abort()
        await asyncio.gather(*tasks)


class Authority:
    """A certificate authority that exists for one test run."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "authority.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        usage = x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_agreement=False,
            key_encipherment=False, data_encipherment=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            self._certificate(self._name, self._key.public_key(), days=1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, *, address="127.0.0.1", days=1):
        """The server's side of TLS, with a certificate for an address that is valid up to so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = self._certificate(subject, key.public_key(), days=days)
        certificate = (
            builder.add_extension(names, critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self.folder / f"{address}.{days}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _certificate(self, subject, public_key, *, days):
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=30))
            .not_valid_after(now + dt.timedelta(days=days))
        )
