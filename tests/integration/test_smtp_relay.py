"""A relay over SMTP, against real servers that answer as relays do when they are well, ill, or hostile."""

import asyncio
import contextlib
import ssl
import subprocess

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from conftest import need

from newsletter.dispatch import smtp
from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.dispatch.relay import Envelope, RelayDown
from newsletter.dispatch.smtp import SmtpRelay
from newsletter.settings import SmtpSettings, Tls

DATA = b"Subject: Agenda\r\n\r\nHello\r\n"


def an_envelope(**changes):
    plain = {"sender": "b+x1@rivers.example", "recipient": "anna@lakes.example", "needs_smtputf8": False}
    return Envelope(**{**plain, "name": "x1", "data": DATA, **changes})


class Script:
    """Answers by phase; `drop` names the phase in which the server hangs up without a word, `mute` where it is silent."""

    def __init__(self, *, replies=None, drop=None, mute=None):
        self.replies = replies or {}
        self.drop = drop
        self.mute = mute
        self.connections = 0
        self.heard = []
        self.messages = []

    async def answer(self, server, phase, usual):
        """What to say in a phase; `usual` where the script says nothing else."""
        self.heard.append(phase)
        if self.drop == phase:
            server.transport.abort()
        if self.mute == phase:
            await asyncio.Event().wait()
        return self.replies.get(phase, usual)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's names
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self.answer(server, "MAIL", "250 2.1.0 Ok")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return await self.answer(server, "RCPT", "250 2.1.5 Ok")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.messages.append(envelope)
        return await self.answer(server, "DOT", "250 2.0.0 Ok: queued as 1")

    async def handle_RSET(self, server, session, envelope):  # noqa: N802
        return await self.answer(server, "RSET", "250 2.0.0 Ok")

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        return await self.answer(server, "QUIT", "221 2.0.0 Bye")


class Server(SMTP):
    """aiosmtpd with a script for what it decides by itself: the reply to DATA, and hanging up amid the content."""

    def connection_made(self, transport):
        self.event_handler.connections += 1
        super().connection_made(transport)

    async def smtp_DATA(self, arg):  # noqa: N802
        script = self.event_handler
        said = await script.answer(self, "DATA", None)
        if said:
            await self.push(said)
        elif script.drop == "CONTENT":
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)


@contextlib.asynccontextmanager
async def serving(script, *, tls=None, implicit=False, **options):
    """A server on a port of its own; yields the settings that lead to it."""
    loop = asyncio.get_running_loop()

    def protocol():
        context = None if implicit else tls
        return Server(script, hostname="relay.example", loop=loop, tls_context=context, **options)

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if implicit else None)
    try:
        yield {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "hello": "client.example"}
    finally:
        server.close()
        await server.wait_closed()


async def allowed():
    return True


async def forbidden():
    return False


def send(script, *envelopes, mark=allowed, settings=None, **options):
    """The outcome of each message, sent over one connection for as long as it holds."""

    async def talk():
        async with serving(script, **options) as address:
            connection = await SmtpRelay(SmtpSettings(**address, **(settings or {}))).open()
            outcomes = [await connection.send(envelope, mark) for envelope in envelopes or [an_envelope()]]
            await connection.close()
            return outcomes

    return asyncio.run(talk())


def refusal(script, *, settings=None, **options):
    """Why a connection could not be opened."""

    async def talk():
        async with serving(script, **options) as address:
            with pytest.raises(RelayDown) as down:
                await SmtpRelay(SmtpSettings(**address, **(settings or {}))).open()
            return down.value.outcome

    return asyncio.run(talk())


def test_a_message_arrives_as_it_is():
    script = Script()

    (outcome,) = send(script, an_envelope(data=b"Subject: x\r\n\r\n..dotted\r\n"))

    (message,) = script.messages
    assert (outcome.verdict, outcome.reply.text) == (Verdict.ACCEPTED, "2.0.0 Ok: queued as 1")
    assert (message.mail_from, message.rcpt_tos) == ("b+x1@rivers.example", ["anna@lakes.example"])
    assert message.content == b"Subject: x\r\n\r\n.dotted\r\n", "doubled dots are taken off by the server"
    assert script.heard == ["MAIL", "RCPT", "DATA", "DOT", "QUIT"]


