"""Mail from outside becomes a report, whatever it is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.newsletter.feedback.corpus import CORPUS, DOMAIN, NAME, READER, arf, mail, report
from unit.newsletter.feedback.corpus import INTERNATIONAL as WRITER

from newsletter.dispatch.names import read_name
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.opened import MOST_OCTETS
from newsletter.feedback.reading import Report, read


def built(build) -> bytes:
    return build(NAME, READER).encode()


@given(st.binary(max_size=3000))
def test_whatever_comes_becomes_a_report(octets):
    assert isinstance(read(octets), Report)


@given(st.sampled_from(CORPUS), st.data())
def test_whatever_becomes_of_a_bounce_on_the_way_it_becomes_a_report(sample, data):
    octets = sample.octets()
    start = data.draw(st.integers(0, len(octets)))
    end = data.draw(st.integers(start, min(len(octets), start + 200)))

    assert isinstance(read(octets[:start] + data.draw(st.binary(max_size=50)) + octets[end:]), Report)


def test_what_is_too_big_is_not_read():
    assert read(b"x" * (MOST_OCTETS + 1)) == Report(is_read=False, why="too big")


def slowest() -> dict[str, bytes]:
    """Messages of the largest size that make the most work."""
    room = MOST_OCTETS - 5_000
    head = f"Return-Path: <>\nFrom: mailer-daemon@x\nTo: b+{NAME}@{DOMAIN}\nSubject: failure notice\n".encode()
    plain = head + b"Content-Type: text/plain; charset=utf-8\n\n"
    html = head + b"Content-Type: text/html\n\n"
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(9))
    status = b'Content-Type: multipart/report; boundary="a"\n\n--a\nContent-Type: message/delivery-status\n\n'
    return {
        "codes": plain + b"550 5.1.1 a\n" * (room // 12),
        "letters of other scripts": plain + "é".encode() * (room // 2),
        "words of other languages": plain + "адрес ".encode() * (room // 11),
        "addresses": plain + b"a@b.c " * (room // 6),
        "at signs": plain + b"@" * room,
        "dots": plain + b"a@" + b"b." * (room // 2),
        "dashes": plain + b"--a\n" * (room // 4),
        "fields": plain + b"From: x\n" * (room // 8),
        "a field": head + b"Subject: " + b"=?utf-8?q?=41?= " * (room // 16),
        "many fields": head + b"X: y\n" * (room // 5),
        "styles": html + b"<style>" * (room // 7),
        "brackets": html + b"<" * room,
        "entities": html + b"&amp" * (room // 4),
        "boundaries": head + nested + b"--8\n" * (room // 4),
        "blocks": head + status + b"Action: failed\n\n" * (room // 16),
        "a block": head + status + b"Diagnostic-Code: " + b"5" * room,
        "base64": head + b"Content-Transfer-Encoding: base64\n\n" + b"QUFB" * (room // 4),
        "quoted": head + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=41" * (room // 3),
        "punycode": head + b"Content-Type: text/plain; charset=punycode\n\n" + b"a-b" * (room // 3),
        "names": head + f"References: {f'<{NAME}@x> ' * 10_000}\n\n".encode(),
    }


@pytest.mark.unwatched  # what is measured is the program, not its being watched
@pytest.mark.parametrize("kind", slowest())
def test_no_message_takes_longer_than_it_may(kind):
    began = time.process_time()
    read(slowest()[kind])

    assert time.process_time() - began < 5


def test_names_are_few_however_many_there_are():
    many = "".join(f"<{number:x}-0123456789abcdef0123@rivers.example> " for number in range(1, 99))

    assert len(read(f"References: {many}\n\n".encode()).names) <= 20


def test_the_address_of_the_envelope_comes_first():
    other = f"b+ff-{'0' * 20}@{DOMAIN}"
    names = read(built(mail("Subject: x\n", "")), recipients=[f"<{other}>"]).names

    assert names == (read_name(f"ff-{'0' * 20}"), read_name(NAME))


@pytest.mark.parametrize("field", ["Delivered-To", "X-Original-To", "Envelope-To", "Cc"])
def test_servers_keep_the_address_in_fields_of_many_names(field):
    assert read(f"{field}: b+{NAME}@{DOMAIN}\n\n".encode()).names == (read_name(NAME),)


def test_the_trace_names_the_address_as_well():
    trace = f"Received: from a by b with ESMTP id 1\n for <b+{NAME}@{DOMAIN}>; Tue, 1 Dec 2026 08:00:00 +0000\n\n"

    assert read(trace.encode()).names == (read_name(NAME),)


def test_a_name_within_another_word_is_none():
    assert read(f"To: xb+{NAME}@{DOMAIN}\nReferences: <x{NAME}@rivers.example>\n\n".encode()).names == ()


def test_a_report_of_a_type_that_nobody_knows_is_read_and_means_nothing():
    assert read(built(arf("unheard-of"))) == Report(names=(read_name(NAME),))


def test_a_letter_in_two_forms_is_understood_by_the_one_that_says_something():
    head = 'From: mailer-daemon@x\nSubject: Undeliverable\nContent-Type: multipart/alternative; boundary="a"\n'
    parts = "--a\nContent-Type: text/plain\n\nSee the other part.\n--a\nContent-Type: text/html\n\n<p>550 5.1.1 gone</p>\n--a--"

    assert read(built(mail(head, parts))).kind is Kind.HARD


def test_a_bounce_that_says_nothing_at_all_is_not_understood():
    silent = read(built(mail("From: mailer-daemon@x\nSubject: Hello\nContent-Type: text/plain\n", "Well.")))

    assert (silent.kind, silent.is_read, silent.why) == (None, False, "a bounce without reason")


def test_a_farewell_may_be_worded_like_a_question():
    asked = mail("From: a@lakes.example\nSubject: Please confirm you took me off the list\n", "", to="leave")

    assert read(built(asked)).kind is Kind.UNSUBSCRIBE


def test_an_address_of_another_script_is_compared_as_it_is():
    block = "Final-Recipient: utf-8-addr-xtext; \\x{17D}ofie@lakes.example\nAction: failed\nStatus: 5.1.1"
    wrong = block.replace("17D", "110000")

    assert read(built(report(WRITER, "", "", blocks=block.replace("{", "{{").replace("}", "}}")))).returned[
        0
    ].addresses == {"žofie@lakes.example"}
    assert read(built(report(WRITER, "", "", blocks=wrong.replace("{", "{{").replace("}", "}}")))).returned[
        0
    ].addresses == {"\\x{110000}ofie@lakes.example"}


def test_what_came_back_for_another_is_no_more_than_trouble_on_the_way():
    told = read(next(one for one in CORPUS if one.label == "postfix: unknown in a table").octets())
    blocked = read(next(one for one in CORPUS if one.label == "postfix: blocked by a list").octets())

    assert told.about(lambda _: True).judgement.cause is Cause.UNKNOWN
    assert told.about(lambda _: False).judgement.cause is Cause.FORWARDED
    assert blocked.about(lambda _: False).judgement.cause is Cause.SENDER
    assert Report().about(lambda _: True) is None
