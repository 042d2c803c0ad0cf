"""
Colours: mixing, contrast, and variants of an accent that can be read.

Takes and yields colours as `#rrggbb`. Contrast is that of WCAG 2.2 (relative luminance, success criterion 1.4.3: text
needs 4.5:1). Pure.
"""

from collections.abc import Iterable, Sequence
from typing import Final

READABLE: Final = 4.5
"""Contrast ratio of text against its background: WCAG 2.2, 1.4.3, level AA."""

WHITE: Final = "#ffffff"
BLACK: Final = "#000000"

_STEPS: Final = 50
"""Steps from a colour to black or white: each is two per cent, finer than an eye can tell."""

_MIDDLE: Final = 0.179
"""The luminance on which black and white text have the same contrast: sqrt(1.05 * 0.05) - 0.05."""

_LINEAR_BELOW: Final = 0.04045
"""Where the sRGB curve turns from a line into a power (IEC 61966-2-1)."""


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of `#rrggbb`, each 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with `share` (0 to 1) of `other` in it, by channel."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def luminance(colour: str) -> float:
    """Relative luminance from 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (_linear(value / 255) for value in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= _LINEAR_BELOW else ((value + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lowest_contrast(colour: str, backgrounds: Iterable[str]) -> float:
    """The contrast on the background where it is poorest."""
    return min(contrast(colour, background) for background in backgrounds)


def readable(colour: str, backgrounds: Sequence[str], *, ratio: float = READABLE) -> str:
    """
    The nearest shade of `colour` that has `ratio` on every one of `backgrounds`.

    It is darkened where the backgrounds are light and lightened where they are dark; where they are both, the best that
    can be had is black or white.
    """
    light = sum(luminance(background) for background in backgrounds) / len(backgrounds)
    pole = BLACK if light > _MIDDLE else WHITE
    for step in range(_STEPS + 1):
        shade = mix(colour, pole, step / _STEPS)
        if lowest_contrast(shade, backgrounds) >= ratio:
            return shade
    return max((BLACK, WHITE), key=lambda end: lowest_contrast(end, backgrounds))


def text_on(surface: str, preferred: Sequence[str]) -> str:
    """The first of `preferred` that can be read on `surface`, else black or white: one of them always can."""
    for colour in preferred:
        if contrast(colour, surface) >= READABLE:
            return colour
    return max((WHITE, BLACK), key=lambda end: contrast(end, surface))
