"""What a relay's reply means, and whose fault it is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from newsletter.dispatch.outcome import (
    CREDENTIALS,
    ELSEWHERE,
    LONGEST_REPLY,
    Fault,
    Outcome,
    Phase,
    Verdict,
    classify,
    one_line,
    reply,
)

ACCEPTED, DEFERRED, REFUSED = Verdict.ACCEPTED, Verdict.DEFERRED, Verdict.REFUSED
NOT_SENT, UNCERTAIN = Verdict.NOT_SENT, Verdict.UNCERTAIN
RECIPIENT, SENDER, CONTENT, RELAY = Fault.RECIPIENT, Fault.SENDER, Fault.CONTENT, Fault.RELAY

CORPUS = YAML(typ="safe").load(Path(__file__).with_name("replies.yaml"))
REPLIES = [pytest.param(*line, id=f"{line[0]} {line[1][:60]}") for lines in CORPUS.values() for line in lines]

MATRIX = [
    # the reply, and what it means at RCPT, at DATA and after the final dot; before RCPT it is the relay's throughout
    ("421 4.3.2 Closing", (NOT_SENT, RELAY), (NOT_SENT, RELAY), (DEFERRED, RELAY)),
    ("450 4.2.0 Busy just now", (DEFERRED, RECIPIENT), (DEFERRED, RECIPIENT), (DEFERRED, RECIPIENT)),
    ("450 4.7.1 Come back later", (DEFERRED, RELAY), (DEFERRED, RELAY), (DEFERRED, RELAY)),
    ("451 4.3.0 Local error", (DEFERRED, RELAY), (DEFERRED, RELAY), (DEFERRED, RELAY)),
    ("452 4.2.2 Full", (DEFERRED, RECIPIENT), (DEFERRED, RECIPIENT), (DEFERRED, RECIPIENT)),
    ("452 4.3.1 No space", (DEFERRED, RELAY), (DEFERRED, RELAY), (DEFERRED, RELAY)),
    ("454 4.7.0 Not now", (DEFERRED, RELAY), (DEFERRED, RELAY), (DEFERRED, RELAY)),
    ("530 5.7.0 Log in", (NOT_SENT, RELAY), (NOT_SENT, RELAY), (NOT_SENT, RELAY)),
    ("534 5.7.9 Too weak", (NOT_SENT, RELAY), (NOT_SENT, RELAY), (NOT_SENT, RELAY)),
    ("535 5.7.8 Wrong", (NOT_SENT, RELAY), (NOT_SENT, RELAY), (NOT_SENT, RELAY)),
    ("538 5.7.11 Encrypt", (NOT_SENT, RELAY), (NOT_SENT, RELAY), (NOT_SENT, RELAY)),
    ("550 5.1.1 Nobody", (REFUSED, RECIPIENT), (REFUSED, RECIPIENT), (REFUSED, RECIPIENT)),
    ("550 5.7.1 Blocked", (REFUSED, SENDER), (REFUSED, SENDER), (REFUSED, SENDER)),
    ("550 5.7.26 DMARC", (REFUSED, SENDER), (REFUSED, SENDER), (REFUSED, SENDER)),
    ("550 5.7.27 SPF", (REFUSED, SENDER), (REFUSED, SENDER), (REFUSED, SENDER)),
    ("550 5.7.30 DKIM", (REFUSED, SENDER), (REFUSED, SENDER), (REFUSED, SENDER)),
    ("550 5.7.32 Alignment", (REFUSED, SENDER), (REFUSED, SENDER), (REFUSED, SENDER)),
    ("550 5.7.515 Level", (REFUSED, SENDER), (REFUSED, SENDER), (REFUSED, SENDER)),
    ("550", (REFUSED, RECIPIENT), (REFUSED, CONTENT), (REFUSED, CONTENT)),
    ("551 Elsewhere", (REFUSED, RECIPIENT), (REFUSED, CONTENT), (REFUSED, CONTENT)),
    ("552 5.2.2 Full", (REFUSED, RECIPIENT), (REFUSED, RECIPIENT), (REFUSED, RECIPIENT)),
    ("553 Name not allowed", (REFUSED, RECIPIENT), (REFUSED, CONTENT), (REFUSED, CONTENT)),
    ("553 5.1.3 Bad syntax", (REFUSED, RECIPIENT), (REFUSED, RECIPIENT), (REFUSED, RECIPIENT)),
    ("554 No", (REFUSED, RECIPIENT), (REFUSED, CONTENT), (REFUSED, CONTENT)),
    ("554 5.6.0 Malformed", (REFUSED, CONTENT), (REFUSED, CONTENT), (REFUSED, CONTENT)),
]
EARLY = (Phase.CONNECT, Phase.HELLO, Phase.AUTH, Phase.MAIL)


def judged(phase, line):
    """What a reply as it stands on the wire means."""
    outcome = classify(phase, reply(int(line[:3]), line[4:]))
    return outcome.verdict, outcome.fault


@pytest.mark.parametrize(("phase", "line", "verdict", "fault"), REPLIES)
def test_a_reply_is_classified_by_phase_code_and_words(phase, line, verdict, fault):
    assert judged(Phase[phase], line) == (verdict, fault)


def test_the_corpus_is_large_and_says_everything_once():
    lines = [tuple(line[:2]) for group in CORPUS.values() for line in group]

    assert len(lines) == len(set(lines)) >= 150
    assert {line[2] for group in CORPUS.values() for line in group} == set(Verdict)
    assert {line[3] for group in CORPUS.values() for line in group} == {None, *Fault}
    assert {phase for phase, _ in lines} == {phase.name for phase in Phase}


@pytest.mark.parametrize(("line", "rcpt", "data", "content"), MATRIX)
def test_each_code_is_judged_by_the_phase_it_comes_in(line, rcpt, data, content):
    assert {judged(phase, line) for phase in EARLY} == {(NOT_SENT, RELAY)}
    assert [judged(phase, line) for phase in (Phase.RCPT, Phase.DATA, Phase.CONTENT)] == [rcpt, data, content]


def test_a_message_that_is_too_big_is_refused_at_mail_already():
    assert [judged(phase, "552 5.3.4 Too big") for phase in Phase] == [
        *[(NOT_SENT, RELAY)] * 3,
        *[(REFUSED, CONTENT)] * 4,
    ]


@pytest.mark.parametrize(
    ("phase", "code", "closes"),
    [
        (Phase.MAIL, 550, True),
        (Phase.MAIL, 552, True),
        (Phase.RCPT, 550, False),
        (Phase.RCPT, 421, True),
        (Phase.RCPT, 530, True),
        (Phase.DATA, 250, True),
        (Phase.CONTENT, 250, False),
        (Phase.CONTENT, 221, True),
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
        ("sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("5.7.1 first, then (#5.1.1)", "5.7.1"),
        ("see chapter (5.1.1)", None),
        ("", None),
    ],
)
def test_the_enhanced_code_stands_first_or_as_qmail_writes_it(text, enhanced):
    assert reply(550, text).enhanced == enhanced


def test_a_reply_of_several_lines_in_bytes_becomes_one_printable_line():
    answer = reply(550, b"5.1.1 one\r\n5.1.1\x00 two\xff")

    assert answer.text == "5.1.1 one 5.1.1 two\ufffd"


def test_a_long_reply_is_cut():
    assert len(reply(550, "x" * 10_000).text) == LONGEST_REPLY


@pytest.mark.parametrize(
    ("phase", "line", "is_greylisting"),
    [
        (Phase.RCPT, "450 4.2.0 Greylisted, see the help page", True),
        (Phase.CONTENT, "451 Graylisting in effect", True),
        (Phase.RCPT, "451 4.3.0 Local error", False),
        (Phase.RCPT, "550 greylisting is not for you", False),
        (Phase.CONNECT, "450 grey-listed", False),
    ],
)
def test_greylisting_is_told_from_other_waits(phase, line, is_greylisting):
    assert classify(phase, reply(int(line[:3]), line[4:])).is_greylisting is is_greylisting


def test_an_outcome_without_a_reply_is_no_greylisting():
    assert not Outcome(verdict=DEFERRED, phase=Phase.RCPT, note="greylisted, it is said").is_greylisting


@given(st.text(alphabet=st.characters(codec=None)))
def test_one_line_can_be_stored_anywhere(words):
    line = one_line(words)

    assert line.isprintable()
    assert len(line) <= LONGEST_REPLY
    line.encode()


@given(st.sampled_from(Phase), st.integers(min_value=-1, max_value=999), st.text())
def test_nothing_a_relay_says_before_rcpt_counts_against_anybody(phase, code, text):
    outcome = classify(phase, reply(code, text))

    if phase < Phase.RCPT:
        of_this_one = phase is Phase.MAIL and (code == 552 or reply(code, text).enhanced in {"5.3.4", "5.6.7"})
        assert outcome.closes
        assert of_this_one or (outcome.verdict, outcome.fault) == (NOT_SENT, RELAY)
    assert (outcome.verdict is ACCEPTED) == (phase is Phase.CONTENT and 200 <= code < 300 and code not in ELSEWHERE)
    assert (outcome.fault is None) == (outcome.verdict is ACCEPTED)


@given(st.sampled_from(Phase), st.integers(min_value=500, max_value=599), st.from_regex(r"\A5\.7\.\d{1,3} \w*\Z"))
def test_a_block_of_the_sender_never_counts_against_a_subscriber(phase, code, text):
    assert classify(phase, reply(code, text)).fault is not RECIPIENT


@given(st.sampled_from(Phase), st.sampled_from(sorted(CREDENTIALS)), st.text())
def test_a_relay_that_wants_credentials_has_taken_nothing(phase, code, text):
    outcome = classify(phase, reply(code, text))

    assert (outcome.verdict, outcome.fault, outcome.closes) == (NOT_SENT, RELAY, True)


def test_an_outcome_tells_itself_in_words():
    assert classify(Phase.RCPT, reply(550, "5.1.1 gone")).words == "550 5.1.1 gone"
    assert classify(Phase.RCPT, reply(550, "")).words == "550"
    assert Outcome(verdict=NOT_SENT, phase=Phase.CONNECT, note="no route").words == "no route"
