"""Messages are opened within limits, whatever is in them."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.opened import (
    LONGEST_TEXT,
    MOST_OCTETS,
    MOST_PARTS,
    Closed,
    Opened,
    blocks_in,
    open_message,
)


def opened(octets: bytes) -> Opened:
    message = open_message(octets)
    assert isinstance(message, Opened)
    return message


def part(kind: str, body: bytes, *, encoding: str = "7bit", charset: str = "utf-8") -> bytes:
    head = f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + body + b"\n"


def several(*parts: bytes, kind: str = "multipart/mixed", closed: bool = True, boundary: str = "x y") -> bytes:
    head = f'Content-Type: {kind}; boundary="{boundary}"\n\nfor old readers\n'.encode()
    line = b"--" + boundary.encode()
    return head + b"".join(line + b"\n" + each for each in parts) + (line + b"--\nafterwards\n" if closed else b"")


@given(st.binary(max_size=2000))
def test_whatever_comes_is_opened_or_closed(octets):
    assert isinstance(open_message(octets), Opened | Closed)


@given(
    st.lists(
        st.sampled_from([b"--a\n", b"--a--\n", b"\n", b'Content-Type: multipart/mixed; boundary="a"\n', b"x: y\n"])
    )
)
def test_whatever_is_made_of_parts_is_opened_or_closed(lines):
    assert isinstance(
        open_message(b'Content-Type: multipart/mixed; boundary="a"\n\n' + b"".join(lines)), Opened | Closed
    )


def test_parts_are_found_between_their_boundaries():
    message = opened(several(part("text/plain", b"one"), part("text/html", b"two"), part("image/png", b"three")))

    assert message.kind == "multipart/mixed"
    assert [(leaf.kind, leaf.text.strip()) for leaf in message.leaves] == [("text/plain", "one"), ("text/html", "two")]


def test_a_message_that_was_cut_short_has_its_last_part():
    message = opened(several(part("text/plain", b"one"), part("text/plain", b"tw"), closed=False))

    assert [leaf.text.strip() for leaf in message.leaves] == ["one", "tw"]


def test_a_multipart_without_boundary_is_no_text():
    assert opened(b"Content-Type: multipart/mixed\n\nhello").leaves == ()


@pytest.mark.parametrize(
    ("encoding", "octets"),
    [
        ("base64", base64.b64encode("Grüße".encode())),
        ("base64", base64.b64encode("Grüße".encode()) + b"=\n!A"),
        ("quoted-printable", quopri.encodestring("Grüße".encode())),
        ("8bit", "Grüße".encode()),
        ("unheard of", "Grüße".encode()),
    ],
)
def test_texts_are_decoded(encoding, octets):
    assert "Grüße" in opened(part("text/plain", octets, encoding=encoding)).leaves[0].text


@pytest.mark.parametrize(
    "charset", ["iso-8859-1", "cp1252", "unheard-of", "us-ascii", "punycode", "hex", "a\x00b", "utf-8"]
)
def test_no_charset_stops_a_text_from_being_read(charset):
    assert opened(part("text/plain", "Grüße".encode("latin-1"), charset=charset)).leaves[0].text.strip() == "Grüße"


def test_half_a_character_is_none():
    message = opened(part("text/plain", b"+2a0- is half of one", charset="utf-7"))
    assert message.leaves[0].text.rstrip() == "? is half of one"
    assert message.leaves[0].text.encode("utf-8")


def test_octets_that_no_letter_has_in_their_charset_are_passed_over():
    assert opened(part("text/plain", b"a\xff\xffb", charset="shift_jis")).leaves[0].text.strip("\n")[0] == "a"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?b?R3LDvMOfZQ==?=", "Grüße"),
        ("=?unheard-of?q?Gr=FC=DFe?=", "Grüße"),
        ("=?utf-8?b?R?=", "=?utf-8?b?R?="),
        ("Grüße", "Grüße"),
        ("folded\n over\n\tlines", "folded over lines"),
    ],
)
def test_fields_are_decoded_on_one_line(field, value):
    assert opened(f"Subject: {field}\n\n".encode()).fields.first("subject") == value


def test_fields_are_found_whatever_their_case_and_number():
    fields = opened(b"Received: a\nRECEIVED: b\nSubject: c\n\n").fields

    assert list(fields.all("received", "subject")) == ["a", "b", "c"]
    assert fields.first("to") == ""


def test_a_message_within_is_returned_with_its_fields_and_set_apart():
    inner = b"Subject: ours\nContent-Type: text/plain\n\nGood morning.\n"
    message = opened(several(part("text/plain", b"said"), b"Content-Type: message/rfc822\n\n" + inner))

    assert [head.first("subject") for head in message.returned] == ["ours"]
    assert [text.strip() for text in message.texts("text/plain")] == ["said"]
    assert [leaf.is_returned for leaf in message.leaves] == [False, True]


def test_a_digest_is_made_of_messages():
    message = opened(several(b"\nSubject: one\n\n.\n", b"\nSubject: two\n\n.\n", kind="multipart/digest"))

    assert [head.first("subject") for head in message.returned] == ["one", "two"]


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/global-headers"])
def test_header_fields_may_come_alone(kind):
    encoded = base64.b64encode(b"Subject: ours\nMessage-ID: <x@y>\n")
    message = opened(several(part(kind, encoded, encoding="base64")))

    assert message.returned[0].first("message-id") == "<x@y>"


def test_a_report_that_is_encoded_survives():
    told = base64.b64encode(b"Reporting-MTA: dns; mx\r\n\r\nAction: failed\r\n")
    message = opened(several(part("message/global-delivery-status", told, encoding="base64"), kind="multipart/report"))
    [text] = message.texts("message/global-delivery-status")

    assert [sorted(block.values) for block in blocks_in(text)] == [["reporting-mta"], ["action"]]


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: multipart/report; report-type*" + "1" * 5000 + "*=x; boundary*" + "1" * 5000 + "*=y",
        "Content-Type: text/plain; charset*" + "1" * 5000 + "*=z",
        "Content-Type: multipart/mixed; boundary*=unheard'of'%ff%fe",
        "Content-Type: text/plain; charset*=x''%ff%fe",
    ],
)
def test_parameters_in_no_charset_are_no_matter(head):
    assert isinstance(open_message(f"{head}\n\nhello\n".encode()), Opened)


def test_the_limits_hold():
    deep = b"Subject: innermost\n\nhello\n"
    for level in range(12):
        deep = several(deep, boundary=f"level {level}")

    assert open_message(b"x" * (MOST_OCTETS + 1)) is Closed.TOO_BIG
    assert open_message(deep) is Closed.TOO_DEEP
    assert open_message(several(*[part("text/plain", b"")] * (MOST_PARTS + 1))) is Closed.TOO_MANY_PARTS
    assert len(opened(part("text/plain", b"x" * 500_000)).leaves[0].text) == LONGEST_TEXT


def test_messages_within_messages_end_somewhere():
    assert open_message(b"Content-Type: message/rfc822\n\n" * 50) is Closed.TOO_DEEP


def test_parts_of_parts_are_counted_together():
    inner = several(*[part("text/plain", b"")] * 30, boundary="inner")
    assert open_message(several(inner, inner, inner, inner)) is Closed.TOO_MANY_PARTS
