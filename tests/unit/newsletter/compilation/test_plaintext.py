import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.plaintext import LONGEST_LINE, links_missing, normalised


def test_lines_end_without_blanks_and_the_text_with_one_line_end():
    assert normalised("\n\n a  \r\nb\t\rc\n\n\n\n\nd\n\n") == " a\nb\nc\n\nd\n"


def test_a_long_line_is_wrapped_with_its_indentation():
    lines = normalised("  " + "word " * 40).splitlines()
    assert all(len(line) <= LONGEST_LINE and line.startswith("  word") for line in lines)
    assert len(lines) == 3


@pytest.mark.parametrize("word", ["https://a.example/" + "x" * 100, "zq0123456789t12qz" * 6, "x" * 5000])
def test_nothing_that_cannot_be_broken_is_broken(word):
    text = normalised(f"See {word} and more")
    assert word in text


def test_control_characters_go_and_other_line_ends_become_ours():
    assert normalised("a\x00b\u2028c\x0cd\x7f") == "ab\ncd\n"


def test_an_empty_text_is_an_empty_line():
    assert normalised("") == "\n"


@given(st.text(max_size=400))
def test_putting_in_order_twice_changes_nothing_more(text):
    once = normalised(text)
    assert normalised(once) == once
    assert once.endswith("\n")
    assert "\n\n\n" not in once
    assert not any(line.endswith((" ", "\t")) for line in once.split("\n"))


def test_every_link_must_be_shown_in_the_text():
    text = "See https://a.example/été?x=1 or write to office@a.example or call +32 4 000\n"
    shown = [
        "https://a.example/%C3%A9t%C3%A9?x=1#part",
        "mailto:office@a.example?subject=x",
        "#top",
        "tel:+32%204%20000",
    ]
    assert links_missing(text, shown) == ()
    assert links_missing(text, ["https://b.example/", *shown]) == ("https://b.example/",)