def test_a_connection_serves_message_after_message():
    script = Script()

    outcomes = send(script, *[an_envelope()] * 5)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED] * 5
    assert (script.connections, len(script.messages)) == (1, 5)


@pytest.mark.parametrize(
    ("phase", "said", "verdict", "fault"),
    [
        ("MAIL", "451 4.3.0 queue file write error", Verdict.NOT_SENT, Fault.RELAY),
        ("MAIL", "550 5.7.1 not allowed", Verdict.NOT_SENT, Fault.RELAY),
        ("RCPT", "421 4.3.2 shutting down", Verdict.NOT_SENT, Fault.RELAY),
        ("DATA", "250 2.0.0 out of step", Verdict.NOT_SENT, Fault.RELAY),
        ("DATA", "421 4.3.2 shutting down", Verdict.NOT_SENT, Fault.RELAY),
        ("DOT", "421 4.3.0 try again", Verdict.DEFERRED, Fault.RELAY),
        ("DOT", "354 again?", Verdict.UNCERTAIN, Fault.RELAY),
        ("DOT", "nonsense \x00\x07", Verdict.UNCERTAIN, Fault.RELAY),
        ("RCPT", "nonsense", Verdict.NOT_SENT, Fault.RELAY),
    ],
)
def test_after_some_replies_a_connection_is_of_no_more_use(phase, said, verdict, fault):
    script = Script(replies={phase: said})

    (outcome,) = send(script)

    assert (outcome.verdict, outcome.fault, outcome.closes) == (verdict, fault, True)
    assert outcome.words.isprintable()


@pytest.mark.parametrize(
    ("phase", "said", "verdict", "fault"),
    [
        ("RCPT", "450 4.2.0 greylisted", Verdict.DEFERRED, Fault.RECIPIENT),
        ("RCPT", "550 5.1.1 unknown", Verdict.REFUSED, Fault.RECIPIENT),
        ("RCPT", "554 5.7.1 relay access denied", Verdict.REFUSED, Fault.SENDER),
        ("DATA", "451 4.3.0 later", Verdict.DEFERRED, Fault.RELAY),
        ("DATA", "554 5.5.1 no valid recipients", Verdict.REFUSED, Fault.CONTENT),
        ("DOT", "452 4.2.2 mailbox full", Verdict.DEFERRED, Fault.RECIPIENT),
        ("DOT", "554 5.7.1 spam", Verdict.REFUSED, Fault.SENDER),
        ("DOT", "552 5.3.4 too big", Verdict.REFUSED, Fault.CONTENT),
    ],
)
def test_after_a_refusal_the_connection_serves_the_next_message(phase, said, verdict, fault):
    script = Script(replies={phase: said})

    outcomes = send(script, an_envelope(), an_envelope())

    assert [(each.verdict, each.fault, each.closes) for each in outcomes] == [(verdict, fault, False)] * 2
    assert script.connections == 1


def test_a_refusal_holds_where_the_relay_hangs_up_on_the_reset():
    script = Script(replies={"RCPT": "550 5.1.1 unknown"}, drop="RSET")

    (outcome,) = send(script)

    assert (outcome.verdict, outcome.fault, outcome.closes) == (Verdict.REFUSED, Fault.RECIPIENT, True)


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_content_is_certainly_not_sent(phase):
    (outcome,) = send(Script(drop=phase))

    assert (outcome.verdict, outcome.phase, outcome.closes) == (Verdict.NOT_SENT, Phase[phase], True)


@pytest.mark.parametrize("phase", ["CONTENT", "DOT"])
def test_a_connection_lost_from_the_content_on_leaves_doubt(phase):
    (outcome,) = send(Script(drop=phase))

    assert (outcome.verdict, outcome.phase, outcome.closes) == (Verdict.UNCERTAIN, Phase.CONTENT, True)


@pytest.mark.parametrize(
    ("phase", "verdict"),
    [
        ("MAIL", Verdict.NOT_SENT),
        ("RCPT", Verdict.NOT_SENT),
        ("DATA", Verdict.NOT_SENT),
        ("DOT", Verdict.UNCERTAIN),
    ],
)
def test_a_relay_that_stays_silent_is_given_up_after_its_time(monkeypatch, phase, verdict):
    monkeypatch.setattr(smtp, "SECONDS", dict.fromkeys(smtp.SECONDS, 0.2))

    (outcome,) = send(Script(mute=phase))

    assert (outcome.verdict, outcome.closes) == (verdict, True)


