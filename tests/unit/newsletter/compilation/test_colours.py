import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.colours import READABLE, contrast, lowest_contrast, luminance, mix, readable, text_on

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_black_on_white_has_the_greatest_contrast_there_is():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_luminance_runs_from_black_to_white():
    assert luminance("#000000") == 0
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#010101") < luminance("#0b0b0b") < luminance("#0c0c0c")


def test_mixing_goes_from_one_colour_to_the_other():
    assert mix("#000000", "#ffffff", 0) == "#000000"
    assert mix("#000000", "#ffffff", 1) == "#ffffff"
    assert mix("#204060", "#406080", 0.5) == "#305070"


def test_a_colour_that_can_be_read_stays_as_it_is():
    assert readable("#0b5c8a", ["#ffffff"]) == "#0b5c8a"


def test_a_pale_colour_is_darkened_on_light_paper_and_lightened_on_dark():
    assert luminance(readable("#ffd200", ["#ffffff"])) < luminance("#ffd200")
    assert luminance(readable("#0b5c8a", ["#1b2226"])) > luminance("#0b5c8a")


def test_where_no_shade_suits_every_background_the_best_pole_is_taken():
    assert readable("#ff0000", ["#ffffff", "#777777", "#000000"]) in {"#000000", "#ffffff"}


@given(accent=colours, paper=st.sampled_from(["#ffffff", "#fffdf9", "#14181b", "#000000"]))
def test_every_accent_can_be_made_readable_on_the_papers_of_a_theme(accent, paper):
    assert lowest_contrast(readable(accent, [paper]), [paper]) >= READABLE


@given(surface=colours, preferred=st.lists(colours, max_size=3))
def test_there_is_always_a_text_colour_for_a_surface(surface, preferred):
    assert contrast(text_on(surface, preferred), surface) >= READABLE


def test_the_preferred_text_colour_is_taken_where_it_can_be_read():
    assert text_on("#0b5c8a", ["#fffdf9"]) == "#fffdf9"
    assert text_on("#ffd200", ["#fffdf9", "#1d2b33"]) == "#1d2b33"
