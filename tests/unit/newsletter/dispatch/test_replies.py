"""Replies are read the same however the network cuts them, and nothing that is said makes the reader grow or fail."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.replies import LONGEST_LINE, LONGEST_REPLY, MOST_LINES, ReplyReader

CODES = st.integers(200, 599)
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40).map(str.encode)


@st.composite
def replies(draw):
    """A reply of one line or several, as octets, and what it says."""
    code = draw(CODES)
    lines = draw(st.lists(TEXTS, min_size=1, max_size=5))
    end = draw(st.sampled_from([b"\r\n", b"\n"]))
    octets = b"".join(b"%d-%s%s" % (code, line, end) for line in lines[:-1]) + b"%d %s%s" % (code, lines[-1], end)
    return octets, (code, b"\n".join(lines))


def read(*pieces):
    reader = ReplyReader()
    return [answer for piece in pieces for answer in reader.feed(piece)], reader


def cut(octets, places):
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[start:end] for start, end in pairwise(edges)]


@given(st.lists(replies(), max_size=6), st.lists(st.integers(0, 10_000), max_size=20))
def test_replies_that_are_cut_anywhere_say_the_same(said, places):
    octets = b"".join(each for each, _ in said)

    answers, reader = read(*cut(octets, places))

    assert answers == [answer for _, answer in said]
    assert (reader.fault, reader.midway) == ("", False)


@given(
    st.lists(st.one_of(replies().map(lambda each: each[0]), st.binary(max_size=30)), max_size=6).map(b"".join),
    st.lists(st.integers(0, 10_000), max_size=20),
)
def test_whatever_is_said_is_read_the_same_in_one_piece_and_in_many(octets, places):
    answers, reader = read(octets)
    in_pieces, other = read(*cut(octets, places))

    assert (in_pieces, other.fault) == (answers, reader.fault)
    assert reader.fault or other.midway == reader.midway


@pytest.mark.parametrize("octets", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_a_bare_code_is_a_reply(octets):
    assert read(octets)[0] == [(250, b"")]


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"\r\n", "a line that is no reply"),
        (b"HTTP/1.1 400 Bad Request\r\n", "a line that is no reply"),
        (b"150 wait\r\n", "a line that is no reply"),
        (b"600 what\r\n", "a line that is no reply"),
        (b"25 0\r\n", "a line that is no reply"),
        (b"250_Ok\r\n", "a line that is no reply"),
        (b"2500 Ok\r\n", "a line that is no reply"),
        (b"250-Ok\r\n250_Ok\r\n", "a line that is no reply"),
        (b"250 O\0k\r\n", "a line that is no reply"),
        (b"250-Ok\r\n550 No\r\n", "a reply with two codes"),
        (b"250 " + b"x" * LONGEST_LINE + b"\r\n", "an endless line"),
        (b"x" * (LONGEST_LINE + 1), "an endless line"),
        (b"250-x\r\n" * (MOST_LINES + 1), "an endless reply"),
        (b"250-" + b"x" * 4_000 + b"\r\n" + (b"250-" + b"x" * 4_000 + b"\r\n") * 20, "an endless reply"),
    ],
)
def test_what_is_no_reply_is_a_fault_and_ends_the_reading(octets, fault):
    answers, reader = read(b"220 hello\r\n" + octets, b"250 Ok\r\n")

    assert answers == [(220, b"hello")]
    assert reader.fault == fault


def test_a_reply_whose_lines_differ_in_the_last_digits_only_has_the_last_code():
    assert read(b"550-5.1.1 unknown\r\n554 5.1.1 here\r\n")[0] == [(554, b"5.1.1 unknown\n5.1.1 here")]


def test_the_longest_reply_that_is_allowed_is_read():
    line = b"250-" + b"x" * (LONGEST_REPLY // MOST_LINES - 6) + b"\r\n"

    answers, reader = read(line * (MOST_LINES - 1) + line.replace(b"-", b" "))

    assert (len(answers), reader.fault) == (1, "")


@pytest.mark.parametrize(
    ("octets", "midway"), [(b"", False), (b"25", True), (b"250-a\r\n", True), (b"250 a\r\n", False)]
)
def test_a_reply_that_has_not_ended_is_noticed(octets, midway):
    assert read(octets)[1].midway is midway
