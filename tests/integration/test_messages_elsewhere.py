"""
What the program sends reads the same everywhere: in Python, in Perl, and behind a real Postfix.

The messages are drawn by Hypothesis, some hundreds in the ordinary run and thousands in the long one.
"""

import email
import email.header
import email.policy
import email.utils
import json
import re
import smtplib
import subprocess
import time
from base64 import b64encode
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from integration.drawn_messages import check_wire, messages
from integration.postfix import ADDED, PATIENCE, running, split
from integration.samples import SAMPLES, THEMES, artifacts_of
from programs import REQUIRE_ALL, need

from newsletter.compilation.compiler import sample_message, sample_values

SCRIPT = Path(__file__).with_name("email_mime.pl")
LARGEST = 78_000
"""Octets in transfer encoding: Gmail cuts near 102 kB, and a sample has to leave room for a longer issue."""

some = settings(max_examples=150, suppress_health_check=list(HealthCheck))
many = settings(max_examples=2500, suppress_health_check=list(HealthCheck))


def lines(text):
    return text.replace("\r\n", "\n")


def uris(value):
    return tuple(re.findall(r"<([^<>]*)>", re.sub(r"\s", "", value)))


def without_blanks(text):
    # Python's newer parser puts blanks between the encoded-words of a name, which RFC 2047 §6.2 forbids.
    return "".join(text.split())


def single_blanks(text):
    # RFC 5322 §3.2.2: a reader may take any run of blanks between the words of a name as one.
    return " ".join(text.split())


def check_python(drawn):
    message = email.message_from_bytes(drawn.data, policy=email.policy.default)
    assert not message.defects
    assert str(message["Subject"]) == drawn.subject
    for name, (display, address) in (("From", drawn.sender), ("To", drawn.reader), ("Reply-To", ("", drawn.reply_to))):
        [found] = message[name].addresses
        assert found.addr_spec == address
        assert without_blanks(found.display_name) == without_blanks(display)
    assert uris(message["List-Unsubscribe"]) == drawn.uris
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-ID"].strip() == f"<{drawn.list_id}>"
    assert message["Feedback-ID"].strip() == drawn.feedback_id
    assert message["Message-ID"].strip() == f"<{drawn.message_id}>"
    bodies = [(part.get_content_type(), lines(part.get_content())) for part in message.iter_parts()]
    assert bodies == [("text/plain", drawn.text), ("text/html", drawn.html)]


def check_old_python(drawn):
    message = email.message_from_bytes(drawn.data, policy=email.policy.compat32)
    assert not message.defects
    assert decoded(message["Subject"]) == drawn.subject
    for name, (display, address) in (("From", drawn.sender), ("To", drawn.reader), ("Reply-To", ("", drawn.reply_to))):
        [(found, addr_spec)] = email.utils.getaddresses([message[name]])
        assert addr_spec == address
        assert single_blanks(decoded(found)) == single_blanks(display)
    assert uris(message["List-Unsubscribe"]) == drawn.uris
    bodies = [part.get_payload(decode=True).decode() for part in message.get_payload()]
    assert list(map(lines, bodies)) == [drawn.text, drawn.html]


def decoded(value):
    """A field of words as the standard library reads it, without the blanks of its folding."""
    return str(email.header.make_header(email.header.decode_header(re.sub(r"\r\n", "", value))))


def check_perl(perl, drawn):
    told = perl(drawn.data)
    assert told["Subject"] == drawn.subject
    for name, (display, address) in (("From", drawn.sender), ("To", drawn.reader), ("Reply-To", ("", drawn.reply_to))):
        [[found, addr_spec]] = told[name]
        assert addr_spec == address
        assert single_blanks(found) == single_blanks(display)
    assert uris(told["List-Unsubscribe"]) == drawn.uris
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert told["List-ID"].strip() == f"<{drawn.list_id}>"
    assert told["Feedback-ID"].strip() == drawn.feedback_id
    assert told["Message-ID"].strip() == f"<{drawn.message_id}>"
    assert [[kind, lines(body)] for kind, body in told["bodies"]] == [
        ["text/plain", drawn.text],
        ["text/html", drawn.html],
    ]


