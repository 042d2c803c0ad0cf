"""
What the program sends reads the same everywhere: in Python, in Perl, and behind a real Postfix.

The messages are drawn by Hypothesis, some hundreds in the ordinary run and thousands in the long one.
"""

import email
import email.header
import email.policy
import email.utils
import json
import os
import pwd
import re
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from conftest import REQUIRE_ALL, need
from hypothesis import HealthCheck, given, settings
from integration.drawn_messages import check_wire, messages
from integration.samples import SAMPLES, THEMES, artifacts_of

from newsletter.compilation.compiler import sample_message, sample_values

SCRIPT = Path(__file__).with_name("email_mime.pl")
PATIENCE = 30

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


MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = {top}/log
maillog_file_prefixes = {top}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = static:all
virtual_mailbox_base = {boxes}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""

ADDED = ("Return-Path", "X-Original-To", "Delivered-To", "Received")
"""What every relay adds before a message."""


@pytest.fixture(scope="module")
def postfix():
    """A Postfix of our own on loopback, which delivers into a Maildir; gives what it made of a message."""
    how = "apt-get install postfix"
    need("postfix", how)
    if os.geteuid():
        pytest.skip("Postfix changes between users, which only root may")
    setpriv = need("setpriv", "apt-get install util-linux")
    top = Path(tempfile.mkdtemp(prefix="newsletter-postfix-", dir="/tmp"))
    port = _settle(top)
    command = [f"{_setting('daemon_directory')}/master", "-d", "-c", top / "conf"]
    # A killed test must not leave it behind.
    process = subprocess.Popen(
        [setpriv, "--pdeathsig=TERM", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with _connected(port, process, top) as connection:
            yield _Hop(connection, top / "boxes" / "inbox" / "new")
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(top)


def _setting(name):
    return subprocess.run(["postconf", "-dh", name], capture_output=True, check=True, text=True).stdout.strip()


def _settle(top):
    """Make the folders that Postfix expects, with their owners, and its settings; returns the port."""
    owner = pwd.getpwnam("postfix").pw_uid
    top.chmod(0o755)
    private = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved")
    for name in ("conf", "queue", "queue/pid", "data", "boxes", *(f"queue/{name}" for name in (*private, "trace"))):
        (top / name).mkdir(mode=0o755)
    for name in ("data", "boxes", *(f"queue/{name}" for name in (*private, "trace"))):
        (top / name).chmod(0o700)
        shutil.chown(top / name, owner)
    for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
        (top / "queue" / name).mkdir()
        shutil.chown(top / "queue" / name, owner, "postdrop")
        (top / "queue" / name).chmod(mode)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"top": top, "queue": top / "queue", "data": top / "data", "boxes": top / "boxes", "uid": owner}
    (top / "conf" / "main.cf").write_text(MAIN.format(**places))
    (top / "conf" / "master.cf").write_text(MASTER.format(port=port))
    return port


def _connected(port, process, top):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port, local_hostname="sender.example", timeout=PATIENCE)
        except OSError:
            log = top / "log"
            assert process.poll() is None, log.read_text() if log.exists() else "Postfix has ended"
            assert time.monotonic() < deadline, "Postfix does not listen"
            time.sleep(0.02)


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
        delivered = file.read_bytes().replace(b"\n", b"\r\n")
        file.unlink()
        start = delivered.index(b"\r\nFrom:") + 2
        return delivered[:start], delivered[start:]


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
