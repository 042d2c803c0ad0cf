import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from newsletter.preflight.paint import CLEAR, Paint, ground_of, paint_of


@pytest.mark.parametrize(
    ("value", "colour", "opacity"),
    [
        ("#0B5C8A", "#0b5c8a", 1),
        ("#fa0", "#ffaa00", 1),
        ("#fa08", "#ffaa00", 0.53),
        ("#ffaa0080", "#ffaa00", 0.5),
        ("White", "#ffffff", 1),
        ("rgb(255, 170, 0)", "#ffaa00", 1),
        ("rgb(100% 50% 0% / 50%)", "#ff8000", 0.5),
        ("rgba(0,0,0,.25)", "#000000", 0.25),
        ("rgb(300, -5, 0)", "#ff0000", 1),
        ("hsl(120, 100%, 50%)", "#00ff00", 1),
        ("hsla(480deg 100% 25% / 2)", "#008000", 1),
        ("transparent", "#000000", 0),
    ],
)
def test_a_value_names_a_colour(value, colour, opacity):
    paint = paint_of(value)
    assert paint.colour == colour
    assert paint.opacity == pytest.approx(opacity, abs=0.01)


@pytest.mark.parametrize(
    "value", ["", "inherit", "var(--ink)", "#ff", "#ggg", "rgb(1,2)", "rgb(a,b,c)", "rebeccapurple", "oklch(1 2 3)"]
)
def test_what_cannot_be_told_is_none(value):
    assert paint_of(value) is None


@pytest.mark.parametrize(
    ("value", "paint"),
    [
        ("#fff", Paint("#ffffff")),
        ("no-repeat center navy", Paint("#000080")),
        ("none", CLEAR),
        ("0 0", CLEAR),
        ("rgb(0,0,0)", Paint("#000000")),
        ("url(a.png) #fff", None),
        ("linear-gradient(red, blue)", None),
        ("var(--paper)", None),
    ],
)
def test_a_background_is_a_colour_or_cannot_be_told(value, paint):
    assert ground_of(value) == paint


def test_a_colour_that_lets_through_is_mixed_with_the_ground():
    assert Paint("#000000", 0.5).over("#ffffff") == "#808080"
    assert CLEAR.over("#0b5c8a") == "#0b5c8a"


@examples(st.text(alphabet="#abfr gbhsl(),.%/-+0123456789deg", max_size=40))
def test_no_value_is_too_odd(value):
    for paint in (paint_of(value), ground_of(value)):
        assert paint is None or (len(paint.colour) == 7 and 0 <= paint.opacity <= 1)
