"""The commands of an envelope: exact octets, or nothing at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.commands import Extensions, refusal, transaction
from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.dispatch.relay import Envelope

ALL = Extensions(pipelining=True, size=True, largest=1_000, smtputf8=True)


def an_envelope(**changes):
    plain = {"sender": "b+x1@rivers.example", "recipient": "anna@lakes.example", "needs_smtputf8": False}
    return Envelope(**{**plain, "name": "x1", "pieces": (b"Subject: x\r\n\r\nHello\r\n",), **changes})


def test_an_envelope_is_three_commands():
    assert transaction(an_envelope(), Extensions()) == (
        b"MAIL FROM:<b+x1@rivers.example>\r\nRCPT TO:<anna@lakes.example>\r\nDATA\r\n"
    )


def test_size_and_utf8_are_said_where_they_are_offered_and_needed():
    envelope = an_envelope(recipient="kühn@lakes.example", needs_smtputf8=True)

    assert transaction(envelope, ALL) == (
        "MAIL FROM:<b+x1@rivers.example> SIZE=21 SMTPUTF8\r\nRCPT TO:<kühn@lakes.example>\r\nDATA\r\n".encode()
    )


def test_a_message_without_a_return_path_is_allowed():
    assert transaction(an_envelope(sender=""), Extensions()).startswith(b"MAIL FROM:<>\r\n")


@given(
    sender=st.one_of(st.text(max_size=12), st.text(st.sampled_from("a@.\r\n\0<> é\u2028\x85"), max_size=12)),
    recipient=st.one_of(st.text(max_size=12), st.text(st.sampled_from("a@.\r\n\0<> é\u2028\x85"), max_size=12)),
    utf8=st.booleans(),
)
def test_whatever_the_addresses_are_there_are_three_commands_or_none(sender, recipient, utf8):
    envelope = an_envelope(sender=sender, recipient=recipient, needs_smtputf8=utf8)

    try:
        octets = transaction(envelope, Extensions())
    except ValueError:
        return
    mail, rcpt, data, rest = octets.split(b"\r\n")
    assert (data, rest) == (b"DATA", b"")
    assert (mail.count(b"<"), mail.count(b">"), rcpt.count(b"<"), rcpt.count(b">")) == (1, 1, 1, 1)
    assert not set(mail + rcpt) & {0, 10, 13, 127}
    assert utf8 or octets.isascii()


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": ""},
        {"recipient": "a@x.example\r\nRCPT TO:<b@x.example"},
        {"sender": "a@x.example\n"},
        {"recipient": "a\0@x.example"},
        {"recipient": "a@x.example> NOTIFY=NEVER"},
        {"recipient": "kühn@x.example"},
        {"recipient": "ku\u2028hn@x.example", "needs_smtputf8": True},
        {"recipient": "k\udcffhn@x.example", "needs_smtputf8": True},
        {"pieces": (b"",)},
        {"pieces": (b"no line end",)},
        {"pieces": (b"half a line end\n",)},
    ],
)
def test_what_cannot_be_written_safely_is_not_written(changes):
    with pytest.raises(ValueError, match=r"x1: |surrogates"):
        transaction(an_envelope(**changes), ALL)


@pytest.mark.parametrize(
    ("announced", "expected"),
    [
        ({}, Extensions()),
        ({"pipelining": "", "8bitmime": ""}, Extensions(pipelining=True)),
        ({"size": ""}, Extensions(size=True)),
        ({"size": "0"}, Extensions(size=True)),
        ({"size": " 5000 "}, Extensions(size=True, largest=5000)),
        ({"size": "lots"}, Extensions(size=True)),
        ({"size": "-5"}, Extensions(size=True)),
        ({"size": "9" * 21}, Extensions(size=True)),
        ({"smtputf8": ""}, Extensions(smtputf8=True)),
    ],
)
def test_what_a_relay_announces_is_read(announced, expected):
    assert Extensions.announced(announced) == expected


def test_a_relay_that_may_take_a_message_is_asked():
    assert refusal(an_envelope(), Extensions()) is None
    assert refusal(an_envelope(pieces=(b"x" * 998, b"\r\n"), needs_smtputf8=True), ALL) is None


@pytest.mark.parametrize(
    ("changes", "fault", "code"),
    [
        ({"pieces": (b"x" * 999, b"\r\n")}, Fault.CONTENT, "5.3.4"),
        ({"needs_smtputf8": True}, Fault.RECIPIENT, "5.6.7"),
    ],
)
def test_a_relay_that_cannot_take_a_message_is_not_asked(changes, fault, code):
    outcome = refusal(an_envelope(**changes), Extensions(largest=1_000))

    assert (outcome.verdict, outcome.phase, outcome.fault, outcome.closes) == (
        Verdict.REFUSED,
        Phase.MAIL,
        fault,
        False,
    )
    assert outcome.words.startswith(code)
