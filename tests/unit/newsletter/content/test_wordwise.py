"""Two versions of a text, word by word."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.wordwise import Mark, Piece, word_by_word

WORDS = st.text(alphabet="ab \né,", max_size=60)


def test_only_the_words_that_differ_are_marked():
    assert word_by_word("The lock is old.", "The lock is very old.") == (
        Piece(Mark.SAME, "The lock is "),
        Piece(Mark.PUT_IN, "very "),
        Piece(Mark.SAME, "old."),
    )


def test_a_line_that_goes_is_one_piece():
    assert word_by_word("One.\nTwo.\n", "One.\n") == (Piece(Mark.SAME, "One.\n"), Piece(Mark.TAKEN_OUT, "Two.\n"))


@given(WORDS, WORDS)
def test_either_text_can_be_read_off_the_pieces(old, new):
    pieces = word_by_word(old, new)
    assert "".join(piece.text for piece in pieces if piece.mark is not Mark.PUT_IN) == old
    assert "".join(piece.text for piece in pieces if piece.mark is not Mark.TAKEN_OUT) == new
    assert all(piece.text for piece in pieces)
    assert all(one.mark is not two.mark for one, two in pairwise(pieces))


@pytest.mark.unwatched  # what is measured is the program, not its being watched
def test_the_longest_texts_do_not_keep_anybody_waiting():
    old, new = "a b " * 12_500, "b c " * 12_500
    began = time.process_time()
    word_by_word(old, new)
    assert time.process_time() - began < 1
