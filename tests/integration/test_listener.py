"""The listener, spoken to over real SMTP and LMTP."""

import asyncio
import contextlib
import smtplib
import threading

import pytest
from integration.feedback_scene import Scene
from unit.newsletter.feedback.corpus import CORPUS

from newsletter.feedback import listener as module
from newsletter.feedback.listener import Listener
from subscribers.models import SuppressionReason

DOMAIN = "bounce.rivers.example"
NAME = "b+2a-0123456789abcdef0123@bounce.rivers.example"
MESSAGE = b"Subject: one\r\n\r\nHello.\r\n"


class Kept:
    """Takes what is absorbed; with `fails` it cannot."""

    def __init__(self):
        self.messages = []
        self.fails = False

    def __call__(self, octets, recipients):
        if self.fails:
            raise OSError("the disk is full")
        self.messages.append((octets, recipients))


@pytest.fixture
def kept():
    return Kept()


@contextlib.contextmanager
def listening(take, *, lmtp=False):
    """Run a listener in a thread of its own; yields its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listener = Listener(take, domain=DOMAIN, lmtp=lmtp)
    try:
        yield asyncio.run_coroutine_threadsafe(listener.start("127.0.0.1", 0), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(listener.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def port(kept):
    with listening(kept) as taken:
        yield taken


@pytest.fixture
def client(port):
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as session:
        session.ehlo("mx.lakes.example")
        yield session


def test_what_comes_back_is_absorbed_before_it_is_accepted(client, kept):
    assert client.sendmail("", [NAME], MESSAGE) == {}
    assert kept.messages == [(MESSAGE, (NAME,))]


def test_lmtp_is_spoken_as_well(kept):
    with listening(kept, lmtp=True) as port, smtplib.LMTP("127.0.0.1", port) as session:
        assert session.sendmail("", [NAME], MESSAGE) == {}
    assert kept.messages == [(MESSAGE, (NAME,))]


@pytest.mark.parametrize("local", ["leave+2a-0123456789abcdef0123", "B+2A-0123456789ABCDEF0123", "abuse", "Postmaster"])
def test_the_addresses_for_what_comes_back_are_taken(client, local):
    client.mail("")
    assert client.rcpt(f"{local}@{DOMAIN.upper()}")[0] == 250


@pytest.mark.parametrize(
    "address", ["anna@lakes.example", f"anna@{DOMAIN}", "b@lakes.example", f"x+b@{DOMAIN}", "b+2a-01@clubs.example"]
)
def test_nothing_is_relayed(client, kept, address):
    client.mail("news@rivers.example")
    code, words = client.rcpt(address)

    assert (code, words) == (550, b"5.7.1 nothing is relayed here")
    assert kept.messages == []


def test_a_second_recipient_is_asked_to_wait_for_the_next_transaction(client):
    client.mail("")
    assert [client.rcpt(NAME)[0], client.rcpt(f"abuse@{DOMAIN}")[0]] == [250, 452]


def test_what_could_not_be_absorbed_is_to_be_sent_again(client, kept):
    kept.fails = True
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("", [NAME], MESSAGE)
    assert refused.value.smtp_code == 451

    kept.fails = False
    assert client.sendmail("", [NAME], MESSAGE) == {}


def test_a_message_that_is_too_big_is_refused(client, kept):
    with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPDataError)) as refused:
        client.sendmail("", [NAME], MESSAGE + b"x" * 1_100_000)
    assert refused.value.smtp_code == 552
    assert kept.messages == []


def test_one_connection_too_many_is_told_to_come_back(port, monkeypatch):
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 1)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as first:
        first.ehlo()
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", port, timeout=10)
        assert refused.value.smtp_code == 421
        assert first.noop()[0] == 250


def test_a_bounce_that_is_accepted_has_ended_the_mail_to_its_address(chosen_engine):
    scene = Scene(chosen_engine)
    name = scene.name(scene.delivery("2026-12"))
    bounce = next(one for one in CORPUS if one.label == "qmail: no mailbox").octets(name)

    def take(octets, recipients):
        scene.feedback.receive(octets, recipients=recipients, source="listener")

    with listening(take) as port, smtplib.SMTP("127.0.0.1", port, timeout=10) as session:
        session.sendmail("", [f"b+{name}@{DOMAIN}"], bounce)
        assert scene.suppression() is SuppressionReason.HARD_BOUNCE


def test_whoever_is_connected_at_the_end_is_let_go(kept):
    with contextlib.ExitStack() as stack:
        with listening(kept) as port:
            session = stack.enter_context(smtplib.SMTP("127.0.0.1", port, timeout=10))
            session.ehlo()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            session.noop()


def test_a_listener_that_never_listened_can_be_closed(kept):
    listener = Listener(kept, domain=DOMAIN)
    asyncio.run(listener.close())
    with pytest.raises(RuntimeError, match="after shutdown"):
        listener._thread.submit(kept, MESSAGE, [NAME])
