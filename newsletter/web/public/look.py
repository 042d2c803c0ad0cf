"""
The colour of a newsletter on its pages: a style sheet of a few lines, after the one that all pages share.

Takes the accent of the newsletter's theme, yields CSS; promises that text in the colour and text on it can be read
(WCAG 2.2, success criterion 1.4.3) in both colour schemes, whatever the accent. Pure.
"""

from dataclasses import dataclass
from typing import Final

from newsletter.compilation.colours import READABLE, mix, readable, text_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What `public.css` lays under the accent in a colour scheme; a test compares the two."""

    page: str
    paper: str
    ink: str
    tint: float
    ratio: float


LIGHT: Final = Grounds(page="#f7f6f2", paper="#ffffff", ink="#1d2327", tint=0.08, ratio=READABLE)
DARK: Final = Grounds(page="#171b1e", paper="#1f2529", ink="#eceae4", tint=0.12, ratio=6.0)
"""At the least contrast a colour looks dull on dark ground."""


def look_css(accent: str) -> str:
    """The style sheet for an accent such as #3b4a94; on paper nothing has a colour."""
    return (
        f"@media screen {{\n  :root {{\n{_colours(accent, LIGHT)}  }}\n}}\n\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n  :root {{\n{_colours(accent, DARK)}  }}\n}}\n"
    )


def _colours(accent: str, grounds: Grounds) -> str:
    tint = mix(grounds.paper, accent, grounds.tint)
    shade = readable(accent, [tint, grounds.page, grounds.paper], ratio=grounds.ratio)
    values = {"accent": shade, "on-accent": text_on(shade, [grounds.paper, grounds.ink]), "tint": tint}
    return "".join(f"    --{name}: {value};\n" for name, value in values.items())
