import quopri
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.encoding import Base64Body, Encoding, QuotedBody, encoded, in_base64, quoted, shorter

texts = st.text(
    st.one_of(st.sampled_from(".= \tF\r\nabé€🌊"), st.characters(blacklist_categories=("Cs",))), max_size=200
)
constants = texts.map(lambda text: text.replace("\r\n", "\n").replace("\r", "").replace("\n", "\r\n"))
values = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=120)
bodies = st.lists(st.one_of(constants, st.integers(0, 3)), max_size=12)


def decoded(body, words):
    data = b"".join(body.write(words))
    return (quopri.decodestring(data) if isinstance(body, QuotedBody) else b64decode(data)).decode()


def expected(pieces, words):
    return "".join(words[piece] if isinstance(piece, int) else piece for piece in pieces)


def check_lines(data):
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    for line in data.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


@pytest.mark.parametrize("encoding", list(Encoding))
@given(pieces=bodies, words=st.tuples(values, values, values, values))
def test_values_come_back_at_their_places_in_either_encoding(encoding, pieces, words):
    body = encoded(encoding, pieces)
    assert decoded(body, words) == expected(pieces, words)
    check_lines(b"".join(body.write(words)))


@pytest.mark.parametrize("length", range(70, 80))
@pytest.mark.parametrize("filling", ["x", "é", "=", ".", " "])
def test_lines_of_every_length_near_the_limit_come_back(length, filling):
    pieces = [filling * length, 0, filling * length + "\r\n" + filling * length, 0, "."]
    for encoding in Encoding:
        body = encoded(encoding, pieces)
        words = (filling * length + "!",)
        assert decoded(body, words) == expected(pieces, words)
        check_lines(b"".join(body.write(words)))


def test_a_dot_or_a_mailbox_word_at_a_lines_beginning_is_encoded():
    body = quoted([".dot\r\nFrom here\r\n", 0, ".more"])
    assert body.write([".x"]) == [b"=2Edot\r\n=46rom here\r\n", b"=2Ex=\r\n", b"=2Emore"]
    assert body.write(["From x"])[1] == b"=46rom x=\r\n"


def test_an_empty_value_leaves_no_empty_line():
    assert b"".join(quoted(["a", 0, "b"]).write([""])) == b"a=\r\nb"
    assert quoted(["", 0]).write([""]) == [b""]


def test_latin_text_is_shorter_quoted_and_greek_in_base64():
    assert shorter(["Eleven partners compare their records, naïvely"]) is Encoding.QUOTED_PRINTABLE
    assert shorter(["Έντεκα εταίροι συγκρίνουν τα αρχεία τους", 0]) is Encoding.BASE64


def test_short_constants_between_values_keep_the_phase():
    body = in_base64([0, "a", 0, "b", 0, "", "cd", 0])
    assert isinstance(body, Base64Body)
    for word in ("", "x", "xy", "xyz", "wxyz" * 40):
        assert decoded(body, [word]) == f"{word}a{word}b{word}cd{word}"


def test_a_body_of_nothing_is_nothing():
    assert quoted([""]).write([]) == []
    assert b"".join(in_base64([]).write([])) == b""
