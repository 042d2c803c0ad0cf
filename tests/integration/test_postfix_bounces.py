"""Bounces that a real Postfix writes, read as they lie in a mailbox."""

import smtplib
import time

import pytest
from integration.feedback_scene import ANNA, Scene
from integration.postfix import PATIENCE, Postfix, running

from newsletter.dispatch.names import leaving_address, return_path
from newsletter.feedback.event import Cause, Kind
from subscribers.models import SuppressionReason

DOMAIN = "bounce.rivers.example"
SETTINGS = """\
virtual_mailbox_maps = texthash:{top}/conf/boxes
smtpd_reject_unlisted_recipient = no
"""
MESSAGE = """\
From: River News <news@rivers.example>
To: <{reader}>
Subject: December on the rivers
Message-ID: <{name}@rivers.example>
Precedence: bulk

Good morning.
"""


@pytest.fixture(scope="module")
def postfix():
    """A Postfix that knows nobody but the mailbox for what comes back."""
    with running(SETTINGS, boxes=f"@{DOMAIN} back/\n") as relay:
        yield relay


def back(postfix: Postfix) -> bytes:
    """The one message that lies in the mailbox, taken out of it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := list(postfix.boxes.glob("back/new/*"))):
        assert time.monotonic() < deadline, postfix.log
        time.sleep(0.05)
    octets = found[0].read_bytes()
    found[0].unlink()
    return octets


def send(postfix: Postfix, *, sender: str, to: str, message: str):
    with smtplib.SMTP("127.0.0.1", postfix.port, local_hostname="sender.example", timeout=PATIENCE) as session:
        session.sendmail(sender, [to], message.encode())


def test_a_bounce_of_postfix_proves_itself_by_the_address_it_came_to(postfix: Postfix, chosen_engine):
    scene = Scene(chosen_engine)
    name = scene.name(scene.delivery("2026-12"))
    written = MESSAGE.format(reader=ANNA, name="none")
    send(postfix, sender=return_path(name, DOMAIN), to=ANNA, message=written)

    received = scene.feedback.receive(back(postfix))

    assert (received.kind, received.is_proven) == (Kind.HARD, True)
    assert scene.suppression() is SuppressionReason.HARD_BOUNCE
    [event] = scene.feedback.page(limit=9)
    assert (event.cause, event.status) == (Cause.UNKNOWN, "5.1.1")
    assert ANNA not in event.text


def test_a_farewell_arrives_by_way_of_postfix(postfix: Postfix, chosen_engine):
    scene = Scene(chosen_engine)
    name = scene.name(scene.delivery("2026-12"))
    send(postfix, sender=ANNA, to=leaving_address(name, DOMAIN), message=f"From: <{ANNA}>\nSubject: bye\n\n")

    assert scene.feedback.receive(back(postfix)).absorbed.left == 1