@pytest.fixture(scope="module")
def perl():
    """A process of Perl that reads messages with Email::MIME; gives what it says of one."""
    program = need("perl", "apt-get install perl")
    if subprocess.run([program, "-MEmail::MIME", "-e", "1"], capture_output=True, check=False).returncode:
        message = "Email::MIME is missing: apt-get install libemail-mime-perl"
        (pytest.fail if REQUIRE_ALL else pytest.skip)(message)
    with subprocess.Popen(
        [program, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:

        def read(data):
            process.stdin.write(b64encode(data) + b"\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline() or pytest.fail(process.stderr.read().decode()))

        yield read
        process.stdin.close()


@pytest.fixture(scope="module")
def postfix():
    """A Postfix of our own, which delivers into one Maildir; gives what it made of a message."""
    with (
        running("virtual_mailbox_maps = static:inbox/\n") as relay,
        smtplib.SMTP("127.0.0.1", relay.port, local_hostname="sender.example", timeout=PATIENCE) as connection,
    ):
        yield _Hop(connection, relay.boxes / "inbox" / "new")


class _Hop:
    """Sends a message and waits for it."""

    def __init__(self, connection, box):
        self._connection, self._box, self._numbers = connection, box, count()

    def __call__(self, data):
        """The fields that Postfix has put before the message, and the message, with CRLF as on the wire."""
        self._connection.sendmail("bounce@news.example", [f"reader{next(self._numbers)}@readers.example"], data)
        deadline = time.monotonic() + PATIENCE
        while not (self._box.exists() and (found := list(self._box.iterdir()))):
            assert time.monotonic() < deadline, "not delivered"
            time.sleep(0.001)
        [file] = found
        delivered = file.read_bytes()
        file.unlink()
        return split(delivered)


@given(drawn=messages())
@some
def test_a_message_reads_back_as_it_was_meant_in_python_and_in_perl(perl, drawn):
    check_wire(drawn.data)
    check_python(drawn)
    check_old_python(drawn)
    check_perl(perl, drawn)


@pytest.mark.long
@pytest.mark.timeout(600)
@given(drawn=messages())
@many
def test_thousands_of_messages_read_back_as_they_were_meant(perl, drawn):
    check_wire(drawn.data)
    check_python(drawn)
    check_old_python(drawn)
    check_perl(perl, drawn)


def check_hop(postfix, drawn):
    added, message = postfix(drawn.data)
    assert message == drawn.data
    assert set(re.findall(rb"^([\w-]+):", added, re.MULTILINE)) <= {name.encode() for name in ADDED}


@given(drawn=messages())
@some
def test_a_message_comes_out_of_postfix_byte_for_byte(postfix, drawn):
    check_hop(postfix, drawn)


@pytest.mark.long
@pytest.mark.timeout(600)
@given(drawn=messages())
@many
def test_thousands_of_messages_come_out_of_postfix_byte_for_byte(postfix, drawn):
    check_hop(postfix, drawn)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_behind_postfix_both_bodies_of_every_edition_are_those_of_the_build(postfix, sample, theme):
    for artifact in artifacts_of(sample, theme):
        _, delivered = postfix(sample_message(artifact))
        message = email.message_from_bytes(delivered, policy=email.policy.default)
        built = artifact.text_for(sample_values(artifact)), artifact.html_for(sample_values(artifact))
        bodies = [lines(part.get_content()) for part in message.iter_parts()]
        assert [digest(body) for body in bodies] == [digest(body) for body in built]
        check_wire(delivered)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_largest_message_of_every_edition_leaves_room_below_what_mailboxes_cut(sample, theme):
    for artifact in artifacts_of(sample, theme):
        assert len(sample_message(artifact)) < artifact.size < LARGEST, artifact.name


def digest(body):
    return sha256(body.encode()).hexdigest()
