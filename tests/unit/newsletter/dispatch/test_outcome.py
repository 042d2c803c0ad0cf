"""What a relay's reply means, and whose fault it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.outcome import LONGEST_REPLY, Fault, Outcome, Phase, Verdict, classify, one_line, reply

ACCEPTED, DEFERRED, REFUSED = Verdict.ACCEPTED, Verdict.DEFERRED, Verdict.REFUSED
NOT_SENT, UNCERTAIN = Verdict.NOT_SENT, Verdict.UNCERTAIN
RECIPIENT, SENDER, CONTENT, RELAY = Fault.RECIPIENT, Fault.SENDER, Fault.CONTENT, Fault.RELAY

REPLIES = [
    # what relays say when they take a message
    (Phase.CONTENT, 250, "2.0.0 Ok: queued as 4Xq2mT0Q9Hz1y", ACCEPTED, None),
    (Phase.CONTENT, 250, "OK id=1tKx9S-00000004Gj1-2aBc", ACCEPTED, None),
    (Phase.CONTENT, 250, "2.6.0 <m@news.example> [InternalId=77] Queued mail for delivery", ACCEPTED, None),
    (Phase.CONTENT, 251, "User not local; will forward", ACCEPTED, None),
    # before RCPT nothing is said about anybody
    (Phase.CONNECT, 421, "4.3.2 Service not available", NOT_SENT, RELAY),
    (Phase.CONNECT, 554, "5.7.1 No SMTP service here", NOT_SENT, RELAY),
    (Phase.CONNECT, 550, "5.7.1 Service unavailable, client host blocked using a list", NOT_SENT, RELAY),
    (Phase.HELLO, 501, "Syntax error in EHLO argument", NOT_SENT, RELAY),
    (Phase.HELLO, 454, "4.7.0 TLS not available due to local problem", NOT_SENT, RELAY),
    (Phase.AUTH, 535, "5.7.8 Error: authentication failed", NOT_SENT, RELAY),
    (Phase.AUTH, 454, "4.7.0 Temporary authentication failure", NOT_SENT, RELAY),
    (Phase.MAIL, 530, "5.7.0 Must issue a STARTTLS command first", NOT_SENT, RELAY),
    (Phase.MAIL, 451, "4.3.0 Error: queue file write error", NOT_SENT, RELAY),
    (Phase.MAIL, 452, "4.3.1 Insufficient system storage", NOT_SENT, RELAY),
    (Phase.MAIL, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", NOT_SENT, RELAY),
    (Phase.MAIL, 552, "5.3.4 Message size exceeds fixed limit", NOT_SENT, RELAY),
    (Phase.MAIL, 553, "5.1.8 Sender domain not found", NOT_SENT, RELAY),
    # unknown people
    (Phase.RCPT, 550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.1.1 The email account that you tried to reach does not exist.", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.1.2 Bad destination system address", REFUSED, RECIPIENT),
    (Phase.RCPT, 553, "5.1.3 Bad destination mailbox address syntax", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.1.6 Mailbox has moved", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.1.0 Address rejected.", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "No such user here", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "Unrouteable address", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "Requested action not taken: mailbox unavailable", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.0.0 <a@b.example>... User unknown", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "User unknown in relay recipient table", REFUSED, RECIPIENT),
    (Phase.RCPT, 551, "User not local; please try elsewhere", REFUSED, RECIPIENT),
    (Phase.RCPT, 553, "Requested action not taken: mailbox name not allowed", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "not a valid mailbox", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "5.6.7 Address requires SMTPUTF8", REFUSED, RECIPIENT),
    (Phase.CONTENT, 554, "delivery error: dd This user doesn't have an account here", REFUSED, RECIPIENT),
    # disabled and full mailboxes
    (Phase.RCPT, 550, "5.2.1 The email account that you tried to reach is disabled.", REFUSED, RECIPIENT),
    (Phase.RCPT, 554, "5.2.0 Mailbox not accepting messages", REFUSED, RECIPIENT),
    (Phase.RCPT, 550, "Account inactive", REFUSED, RECIPIENT),
    (Phase.RCPT, 452, "4.2.2 The email account that you tried to reach is over quota.", DEFERRED, RECIPIENT),
    (Phase.RCPT, 552, "5.2.2 Mailbox full", REFUSED, RECIPIENT),
    (Phase.RCPT, 452, "Mailbox full, try again later", DEFERRED, RECIPIENT),
    (Phase.CONTENT, 552, "Requested mail action aborted: exceeded storage allocation", REFUSED, RECIPIENT),
    (Phase.CONTENT, 552, "mailbox is over limit", REFUSED, RECIPIENT),
    # greylisting and other waits
    (Phase.RCPT, 450, "4.2.0 <a@b.example>: Recipient address rejected: Greylisted", DEFERRED, RECIPIENT),
    (Phase.RCPT, 451, "4.7.1 Greylisting in action, please come back later", DEFERRED, RELAY),
    (Phase.RCPT, 451, "Temporary local problem - please try later", DEFERRED, RELAY),
    (Phase.RCPT, 450, "4.1.2 Recipient address rejected: Domain not found", DEFERRED, RECIPIENT),
    (Phase.RCPT, 450, "Client host rejected: cannot find your hostname", DEFERRED, RELAY),
    (Phase.RCPT, 452, "4.5.3 Too many recipients", DEFERRED, CONTENT),
    (Phase.DATA, 451, "4.3.0 Temporary server error. Please try again later", DEFERRED, RELAY),
    (Phase.CONTENT, 451, "4.3.0 Message held by filter, please resubmit", DEFERRED, RELAY),
    (Phase.CONTENT, 450, "4.4.2 Bad connection", DEFERRED, RELAY),
    (Phase.RCPT, 550, "5.4.1 All relays failed", REFUSED, RELAY),
    (Phase.RCPT, 554, "5.3.2 System not accepting network messages", REFUSED, RELAY),
    # 421: the relay closes; only the reply to the dot says something about the message
    (Phase.RCPT, 421, "4.7.0 Too many errors on this connection", NOT_SENT, RELAY),
    (Phase.DATA, 421, "4.4.2 Timeout exceeded", NOT_SENT, RELAY),
    (Phase.CONTENT, 421, "4.3.0 Please try again later", DEFERRED, RELAY),
    (Phase.CONTENT, 421, "4.7.28 Our system has detected an unusual rate of mail", DEFERRED, RELAY),
    # what is said about the sender never counts against a subscriber
    (Phase.RCPT, 554, "5.7.1 <news@a.example>: Relay access denied", REFUSED, SENDER),
    (Phase.RCPT, 550, "5.7.1 Message rejected due to local policy.", REFUSED, SENDER),
    (Phase.RCPT, 550, "5.7.26 Unauthenticated mail is not accepted due to DMARC policy", REFUSED, SENDER),
    (Phase.RCPT, 550, "5.1.7 Invalid sender", REFUSED, SENDER),
    (Phase.RCPT, 550, "5.1.8 Bad sender's system address", REFUSED, SENDER),
    (Phase.RCPT, 550, "SPF record of the domain not found", REFUSED, SENDER),
    (Phase.RCPT, 550, "Sender verify failed: unknown user", REFUSED, SENDER),
    (Phase.RCPT, 550, "relay not permitted", REFUSED, SENDER),
    (Phase.RCPT, 550, "reverse DNS for your host does not exist", REFUSED, SENDER),
    (Phase.RCPT, 554, "Your host is listed at a list of dial-up lines", REFUSED, SENDER),
    (Phase.RCPT, 550, "5.0.0 rejected: your message looks like spam", REFUSED, SENDER),
    (Phase.CONTENT, 554, "5.7.0 Message content rejected", REFUSED, SENDER),
    (Phase.CONTENT, 550, "High probability of spam", REFUSED, SENDER),
    # the message itself
    (Phase.CONTENT, 552, "5.3.4 Message too big for system", REFUSED, CONTENT),
    (Phase.CONTENT, 552, "5.2.3 Message length exceeds limit of the mailbox", REFUSED, CONTENT),
    (Phase.CONTENT, 552, "Message exceeds fixed maximum message size", REFUSED, CONTENT),
    (Phase.CONTENT, 554, "5.6.0 Message contains invalid header", REFUSED, CONTENT),
    (Phase.CONTENT, 554, "5.5.2 Malformed message", REFUSED, CONTENT),
    (Phase.CONTENT, 554, "Transaction failed", REFUSED, CONTENT),
    # credentials are the relay's affair wherever it asks for them
    (Phase.RCPT, 530, "5.7.0 Authentication required", REFUSED, RELAY),
    (Phase.RCPT, 535, "5.7.8 Credentials expired", REFUSED, RELAY),
    # replies out of step
    (Phase.DATA, 250, "Ok", NOT_SENT, RELAY),
    (Phase.RCPT, 354, "End data with <CR><LF>.<CR><LF>", NOT_SENT, RELAY),
    (Phase.CONTENT, 354, "End data with <CR><LF>.<CR><LF>", UNCERTAIN, RELAY),
    (Phase.CONTENT, -1, "gibberish", UNCERTAIN, RELAY),
]


@pytest.mark.parametrize(("phase", "code", "text", "verdict", "fault"), REPLIES)
def test_a_reply_is_classified_by_phase_code_and_words(phase, code, text, verdict, fault):
    outcome = classify(phase, reply(code, text))

    assert (outcome.verdict, outcome.fault) == (verdict, fault)


def test_carefully_is_not_a_full_mailbox():
    assert classify(Phase.CONTENT, reply(554, "Please read our terms carefully")).fault is CONTENT


@pytest.mark.parametrize(
    ("phase", "code", "closes"),
    [
        (Phase.MAIL, 550, True),
        (Phase.RCPT, 550, False),
        (Phase.RCPT, 421, True),
        (Phase.DATA, 250, True),
        (Phase.CONTENT, 250, False),
        (Phase.CONTENT, 450, False),
        (Phase.CONTENT, 421, True),
        (Phase.CONTENT, 354, True),
    ],
)
def test_a_connection_is_kept_unless_the_relay_closes_it_or_step_is_lost(phase, code, closes):
    assert classify(phase, reply(code, "")).closes is closes


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("2.0.0 Ok", "2.0.0"),
        ("  5.1.10 gone", "5.1.10"),
        ("see 5.1.1", None),
        ("5.1.1.4 is an address of nothing", "5.1.1"),
        ("3.1.1 no such class", None),
        ("5.1.1000", None),
        ("", None),
    ],
)
def test_the_enhanced_code_is_the_first_thing_in_the_text(text, enhanced):
    assert reply(550, text).enhanced == enhanced


def test_a_reply_of_several_lines_in_bytes_becomes_one_printable_line():
    answer = reply(550, b"5.1.1 one\r\n5.1.1\x00 two\xff")

    assert answer.text == "5.1.1 one 5.1.1 two\ufffd"


def test_a_long_reply_is_cut():
    assert len(reply(550, "x" * 10_000).text) == LONGEST_REPLY


@given(st.text(alphabet=st.characters(codec=None)))
def test_one_line_can_be_stored_anywhere(words):
    line = one_line(words)

    assert line.isprintable()
    assert len(line) <= LONGEST_REPLY
    line.encode()


@given(st.sampled_from(Phase), st.integers(min_value=-1, max_value=999), st.text())
def test_nothing_a_relay_says_before_rcpt_ends_a_delivery(phase, code, text):
    outcome = classify(phase, reply(code, text))

    if phase < Phase.RCPT:
        assert (outcome.verdict, outcome.fault, outcome.closes) == (NOT_SENT, RELAY, True)
    assert (outcome.verdict is ACCEPTED) == (phase is Phase.CONTENT and 200 <= code < 300)
    assert (outcome.fault is None) == (outcome.verdict is ACCEPTED)


@given(st.sampled_from(Phase), st.integers(min_value=500, max_value=599), st.from_regex(r"\A5\.7\.\d{1,2} \w*\Z"))
def test_a_block_of_the_sender_never_counts_against_a_subscriber(phase, code, text):
    assert classify(phase, reply(code, text)).fault is not RECIPIENT


def test_an_outcome_tells_itself_in_words():
    assert classify(Phase.RCPT, reply(550, "5.1.1 gone")).words == "550 5.1.1 gone"
    assert classify(Phase.RCPT, reply(550, "")).words == "550"
    assert Outcome(verdict=NOT_SENT, phase=Phase.CONNECT, note="no route").words == "no route"