def test_a_client_waits_as_long_as_the_standard_says():
    """RFC 5321 §4.5.3.2: giving up on the final reply too early is what makes duplicates."""
    assert smtp.SECONDS == {Phase.MAIL: 300, Phase.RCPT: 300, Phase.DATA: 120, Phase.CONTENT: 600}


def test_a_connection_lost_between_two_messages_costs_the_second_nothing():
    script = Script()

    async def talk():
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**address)).open()
            first = await connection.send(an_envelope(), allowed)
            script.drop = "MAIL"
            second = await connection.send(an_envelope(), allowed)
            third = await connection.send(an_envelope(), allowed)
            await connection.close()
            return first, second, third

    outcomes = asyncio.run(talk())

    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED, Verdict.NOT_SENT, Verdict.NOT_SENT]


def test_the_mark_is_asked_for_between_354_and_the_content():
    script = Script()

    async def mark():
        script.heard.append("mark")
        return True

    send(script, mark=mark)

    assert script.heard == ["MAIL", "RCPT", "DATA", "mark", "DOT", "QUIT"]


def test_nothing_is_sent_without_the_mark_and_no_354_is_left_open():
    script = Script()

    assert send(script, mark=forbidden) == [None]
    assert script.messages == []
    assert script.heard == ["MAIL", "RCPT", "DATA"], "hung up without a word: not even an empty message is completed"


def test_what_the_ledger_raises_reaches_the_dispatcher():
    async def broken():
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        send(Script(), mark=broken)


def test_a_connection_that_is_lost_while_the_mark_is_committed_leaves_doubt():
    async def talk():
        async with serving(Script()) as address:
            connection = await SmtpRelay(SmtpSettings(**address)).open()

            async def mark():
                connection._client.close()
                return True

            return await connection.send(an_envelope(), mark)

    assert asyncio.run(talk()).verdict is Verdict.UNCERTAIN


def test_the_size_is_announced():
    script = Script()

    send(script, data_size_limit=10_000)

    assert f"SIZE={len(DATA)}" in script.messages[0].mail_options


def test_a_message_that_is_too_big_is_refused_before_it_is_sent():
    script = Script()

    (outcome,) = send(script, an_envelope(data=b"x" * 70 + b"\r\n"), data_size_limit=64)

    assert (outcome.verdict, outcome.phase, outcome.reply.code) == (Verdict.NOT_SENT, Phase.MAIL, 552)
    assert script.messages == []


def test_an_address_outside_ascii_needs_a_relay_that_takes_it():
    script = Script()

    outcomes = send(script, an_envelope(recipient="kühn@lakes.example", needs_smtputf8=True), an_envelope())

    assert [(each.verdict, each.fault) for each in outcomes] == [
        (Verdict.REFUSED, Fault.RECIPIENT),
        (Verdict.ACCEPTED, None),
    ]
    assert (script.connections, len(script.messages)) == (1, 1)


def test_an_address_outside_ascii_is_written_in_utf8():
    script = Script()

    (outcome,) = send(script, an_envelope(recipient="kühn@lakes.example", needs_smtputf8=True), enable_SMTPUTF8=True)

    assert outcome.verdict is Verdict.ACCEPTED
    assert script.messages[0].rcpt_tos == ["kühn@lakes.example"]
    assert "SMTPUTF8" in script.messages[0].mail_options


