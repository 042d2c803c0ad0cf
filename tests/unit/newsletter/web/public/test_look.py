"""The colour of a newsletter on its pages can always be read."""

import re

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.colours import contrast
from newsletter.paths import templates
from newsletter.web.public.look import DARK, LIGHT, look_css

COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def values_of(css):
    """The custom properties of each `:root`, in order."""
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{([^}]*)\}", css)]


def test_the_grounds_are_those_of_the_style_sheet_that_all_pages_share():
    light, dark, *_ = values_of((templates() / "web" / "static" / "public.css").read_text("utf-8"))
    for grounds, values in ((LIGHT, light), (DARK, dark)):
        assert (grounds.page, grounds.paper, grounds.ink) == (values["page"], values["paper"], values["ink"])


@given(COLOURS)
def test_whatever_the_accent_text_in_it_and_on_it_can_be_read(accent):
    for grounds, values in zip((LIGHT, DARK), values_of(look_css(accent)), strict=True):
        for ground in (grounds.page, grounds.paper, values["tint"]):
            assert contrast(values["accent"], ground) >= 4.5
        assert contrast(values["on-accent"], values["accent"]) >= 4.5
        assert contrast(grounds.ink, values["tint"]) >= 4.5


def test_an_accent_that_can_be_read_stays_what_it_is():
    assert values_of(look_css("#3b4a94"))[0]["accent"] == "#3b4a94"


def test_on_paper_nothing_has_a_colour():
    assert re.findall(r"@media ([^{]*) \{", look_css("#3b4a94")) == [
        "screen",
        "screen and (prefers-color-scheme: dark)",
    ]
