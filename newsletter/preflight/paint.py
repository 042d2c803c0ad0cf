"""
Colours of CSS, as far as contrast needs them.

Takes values of `color` and `background`, yields colours as `#rrggbb` with their opacity; None for what cannot be told
(a gradient, a variable, a name that hardly anybody writes). CSS Color Module Level 4, §§5 to 7. Pure.
"""

import re
from colorsys import hls_to_rgb
from dataclasses import dataclass
from typing import Final

from newsletter.compilation.colours import mix

_HEX: Final = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"(rgb|hsl)a?\(([^()]*)\)", re.IGNORECASE)
_PART: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(%|deg)?")
_TOKEN: Final = re.compile(r"[a-z-]+\([^()]*(?:\([^()]*\)[^()]*)*\)|#[0-9a-f]+|[a-z-]+", re.IGNORECASE)
_PICTURE: Final = re.compile(r"(?:gradient|url|image|image-set|element)\(", re.IGNORECASE)

_SHORT: Final = 5
"""Characters of `#rgba`, each digit of which stands for two."""

_PARTS: Final = 3

_NAMED: Final = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "magenta": "#ff00ff",
    "green": "#008000", "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080",
    "blue": "#0000ff", "teal": "#008080", "aqua": "#00ffff", "cyan": "#00ffff", "orange": "#ffa500",
    "gold": "#ffd700", "pink": "#ffc0cb", "brown": "#a52a2a", "tomato": "#ff6347", "crimson": "#dc143c",
    "indigo": "#4b0082", "darkblue": "#00008b", "darkgreen": "#006400", "darkred": "#8b0000", "darkgray": "#a9a9a9",
    "darkgrey": "#a9a9a9", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3", "lightblue": "#add8e6",
    "whitesmoke": "#f5f5f5", "gainsboro": "#dcdcdc", "dimgray": "#696969", "dimgrey": "#696969", "beige": "#f5f5dc",
}  # fmt: skip
"""The names of CSS 2 and those that themes use."""


@dataclass(frozen=True, slots=True)
class Paint:
    """A colour as `#rrggbb`; `opacity` from 0 (nothing) to 1."""

    colour: str
    opacity: float = 1.0

    def over(self, ground: str) -> str:
        """What is seen where it lies on a ground."""
        return mix(ground, self.colour, self.opacity)


CLEAR: Final = Paint("#000000", 0.0)
"""`transparent`."""


def paint_of(value: str) -> Paint | None:
    """The colour that a value names."""
    text = value.strip().lower()
    if text == "transparent":
        return CLEAR
    if text in _NAMED:
        return Paint(_NAMED[text])
    if _HEX.fullmatch(text):
        return _of_hex(text)
    found = _FUNCTION.fullmatch(text)
    return _of_function(found[1], found[2]) if found else None


def ground_of(value: str) -> Paint | None:
    """The colour in the value of `background`: none of its words being one, it is transparent."""
    if _PICTURE.search(value):
        return None
    tokens = _TOKEN.findall(value)
    painted = [paint for token in tokens if (paint := paint_of(token))]
    if painted:
        return painted[-1]
    return None if any("(" in token for token in tokens) else CLEAR


def _of_hex(text: str) -> Paint:
    digits = "".join(digit * 2 for digit in text[1:]) if len(text) <= _SHORT else text[1:]
    return Paint(f"#{digits[:6]}", int(digits[6:] or "ff", 16) / 255)


def _of_function(name: str, inside: str) -> Paint | None:
    parts = _PART.findall(inside)
    if len(parts) < _PARTS:
        return None
    opacity = float(parts[3][0]) / (100 if parts[3][1] == "%" else 1) if len(parts) > _PARTS else 1.0
    if name == "hsl":
        red, green, blue = hls_to_rgb(
            float(parts[0][0]) % 360 / 360, float(parts[2][0]) / 100, float(parts[1][0]) / 100
        )
        channels = [255 * each for each in (red, green, blue)]
    else:
        channels = [float(number) * 255 / 100 if unit == "%" else float(number) for number, unit in parts[:3]]
    return Paint("#" + "".join(f"{_clamped(each):02x}" for each in channels), min(max(opacity, 0.0), 1.0))


def _clamped(channel: float) -> int:
    return min(max(round(channel), 0), 255)
