"""How large the next piece is."""

from newsletter.pipeline.retention import LARGEST, next_size


def test_a_piece_that_was_quick_is_followed_by_a_larger_one_up_to_a_bound():
    assert next_size(25, 0.01) == 50
    assert next_size(LARGEST, 0.01) == LARGEST


def test_a_piece_that_took_long_is_followed_by_a_smaller_one_down_to_one():
    assert next_size(50, 0.2) == 25
    assert next_size(1, 3.0) == 1


def test_a_piece_that_was_right_is_followed_by_one_of_its_size():
    assert next_size(50, 0.07) == 50