def test_a_port_where_nobody_listens_is_a_relay_that_is_away():
    async def talk():
        async with serving(Script()) as address:
            pass
        with pytest.raises(RelayDown) as down:
            await SmtpRelay(SmtpSettings(**address)).open()
        return down.value.outcome

    outcome = asyncio.run(talk())

    assert (outcome.verdict, outcome.fault, outcome.phase) == (Verdict.NOT_SENT, Fault.RELAY, Phase.CONNECT)
    assert outcome.words.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "greeting", [b"554 5.7.1 no service here\r\n", b"421 4.3.2 too many connections\r\n", b"HTTP/1.1\r\n"]
)
def test_a_relay_that_greets_us_with_a_refusal_is_away_and_blames_no_recipient(greeting):
    async def refuse(_reader, writer):
        writer.write(greeting)
        await writer.drain()
        writer.close()

    async def talk():
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            settings = SmtpSettings(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            with pytest.raises(RelayDown) as down:
                await SmtpRelay(settings).open()
        return down.value.outcome

    outcome = asyncio.run(talk())

    assert (outcome.verdict, outcome.fault, outcome.closes) == (Verdict.NOT_SENT, Fault.RELAY, True)


class Doorkeeper:
    """Authenticates one person and remembers who tried."""

    def __init__(self):
        self.tried = []

    def __call__(self, _server, _session, _envelope, _mechanism, login):
        self.tried.append(login.login.decode())
        return AuthResult(success=login.password == b"secret", handled=False)


CREDENTIALS = {"username": "anna", "password": "secret"}


def test_a_relay_that_knows_us_takes_the_message():
    script, doorkeeper = Script(), Doorkeeper()
    options = {"authenticator": doorkeeper, "auth_require_tls": False}

    (outcome,) = send(script, settings={**CREDENTIALS, "tls": Tls.NONE}, **options)

    assert (outcome.verdict, doorkeeper.tried) == (Verdict.ACCEPTED, ["anna"])


def test_a_relay_that_does_not_know_us_is_away():
    options = {"authenticator": Doorkeeper(), "auth_require_tls": False}

    outcome = refusal(Script(), settings={"username": "anna", "password": "wrong", "tls": Tls.NONE}, **options)

    assert (outcome.verdict, outcome.phase, outcome.reply.code) == (Verdict.NOT_SENT, Phase.AUTH, 535)


@pytest.mark.parametrize("password", ["secret", None])
def test_a_relay_that_wants_no_credentials_is_not_told_them(password):
    script = Script()

    outcome = refusal(script, settings={"username": "anna", "password": password, "tls": Tls.NONE})

    assert (outcome.verdict, outcome.phase, script.heard) == (Verdict.NOT_SENT, Phase.AUTH, [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody knows, with its key."""
    openssl = need("openssl", "apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, file = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=relay.example", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9999"]
    command = [openssl, "req", "-x509", *kind, *subject, "-keyout", key, "-out", file]
    subprocess.run(command, check=True, capture_output=True)
    return file, key


@pytest.fixture
def tls(certificate):
    """The server's side of TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trusted(certificate, monkeypatch):
    """This machine knows the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


def test_starttls_comes_before_everything_else(tls, trusted):
    script, doorkeeper = Script(), Doorkeeper()
    options = {"tls": tls, "require_starttls": True, "authenticator": doorkeeper, "auth_required": True}

    (outcome,) = send(script, settings=CREDENTIALS, **options)

    assert (outcome.verdict, doorkeeper.tried) == (Verdict.ACCEPTED, ["anna"])
    assert script.messages[0].rcpt_tos == ["anna@lakes.example"]


def test_tls_from_the_first_byte(tls, trusted):
    (outcome,) = send(Script(), tls=tls, implicit=True, settings={"tls": Tls.IMPLICIT})

    assert outcome.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("security", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_relay_with_an_unknown_certificate_gets_no_credentials(tls, security):
    script, doorkeeper = Script(), Doorkeeper()
    options = {"tls": tls, "implicit": security is Tls.IMPLICIT, "authenticator": doorkeeper, "auth_require_tls": False}

    outcome = refusal(script, settings={**CREDENTIALS, "tls": security}, **options)

    assert (outcome.verdict, outcome.fault) == (Verdict.NOT_SENT, Fault.RELAY)
    assert (script.heard, doorkeeper.tried) == ([], [])


def test_a_relay_that_does_not_offer_starttls_gets_nothing():
    script, doorkeeper = Script(), Doorkeeper()

    outcome = refusal(script, settings=CREDENTIALS, authenticator=doorkeeper, auth_require_tls=False)

    assert (outcome.verdict, outcome.fault) == (Verdict.NOT_SENT, Fault.RELAY)
    assert (script.heard, doorkeeper.tried) == ([], [])
