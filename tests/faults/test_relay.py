"""The fault relay itself: what it takes, how it misbehaves when told to, and what it will not have."""

import contextlib
import hashlib
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from faults.certificates import Authority
from faults.relay import Options, Relay, running, seen, tag, taken
from faults.script import Act, Drop, Rule, Script, Step, Way, rules_from, rules_to, told_by

MESSAGE = b"Message-ID: <m1@news.example>\r\nSubject: Agenda\r\n\r\nGood morning\r\n"
ENVELOPE = b"MAIL FROM:<news@rivers.example>\r\nRCPT TO:<%s>\r\nDATA\r\n"


@pytest.fixture
def relay(tmp_path):
    with running(Relay(tmp_path / "relay")) as made:
        yield made


class Client:
    """A raw connection: what is written is written as it is."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self.socket.makefile("rb")

    def line(self):
        return self._file.readline().decode().rstrip("\r\n")

    def reply(self):
        """The last line of a reply."""
        while (line := self.line())[3:4] == "-":
            pass
        return line

    def write(self, data):
        self.socket.sendall(data)

    def says(self, data):
        self.write(data)
        return self.reply()

    def close(self):
        self._file.close()
        self.socket.close()


@pytest.fixture
def client(relay):
    made = Client(relay.port)
    assert made.reply().startswith("220")
    assert made.says(b"EHLO client.example\r\n").startswith("250")
    yield made
    made.close()


def send(relay, recipient, *, message=MESSAGE):
    """One message by a client that is not ours; the code that ended it."""
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=10) as smtp:
        smtp.ehlo()
        try:
            smtp.sendmail("news@rivers.example", [recipient], message)
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[recipient][0]
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
    return 250


def envelope(recipient="accept+1@lakes.example"):
    return ENVELOPE % recipient.encode()


def test_what_is_taken_is_in_the_log_with_its_digest(relay):
    assert send(relay, "accept+1@lakes.example") == 250

    (message,) = taken(relay.folder)
    assert message[:3] == ("m1@news.example", "accept+1@lakes.example", hashlib.sha256(MESSAGE).hexdigest())
    assert message.connection == 1
    assert seen(relay.folder) == []


def test_dots_are_unstuffed_before_the_digest(relay):
    message = MESSAGE + b".\r\n..two\r\n"

    send(relay, "accept+1@lakes.example", message=message)

    assert taken(relay.folder)[0].sha256 == hashlib.sha256(message).hexdigest()


@pytest.mark.parametrize(
    ("local", "codes", "count"),
    [
        ("accept+1", [250, 250], 2),
        ("refuse+rcpt-550+1", [550, 550], 0),
        ("refuse+data-554+1", [554, 554], 0),
        ("refuse+dot-552+1", [552, 552], 0),
        ("defer+rcpt-450+1", [450, 250], 1),
        ("defer+dot-451+1", [451, 250], 1),
        ("slow+dot-0.01+1", [250], 1),
        ("slice+rcpt+1", [250], 1),
        ("nothing-known+rcpt-550", [250], 1),
    ],
)
def test_a_local_part_asks_for_what_it_gets(relay, local, codes, count):
    recipient = f"{local}@lakes.example"

    assert [send(relay, recipient) for _ in codes] == codes
    assert len(taken(relay.folder)) == count


@pytest.mark.parametrize(("local", "count"), [("drop+rcpt+1", 0), ("drop+dot+1", 0), ("drop-after-dot+1", 1)])
def test_a_connection_that_is_dropped_has_taken_what_the_log_says(relay, local, count):
    recipient = f"{local}@lakes.example"

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(relay, recipient)

    assert len(taken(relay.folder)) == count
    assert send(relay, recipient) == 250


def test_silence_keeps_the_connection(relay, client):
    client.write(b"MAIL FROM:<>\r\nRCPT TO:<mute+rcpt+1@lakes.example>\r\n")

    assert client.reply().startswith("250 2.1.0")
    client.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)


def test_a_content_and_the_next_envelope_may_share_a_write(relay, client):
    client.write(envelope("accept+1@lakes.example"))
    assert [client.reply()[:3] for _ in range(3)] == ["250", "250", "354"]

    client.write(MESSAGE + b".\r\n" + envelope("accept+2@lakes.example"))

    assert [client.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
    assert [message.recipient for message in taken(relay.folder)] == ["accept+1@lakes.example"]
    assert seen(relay.folder) == []
    assert relay.pipelined[1] == 5


def test_replies_bear_the_tag_of_their_recipient(client):
    client.write(b"MAIL FROM:<>\r\nRCPT TO:<a@lakes.example>\r\n")

    assert client.reply() == "250 2.1.0 sender taken"
    assert client.reply() == f"250 2.1.5 recipient taken {tag('a@lakes.example')}"


@pytest.mark.parametrize(
    ("written", "replies", "blame"),
    [
        (b"EHLO x\r\nMAIL FROM:<>\r\n", 2, "input behind EHLO"),
        (envelope() + b"x", 3, "input behind DATA"),
        (b"NOOP\n", 1, "half a line end in a command"),
        (b"NO\rOP\r\n", 1, "half a line end in a command"),
    ],
)
def test_input_that_comes_too_early_or_ends_wrong_is_noted(relay, client, written, replies, blame):
    client.write(written)
    for _ in range(replies):
        client.reply()

    assert seen(relay.folder) == [blame]


@pytest.mark.parametrize(
    ("content", "blame"),
    [
        (b".\r\n", ["an empty message"]),
        (b"\r\na\nb\r\n.\r\n", ["half a line end in a message"]),
        (b"\r\na\rb\r\n.\r\n", ["half a line end in a message"]),
        (b"\r\n" + b"x" * 999 + b"\r\n.\r\n", ["a long line in a message"]),
        (b"\r\n" + b"x" * 998 + b"\r\n.\r\n", []),
    ],
)
def test_a_message_that_must_not_be_is_noted(relay, client, content, blame):
    client.write(envelope())
    for _ in range(3):
        client.reply()

    assert client.says(content).startswith("250")
    assert seen(relay.folder) == blame


def test_nothing_is_pipelined_where_that_is_not_offered(tmp_path):
    with running(Relay(tmp_path, options=Options(extensions=()))) as relay:
        client = Client(relay.port)
        client.reply()
        client.says(b"EHLO x\r\n")
        client.write(b"MAIL FROM:<>\r\nRCPT TO:<a@lakes.example>\r\n")
        assert [client.reply()[:3] for _ in range(2)] == ["250", "250"]
        client.close()

    assert seen(tmp_path) == ["input behind MAIL"]


def test_commands_out_of_order_and_too_much_are_refused(relay, client):
    assert client.says(b"RCPT TO:<a@lakes.example>\r\n").startswith("503")
    assert client.says(b"DATA\r\n").startswith("554")
    assert client.says(b"MAIL FROM:<> SIZE=99999999\r\n").startswith("552")
    assert client.says(b"MAIL FROM:<>\r\n").startswith("250")
    assert client.says(b"MAIL FROM:<>\r\n").startswith("503")
    assert client.says("RCPT TO:<zoë@lakes.example>\r\n".encode()).startswith("553 5.6.7")
    assert client.says(b"RSET\r\n").startswith("250")
    assert client.says("MAIL FROM:<> SMTPUTF8\r\nRCPT TO:<zoë@lakes.example>\r\n".encode()).startswith("250")
    assert client.reply().startswith("250")
    assert client.says(b"VRFY a\r\n").startswith("500")
    assert client.says(b"NOOP\r\n").startswith("250")
    assert client.says(b"QUIT\r\n").startswith("221")
    assert client.line() == ""


@pytest.mark.parametrize(
    ("act", "lines"),
    [
        (Act(way=Way.OMIT), ["250 2.1.0", "354 go ah"]),
        (Act(way=Way.TWICE), ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354 go ah"]),
        (Act(way=Way.MERGE), ["250 2.1.0", "250 2.1.5", "354 go ah"]),
        (Act(way=Way.SWAP), ["250 2.1.0", "354 go ah", "250 2.1.5"]),
        (Act(before="421 4.3.2 Closing\r\n"), ["250 2.1.0", "421 4.3.2", "250 2.1.5", "354 go ah"]),
        (Act(after_it="250 more\r\n"), ["250 2.1.0", "250 2.1.5", "250 more", "354 go ah"]),
        (Act(flood=100), ["250 2.1.0", "250 2.1.5", "354 go ah"]),
        (Act(reply="450 4.2.0 later"), ["250 2.1.0", "450 4.2.0", "554 5.5.1"]),
    ],
)
def test_replies_come_out_of_step_when_told_to(relay, client, act, lines):
    relay.script = Script([Rule(step=Step.RCPT, act=act, nth=1)])

    client.write(envelope())

    assert [client.reply()[:9] for _ in lines] == lines


def test_a_reply_of_a_megabyte_is_written_to_its_end(relay, client):
    relay.script = Script([Rule(step=Step.MAIL, act=Act(flood=1_000_000))])

    client.write(b"MAIL FROM:<>\r\n")

    length = 0
    while (line := client.line()).startswith("250-"):
        length += len(line) + 2
    assert 1_000_000 <= length < 1_000_100
    assert line.startswith("250 2.1.0")


@pytest.mark.parametrize("how", Drop)
def test_a_connection_ends_in_the_middle_of_a_content(relay, client, how):
    relay.script = Script([Rule(step=Step.CONTENT, act=Act(drop=how, after=10))])
    client.write(envelope())
    for _ in range(3):
        client.reply()

    client.write(MESSAGE)

    with contextlib.suppress(ConnectionResetError):
        assert client.socket.recv(100) == b""
    assert taken(relay.folder) == []


def test_an_early_refusal_reads_no_more(relay, client):
    relay.script = Script([Rule(step=Step.CONTENT, act=Act(reply="550 5.7.1 enough", after=10))])
    client.write(envelope())
    for _ in range(3):
        client.reply()

    assert client.says(MESSAGE[:20]).startswith("550 5.7.1")


def test_rules_hold_on_one_connection_for_a_while_or_by_chance(tmp_path):
    script = Script(
        [
            Rule(step=Step.MAIL, act=Act(reply="451 a"), connection=2),
            Rule(step=Step.RCPT, act=Act(reply="450 b"), limit=2),
            Rule(step=Step.DOT, act=Act(drop=Drop.RST), odds=0.5),
            Rule(step=Step.DATA, act=Act(mute=True), recipient="b@"),
        ],
        seed=1,
    )

    assert [script.act(Step.MAIL, connection=number, nth=1).reply for number in (1, 2)] == [None, "451 a"]
    assert [script.act(Step.RCPT, connection=1, nth=1).reply for _ in range(3)] == ["450 b", "450 b", None]
    dropped = sum(script.act(Step.DOT, connection=1, nth=1).drop is Drop.RST for _ in range(200))
    assert 70 < dropped < 130
    assert script.act(Step.DATA, connection=1, nth=1, recipient="b@lakes.example").mute
    assert not script.act(Step.DATA, connection=1, nth=1, recipient="c@lakes.example").mute
    assert rules_from(json.loads(json.dumps(rules_to(script.rules)))) == script.rules


def test_a_local_part_is_read_whatever_its_case():
    assert told_by("Defer+RCPT-450+7@lakes.example", Step.RCPT, is_first=True).reply == "450 4.2.0 as the address asks"
    assert told_by("defer+rcpt-450+7@lakes.example", Step.DOT, is_first=True) == Act()


@pytest.mark.parametrize("is_implicit", [True, False])
def test_tls_and_login_are_asked_for(tmp_path, is_implicit):
    authority = Authority(tmp_path)
    options = Options(tls=authority.context(), is_implicit=is_implicit, login=("rivers", "secret"))
    trusting = ssl.create_default_context(cafile=authority.file)
    with running(Relay(tmp_path / "relay", options=options)) as relay:
        if is_implicit:
            smtp = smtplib.SMTP_SSL("localhost", relay.port, timeout=10, context=trusting)
        else:
            smtp = smtplib.SMTP("localhost", relay.port, timeout=10)
            smtp.starttls(context=trusting)
        with smtp:
            smtp.ehlo()
            assert smtp.mail("news@rivers.example")[0] == 530
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login("rivers", "guess")
            smtp.user, smtp.password = "rivers", "secret"
            assert smtp.auth("LOGIN", smtp.auth_login)[0] == 235
            smtp.sendmail("news@rivers.example", ["accept+1@lakes.example"], MESSAGE)
        assert len(taken(relay.folder)) == 1
        assert len(seen(relay.folder, "login")) >= 2


@pytest.mark.parametrize(("host", "days"), [("elsewhere.example", (-1, 30)), ("localhost", (-30, -1))])
def test_a_wrong_certificate_is_wrong(tmp_path, host, days):
    authority = Authority(tmp_path)
    options = Options(tls=authority.context(host, days=days), is_implicit=True)
    with running(Relay(tmp_path / "relay", options=options)) as relay, pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("localhost", relay.port, context=ssl.create_default_context(cafile=authority.file))


def test_a_relay_of_its_own_process_keeps_what_it_took_when_it_is_killed(tmp_path):
    rules = rules_to([Rule(step=Step.DOT, act=Act(reply="451 4.3.0 first"), limit=1)])
    process = subprocess.Popen(
        [sys.executable, "-m", "faults.relay", str(tmp_path), "--rules", json.dumps(rules)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            port = int(process.stdout.readline())
            client = Client(port)
            client.reply()
            client.says(b"EHLO x\r\n")
            for expected in ("451", "250"):
                client.write(envelope())
                for _ in range(3):
                    client.reply()
                assert client.says(MESSAGE + b".\r\n").startswith(expected)
            client.close()
        finally:
            process.send_signal(signal.SIGKILL)

    assert [message.name for message in taken(tmp_path)] == ["m1@news.example"]
