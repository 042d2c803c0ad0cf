"""Messages in files of every kind."""

import io

import pytest

from newsletter.feedback.files import messages_in, messages_of
from newsletter.feedback.opened import MOST_OCTETS

ONE, TWO = b"Subject: one\n\nHello.\n", b"Subject: two\n\n>From afar.\n"


def test_a_file_is_a_message(tmp_path):
    (tmp_path / "one.eml").write_bytes(ONE)

    assert list(messages_in(tmp_path / "one.eml")) == [ONE]


def test_a_folder_holds_a_message_a_file(tmp_path):
    for name, octets in (("b.eml", TWO), ("a.eml", ONE), ("notes.txt", b"none")):
        (tmp_path / name).write_bytes(octets)

    assert list(messages_in(tmp_path)) == [ONE, TWO]


def test_a_maildir_is_read_as_it_lies(tmp_path):
    for box, name, octets in (("new", "1", ONE), ("cur", "2:2,S", TWO), ("tmp", "3", b"half")):
        (tmp_path / box).mkdir(exist_ok=True)
        (tmp_path / box / name).write_bytes(octets)
    (tmp_path / "cur" / "folder").mkdir()

    assert list(messages_in(tmp_path)) == [ONE, TWO]


def test_an_mbox_is_parted_and_unquoted():
    box = (
        b"From a Tue Dec  1\n"
        + ONE
        + b"\nFrom b Tue Dec  1\n"
        + b"Subject: two\n\n>From afar.\n>>From me\nFrom here on\n"
    )

    assert list(messages_of(io.BytesIO(box))) == [
        ONE + b"\n",
        b"Subject: two\n\nFrom afar.\n>From me\nFrom here on\n",
    ]


@pytest.mark.parametrize("beginning", [b"", b"From a\n"])
def test_no_more_is_read_than_shows_that_it_is_too_big(beginning):
    [message] = messages_of(io.BytesIO(beginning + b"Subject: x\n\n" + b"y\n" * MOST_OCTETS))

    assert MOST_OCTETS < len(message) < MOST_OCTETS + 10


def test_an_empty_file_is_an_empty_message():
    assert list(messages_of(io.BytesIO(b""))) == [b""]
