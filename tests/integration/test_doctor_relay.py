"""The doctor looks at relays that are real servers on loopback."""

import datetime as dt
import ipaddress
import socket
import ssl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.doctor.relay import RelayFacts, probe
from newsletter.settings import SmtpSettings, Tls

LOGIN = {"username": "ada", "password": "secret"}


class Taking:
    """Takes no message: the doctor sends none."""

    def __init__(self):
        self.commands = []

    async def handle_MAIL(self, _server, _session, _envelope, address, _options):  # noqa: N802  aiosmtpd's name
        self.commands.append(address)
        return "550 none of that"


class Listening(Controller):
    """Takes a free port, and knows which."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def start():
    """Starts relays; they end with the test."""
    started = []

    def start(**options):
        controller = Listening(Taking(), hostname="127.0.0.1", port=0, **options)
        controller.start()
        started.append(controller)
        return controller

    yield start
    for controller in started:
        assert controller.handler.commands == []
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A PEM file with a key and a certificate of 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "relay.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


@pytest.fixture
def context(certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def looked(controller, **settings):
    return probe(SmtpSettings(host="127.0.0.1", port=controller.port, **settings))


def admit(_server, _session, _envelope, _mechanism, data):
    knows = data.password == b"secret"
    return AuthResult(success=knows, handled=knows)


def test_a_relay_in_clear_tells_what_it_can_do(start):
    facts = looked(start())
    assert (facts.step, facts.tls, facts.has_authenticated) == ("", "", False)
    assert {"size", "8bitmime", "smtputf8"} <= set(facts.extensions)


def test_a_relay_that_nobody_runs_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    facts = probe(SmtpSettings(host="127.0.0.1", port=port))
    assert facts.step == "connect"
    assert "refused" in facts.failed


def test_a_relay_is_secured_and_its_extensions_are_those_after_that(start, context, certificate):
    facts = looked(start(tls_context=context), tls=Tls.STARTTLS, ca_file=certificate)
    assert facts.failed == ""
    assert facts.tls.startswith("TLSv1.")
    assert "starttls" not in facts.extensions


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_relay_that_cannot_be_secured_says_so(start, tls):
    facts = looked(start(), tls=tls)
    assert facts.step == "tls"
    assert facts.failed


def test_a_certificate_that_nobody_vouches_for_is_no_security(start, context):
    facts = looked(start(tls_context=context), tls=Tls.STARTTLS)
    assert facts.step == "tls"
    assert "certificate" in facts.failed


def test_a_login_is_tried(start, context, certificate):
    secured = {"tls": Tls.STARTTLS, "ca_file": certificate}
    relay = start(tls_context=context, authenticator=admit)
    assert looked(relay, **LOGIN, **secured).has_authenticated
    refused = looked(relay, **{**LOGIN, "password": "guess"}, **secured)
    assert refused == RelayFacts(step="auth", failed="535 5.7.8 Authentication credentials invalid")


def test_a_relay_without_a_login_is_told(start):
    facts = looked(start(), **LOGIN, tls=Tls.NONE)
    assert (facts.step, facts.failed) == ("auth", "SMTP AUTH extension not supported by server.")
